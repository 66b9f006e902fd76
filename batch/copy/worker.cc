#include "batch/copy/worker.h"

#include <algorithm>
#include <set>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/delete_work.h"
#include "batch/copy/known_uploads.h"
#include "batch/plan/backoff.h"
#include "batch/plan/part_plan.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRefreshEvery{500};
constexpr milliseconds kPollEvery{300};    // for what others make claimable
constexpr std::size_t kDeniedToLeap = 20;  // in a row
constexpr std::int64_t kLeapClaim = 4;
constexpr milliseconds kIdleWait{50};
constexpr milliseconds kLastWait{5000};  // for what was stopped to say so
constexpr BackoffOptions kDatabaseBackoff{.base = milliseconds(500), .cap = milliseconds(5000)};

// An object of a run, and where it goes: the destination's prefix in the place of the source's.
WorkItem NewItem(const OpenRun& run, const Key& key, const SourceIdentity& source) {
  WorkItem item;
  item.task = run.task_name;
  item.task_id = run.task_id;
  item.object.source_key = key;
  item.object.destination_key =
      Key(run.place.destination_prefix + key.bytes().substr(run.place.source_prefix.size()));
  item.object.source = source;
  return item;
}

bool IsOver(const Error& error) {
  return error.kind() == ErrorKind::kConflict && error.code() == kTermOver;
}

bool MayPass(const Error& error) {
  return IsRetryable(error.kind()) || error.kind() == ErrorKind::kInDoubt;
}

}  // namespace

Worker::Worker(Parts parts, WorkerOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      in_flight_limit_(options_.concurrency,
                       std::max(options_.concurrency, options_.concurrency_max)),
      random_(static_cast<std::uint64_t>(parts_.term.worker_id()) * 0x9E3779B97F4A7C15U + 1) {}

Worker::~Worker() = default;

Worker::End Worker::Run(const Until& until, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { parts_.lanes.Wake(); });
  while (true) {
    if (const auto end = Step(until, stop.stop_requested())) return *end;
    if (parts_.lanes.Wait(kIdleWait)) LookAtOnce();
  }
}

void Worker::LookAtOnce() {
  told_ = true;
  refreshed_ = {};
  for (auto& [id, run] : runs_) run->next_poll = {};
}

std::optional<Worker::End> Worker::Step(const Until& until, bool stop) {
  if (!parts_.term.Trusted()) return End::kLeaseLost;
  const SteadyTime now = parts_.clock.SteadyNow();
  if (!stopping_since_ && (stop || withdrawn_ || until.enough())) BeginToStop(now);
  TakeResults(parts_.lanes.Reap());
  if (away_since_ && now < next_database_try_) return std::nullopt;
  try {
    if (!queue_) queue_ = parts_.open_queue();
    const auto end = stopping_since_ ? StepToTheStop(now) : StepWithDatabase(until, now);
    away_since_.reset();
    database_failures_ = 0;
    return end;
  } catch (const Error& error) {
    if (IsOver(error)) return End::kLeaseLost;
    if (!MayPass(error)) throw;
    return DatabaseFailed(error, now);
  }
}

std::optional<Worker::End> Worker::DatabaseFailed(const Error& error, SteadyTime now) {
  queue_.reset();
  if (!away_since_) away_since_ = now;
  if (stopping_since_) {
    // What we hold goes to others once the lease has run out.
    if (now - std::max(*stopping_since_, *away_since_) > options_.grace) return StoppedEnd();
  } else if (now - *away_since_ > options_.outage_patience) {
    throw error;
  }
  database_failures_ += 1;
  next_database_try_ = now + Backoff(database_failures_, 1U << 31, kDatabaseBackoff);
  log::Warn("the database is away, waiting", {{"error", error.what()}});
  return std::nullopt;
}

std::optional<Worker::End> Worker::StepWithDatabase(const Until& until, SteadyTime now) {
  const bool more = until.more_may_come();  // asked before looking: what it announces is seen
  if (now - refreshed_ >= kRefreshEvery || runs_.empty()) RefreshRuns(until);
  if (runs_.empty() && !more) return End::kDrained;
  WriteDue(now, /*everything=*/in_flight_ == 0);
  KeepToWindows(now);
  StartWhatFits();
  if (now >= next_tick_) {
    parts_.observer.OnTick(*queue_);
    next_tick_ = now + std::chrono::seconds(1);
  }
  return std::nullopt;
}

void Worker::RefreshRuns(const Until& until) {
  std::vector<OpenRun> open = queue_->FindOpenRuns(until.tasks);
  refreshed_ = parts_.clock.SteadyNow();
  for (auto& [id, run] : runs_) run->listed = false;
  for (OpenRun& run : open) {
    // Without its planner a plan never gets finished; the next `run` closes it.
    const bool orphan = run.planning && !run.planner_alive;
    if (orphan || !until.accepts(run)) continue;
    std::unique_ptr<RunWork>& work = runs_[run.run_id];
    if (!work) {
      work = std::make_unique<RunWork>();
      turn_.push_back(run.run_id);
    }
    work->listed = true;
    work->open = std::move(run);
  }
  // Closed by others, or by us: gone once nothing of it is in our hands.
  for (auto it = runs_.begin(); it != runs_.end();) {
    RunWork& run = *it->second;
    if (!run.MayStart()) run.StartNothingMore();
    if (!run.listed && run.HoldsNothing()) {
      std::erase(turn_, it->first);
      it = runs_.erase(it);
    } else {
      ++it;
    }
  }
}

void Worker::StartWhatFits() {
  std::size_t idle_runs = 0;
  while (in_flight_ < in_flight_limit_.limit() && idle_runs < turn_.size()) {
    const std::int64_t run_id = turn_.front();
    turn_.pop_front();
    turn_.push_back(run_id);
    idle_runs = StartOne(*runs_.at(run_id)) ? 0 : idle_runs + 1;
  }
}

// False: this run has nothing to start now.
bool Worker::StartOne(RunWork& run) {
  const SteadyTime now = parts_.clock.SteadyNow();
  if (!run.MayStart() || run.rest || !run.outage.MayTry(now)) return false;
  if (run.outage.IsOut() && run.in_flight > 0) return false;
  // A store that throttles: what waited for its turn here would hold the other side's connection.
  if (run.in_flight > 0 && run.in_flight >= parts_.figures.InFlightMax(run.open.task_name)) {
    return false;
  }
  if (run.ready.empty() && !Fetch(run)) return false;
  WorkItem& item = run.ready.front();
  const bool fits = memory_in_use_ + item.memory_bytes <= options_.memory_bytes;
  if (!fits && in_flight_ > 0) return false;
  const bool part = item.kind == WorkItem::Kind::kPart;
  if (part && parts_in_flight_ >= PartsMax(item.task)) return false;
  item.body_bytes = BodyAtOnce(item);
  const std::uint64_t bodies_max = parts_.limits.BodyBytesMax(run.open.task_name);
  if (run.body_bytes > 0 && item.body_bytes > 0 && run.body_bytes + item.body_bytes > bodies_max) {
    return false;
  }
  if (item.kind == WorkItem::Kind::kSplit) {
    queue_->IntendUpload(run.open.task_id, item.job, item.part_bytes, item.nonce);
  }
  in_flight_ += 1;
  parts_in_flight_ += part ? 1 : 0;
  run.in_flight += 1;
  run.body_bytes += item.body_bytes;
  memory_in_use_ += item.memory_bytes;
  item.in_outage = run.outage.IsOut();
  item.started_at = now;
  parts_.lanes.Start(std::move(item));
  run.ready.pop_front();
  return true;
}

bool Worker::Fetch(RunWork& run) {
  const SteadyTime now = parts_.clock.SteadyNow();
  if (run.claimed.empty()) {
    if (now < run.next_poll) return false;
    Claim(run);
  }
  Prepare(run);
  if (!run.ready.empty()) return true;
  run.next_poll = now + (run.open.planning && !told_ ? kIdleWait : kPollEvery);
  return false;
}

// Finished objects before parts, parts before new objects: what is begun is brought to an end.
void Worker::Claim(RunWork& run) {
  const std::int64_t run_id = run.open.run_id;
  // At least twice what runs: the lanes never wait for the database.
  const std::int64_t limit = run.claim_size.Next(parts_.clock.SteadyNow(), run.successes,
                                                 std::int64_t{2} * in_flight_limit_.limit());
  const auto add = [&](std::vector<Job> jobs) {
    run.claimed.insert(run.claimed.end(), std::make_move_iterator(jobs.begin()),
                       std::make_move_iterator(jobs.end()));
  };
  add(queue_->ClaimCompletions(run_id, limit));
  Prepare(run);
  for (PartJob& part : queue_->ClaimParts(run_id, in_flight_limit_.limit())) {
    WorkItem item = NewItem(run.open, part.key, part.source);
    item.kind = WorkItem::Kind::kPart;
    item.object.store_may_copy = part.attempts == 0;
    item.memory_bytes = FlowMemory(part.part.size_bytes, options_.ring_bytes);
    item.part = std::move(part);
    run.ready.push_back(std::move(item));
  }
  add(queue_->ClaimRetries(run_id, limit));
  if (run.ready.empty() && run.claimed.empty()) ClaimNewJobs(run, limit);
}

// Keys that are denied often lie together: a prefix of somebody else's. What comes next is then
// denied too, and would end the run before those that are not denied were tried. So every stretch
// of the plan gets its try, somewhere in it.
std::vector<Job> Worker::ClaimElsewhere(RunWork& run) {
  const std::int64_t run_id = run.open.run_id;
  const double last = static_cast<double>(queue_->LastJobId(run_id));
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  const double within = static_cast<double>(random_ >> 32) / 4294967296.0;
  run.cursor = static_cast<std::int64_t>(last * (run.leaps % RunWork::kLeapsMax + within) /
                                         RunWork::kLeapsMax);
  run.leaps += 1;
  std::vector<Job> jobs = queue_->ClaimJobs(run_id, run.cursor, kLeapClaim);
  if (!jobs.empty()) return jobs;
  run.cursor = 0;
  return queue_->ClaimJobs(run_id, run.cursor, kLeapClaim);
}

void Worker::ClaimNewJobs(RunWork& run, std::int64_t limit) {
  const std::int64_t run_id = run.open.run_id;
  const bool leap = run.denied_in_a_row.size() >= kDeniedToLeap;
  std::vector<Job> jobs = leap ? ClaimElsewhere(run) : queue_->ClaimJobs(run_id, run.cursor, limit);
  run.claimed.assign(std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end()));
  if (!run.claimed.empty()) return;
  queue_->RequeueLost(run_id);
  if (run.HoldsNothing()) {
    queue_->ReleaseAll(run_id);
    queue_->CloseIfFinal(run_id);
  }
  // What others claimed and gave back by a rollback lies below the cursor.
  if (!run.open.planning) run.cursor = 0;
}

// What a request takes at either end says how far away the stores are, before anything was copied.
bool Worker::IsLongWay(const std::string& task) const {
  constexpr std::chrono::milliseconds kLongWay{20};
  RequestCounters& counters = parts_.figures.Counters(task);
  const std::chrono::microseconds none{0};
  return std::max(counters.source_stats.Fastest().value_or(none),
                  counters.destination_stats.Fastest().value_or(none)) >= kLongWay;
}

// A few streams are as fast as many on a short way, and take less memory. On a long one a few
// connections fill the link where the kernel measures its bandwidth; more of them drive each other
// into its queue, and some are slow for long.
int Worker::PartsMax(const std::string& task) const {
  const int most = in_flight_limit_.limit();
  const int parts = IsLongWay(task) ? options_.parts_max_far : options_.parts_max;
  return parts > 0 ? std::min(most, parts) : most;
}

// Jobs become items: those with an open upload go on with it.
void Worker::Prepare(RunWork& run) {
  for (ClaimedDelete& one :
       TakeDeletes(*queue_, run.open, options_.deletes, run.claimed, run.outcomes.deletes)) {
    WorkItem item = NewItem(run.open, one.job.key, one.job.source);
    item.kind = WorkItem::Kind::kDelete;
    item.target = std::move(one.target);
    item.job = std::move(one.job);
    run.ready.push_back(std::move(item));
  }
  std::vector<Key> large;
  for (const Job& job : run.claimed) {
    // Whatever the threshold is now: an upload that is open is gone on with.
    if (job.source.size_bytes > kWholeBytesMax) large.push_back(job.key);
  }
  std::vector<KnownUpload> uploads;
  if (!large.empty()) uploads = queue_->FindUploads(run.open.task_id, large);
  while (!run.claimed.empty()) {
    run.ready.push_back(MakeItem(run, run.claimed.front(), uploads));
    run.claimed.pop_front();
  }
}

WorkItem Worker::MakeItem(RunWork& run, const Job& job, const std::vector<KnownUpload>& uploads) {
  WorkItem item = NewItem(run.open, job.key, job.source);
  item.object.store_may_copy = job.attempts == 0;
  const auto load_parts = [this](std::int64_t run_id, std::int64_t job_id) {
    return ToDoneParts(queue_->ReadDoneParts(run_id, job_id));
  };
  TakeUploads(item, job.key, uploads, parts_.clock.SteadyNow(), load_parts);
  const bool large = job.source.size_bytes >= options_.multipart_threshold &&
                     job.source.size_bytes > kWholeBytesMax;
  if (job.action == Action::kVerify) {
    item.kind = WorkItem::Kind::kCompare;
    item.memory_bytes = 0;
  } else if (!job.upload_id.empty() && job.parts_left == 0) {
    item.kind = WorkItem::Kind::kComplete;
    const std::string nonce = item.open ? item.open->nonce : std::string();
    item.open = OpenUpload{nonce, job.upload_id, job.part_bytes, job.source,
                           load_parts(job.run_id, job.job_id)};
  } else if (large || item.open) {
    item.kind = WorkItem::Kind::kSplit;
    item.part_bytes = IsLongWay(item.task)
                          ? PartBytesForALongWay(job.source.size_bytes, options_.part_bytes)
                          : options_.part_bytes;
    item.nonce = NewNonce();
  } else {
    item.kind = WorkItem::Kind::kWhole;
    item.memory_bytes = BodyMemory(job.source.size_bytes, options_.ring_bytes);
  }
  item.job = job;
  return item;
}

// No new work; what is in flight may end; what then is left goes back.
void Worker::BeginToStop(SteadyTime now) {
  stopping_since_ = now;
  log::Info("stopping: letting what is in flight finish",
            {{"in_flight", in_flight_}, {"seconds", options_.grace.count() / 1000}});
  for (auto& [id, run] : runs_) run->StartNothingMore();
}

std::optional<Worker::End> Worker::StepToTheStop(SteadyTime now) {
  const SteadyTime deadline = *stopping_since_ + options_.grace;
  if (in_flight_ > 0 && now >= deadline && !lanes_stopped_) {
    parts_.lanes.Stop();
    lanes_stopped_ = true;
  }
  const bool last = in_flight_ == 0 || now >= deadline + kLastWait;
  WriteDue(now, last);
  if (!last) return std::nullopt;
  for (const auto& [run_id, run] : runs_) queue_->ReleaseAll(run_id);
  return StoppedEnd();
}

}  // namespace ferry
