#include "batch/copy/worker.h"

#include <algorithm>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRefreshEvery{500};
constexpr milliseconds kPollEvery{300};    // for what others make claimable
constexpr milliseconds kRecordAfter{500};  // outcomes wait no longer than this
constexpr milliseconds kRecordSoon{50};
constexpr std::size_t kRecordAtOnceMax = 512;
constexpr std::int64_t kClaimMax = 256;
constexpr int kDeniedInARowMax = 100;
constexpr int kEndpointFailuresFree = 5;
constexpr milliseconds kIdleWait{50};

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

}  // namespace

// What this worker knows of one run.
struct Worker::RunWork {
  OpenRun open;
  std::int64_t cursor = 0;
  bool listed_to_the_end = false;  // planned, and nothing pending above the cursor
  bool abandoned = false;          // failed or closed: nothing of it is started any more
  SteadyTime next_poll{};
  std::deque<WorkItem> ready;
  int in_flight = 0;
  int denied_in_a_row = 0;
  Outage outage;
  Outcomes outcomes;
  std::optional<SteadyTime> oldest_outcome;
  std::map<std::int64_t, Key> keys;               // of failed jobs, until recorded
  std::map<std::int64_t, int> endpoint_failures;  // of jobs that fail while others succeed
};

Worker::Worker(Parts parts, WorkerOptions options)
    : parts_(std::move(parts)),
      options_(options),
      random_(static_cast<std::uint64_t>(parts_.lease.worker_id()) * 0x9E3779B97F4A7C15U + 1) {
  Connect();
}

Worker::~Worker() = default;

void Worker::Connect() {
  session_ = parts_.connect();
  queue_ = std::make_unique<JobQueue>(*session_, parts_.lease.worker_id(), options_.attempts_max);
}

Worker::End Worker::Run(const Until& until, const std::stop_token& stop) {
  stop_ = stop;
  std::stop_callback wake(stop, [this] { parts_.lanes.Wake(); });
  SteadyTime next_tick = parts_.clock.SteadyNow();
  while (true) {
    if (!parts_.lease.Trusted()) throw Error(ErrorKind::kConflict, "this worker lost its lease");
    if (stop.stop_requested() || until.enough()) {
      LetFinish();
      return End::kStopped;
    }
    const SteadyTime now = parts_.clock.SteadyNow();
    const bool more = until.more_may_come();  // asked before looking: what it announces is seen
    if (now - refreshed_ >= kRefreshEvery || runs_.empty()) RefreshRuns(until);
    if (runs_.empty() && !more) return End::kDrained;
    StartWhatFits();
    TakeResults(parts_.lanes.Reap(kIdleWait));
    RecordAll(/*everything=*/in_flight_ == 0);
    if (now >= next_tick) {
      next_tick = now + std::chrono::seconds(1);
      WithDatabase([this] { parts_.observer.OnTick(*session_); });
    }
  }
}

void Worker::RefreshRuns(const Until& until) {
  std::vector<OpenRun> open;
  WithDatabase([&] { open = FindOpenRuns(*session_, until.tasks); });
  refreshed_ = parts_.clock.SteadyNow();
  std::set<std::int64_t> seen;
  for (OpenRun& run : open) {
    // Without its planner a plan never gets finished; the next `run` closes it.
    const bool orphan = run.planning && !run.planner_alive;
    if (orphan || !until.accepts(run)) continue;
    seen.insert(run.run_id);
    std::unique_ptr<RunWork>& work = runs_[run.run_id];
    if (!work) {
      work = std::make_unique<RunWork>();
      turn_.push_back(run.run_id);
    }
    work->open = std::move(run);
  }
  // Closed by others, or by us: gone once nothing of it is in flight.
  for (auto it = runs_.begin(); it != runs_.end();) {
    RunWork& work = *it->second;
    if (!seen.contains(it->first)) work.abandoned = true;
    if (work.abandoned) work.ready.clear();
    if (work.abandoned && work.in_flight == 0 && work.outcomes.empty() &&
        !seen.contains(it->first)) {
      std::erase(turn_, it->first);
      it = runs_.erase(it);
    } else {
      ++it;
    }
  }
}

void Worker::StartWhatFits() {
  std::size_t idle_runs = 0;
  while (in_flight_ < options_.concurrency && idle_runs < turn_.size()) {
    const std::int64_t run_id = turn_.front();
    turn_.pop_front();
    turn_.push_back(run_id);
    idle_runs = StartOne(*runs_.at(run_id)) ? 0 : idle_runs + 1;
  }
}

// False: this run has nothing to start now.
bool Worker::StartOne(RunWork& run) {
  const SteadyTime now = parts_.clock.SteadyNow();
  if (run.abandoned || !run.outage.MayTry(now)) return false;
  if (run.outage.IsOut() && run.in_flight > 0) return false;
  // A store that throttles: what waited for its turn here would hold the other side's connection.
  if (run.in_flight > 0 && run.in_flight >= parts_.factory.InFlightMax(run.open.task_name)) {
    return false;
  }
  if (run.ready.empty() && !Fetch(run)) return false;
  WorkItem& item = run.ready.front();
  const bool fits = memory_in_use_ + item.memory_bytes <= options_.memory_bytes;
  if (!fits && in_flight_ > 0) return false;
  in_flight_ += 1;
  run.in_flight += 1;
  memory_in_use_ += item.memory_bytes;
  parts_.lanes.Start(std::move(item));
  run.ready.pop_front();
  return true;
}

bool Worker::Fetch(RunWork& run) {
  const SteadyTime now = parts_.clock.SteadyNow();
  if (now < run.next_poll) return false;
  bool found = false;
  WithDatabase([&] { found = ClaimInto(run); });
  if (!found) run.next_poll = now + (run.open.planning ? kIdleWait : kPollEvery);
  return found;
}

// Finished objects before parts, parts before new objects: what is begun is brought to an end.
bool Worker::ClaimInto(RunWork& run) {
  const std::int64_t run_id = run.open.run_id;
  // Twice what runs: the lanes never wait for the database.
  const std::int64_t limit =
      std::min<std::int64_t>(kClaimMax, std::int64_t{2} * options_.concurrency);
  Enqueue(run, queue_->ClaimCompletions(run_id, limit));
  for (PartJob& part : queue_->ClaimParts(run_id, options_.concurrency)) {
    WorkItem item = NewItem(run.open, part.key, part.source);
    item.kind = WorkItem::Kind::kPart;
    item.memory_bytes = std::min<std::size_t>(options_.ring_bytes, part.part.size_bytes);
    item.part = std::move(part);
    run.ready.push_back(std::move(item));
  }
  Enqueue(run, queue_->ClaimRetries(run_id, limit));
  if (run.ready.empty()) {
    std::vector<Job> jobs = queue_->ClaimJobs(run_id, run.cursor, limit);
    run.listed_to_the_end = jobs.empty() && !run.open.planning;
    if (jobs.empty()) {
      queue_->RequeueLost(run_id);
      if (run.in_flight == 0 && run.outcomes.empty()) {
        // Nothing is in our hands: what the database says we hold was claimed in a transaction
        // whose commit we never heard of.
        queue_->ReleaseAll(run_id);
        queue_->CloseIfFinal(run_id);
      }
      // What others claimed and gave back by a rollback lies below the cursor.
      if (run.listed_to_the_end) run.cursor = 0;
    }
    Enqueue(run, std::move(jobs));
  }
  return !run.ready.empty();
}

void Worker::Enqueue(RunWork& run, std::vector<Job> jobs) {
  std::vector<Key> large;
  for (const Job& job : jobs) {
    if (job.source.size_bytes >= options_.multipart_threshold) large.push_back(job.key);
  }
  std::vector<KnownUpload> uploads;
  if (!large.empty()) uploads = queue_->FindUploads(run.open.task_id, large);
  for (Job& job : jobs) run.ready.push_back(MakeItem(run, std::move(job), uploads));
}

WorkItem Worker::MakeItem(RunWork& run, Job job, const std::vector<KnownUpload>& uploads) {
  WorkItem item = NewItem(run.open, job.key, job.source);
  const auto load_parts = [this](std::int64_t run_id, std::int64_t job_id, OpenUpload& open) {
    for (StoredPart& part : queue_->ReadDoneParts(run_id, job_id)) {
      open.parts.push_back({part.number, std::move(part.etag), std::move(part.md5)});
    }
  };
  if (job.action == Action::kVerify) {
    item.kind = WorkItem::Kind::kCompare;
    item.memory_bytes = 0;
  } else if (!job.upload_id.empty() && job.parts_left == 0) {
    item.kind = WorkItem::Kind::kComplete;
    item.open = OpenUpload{job.upload_id, job.part_bytes, job.source, {}};
    load_parts(job.run_id, job.job_id, *item.open);
  } else if (job.source.size_bytes >= options_.multipart_threshold &&
             job.source.size_bytes > kWholeBytesMax) {
    item.kind = WorkItem::Kind::kSplit;
    item.part_bytes = options_.part_bytes;
    const auto known = std::find_if(uploads.begin(), uploads.end(),
                                    [&](const KnownUpload& u) { return u.key == job.key; });
    if (known != uploads.end() && !known->upload_id.empty()) {
      item.open = OpenUpload{known->upload_id, known->part_bytes, known->source, {}};
      load_parts(known->run_id, known->job_id, *item.open);
    } else {
      queue_->IntendUpload(run.open.task_id, job, options_.part_bytes);
    }
  } else {
    item.kind = WorkItem::Kind::kWhole;
    item.memory_bytes = BodyMemory(job.source.size_bytes, options_.ring_bytes);
  }
  item.job = std::move(job);
  return item;
}

void Worker::TakeResults(std::vector<WorkResult> results) {
  for (WorkResult& result : results) TakeResult(std::move(result));
}

void Worker::TakeResult(WorkResult result) {
  in_flight_ -= 1;
  memory_in_use_ -= result.item.memory_bytes;
  RunWork& run = *runs_.at(result.item.run_id());
  run.in_flight -= 1;
  run.outcomes.traffic.source_bytes_read += static_cast<std::int64_t>(result.traffic.read_bytes);
  run.outcomes.traffic.destination_bytes_written +=
      static_cast<std::int64_t>(result.traffic.written_bytes);
  if (result.error) {
    TakeFailure(run, result);
  } else {
    run.outage.Succeeded();
    run.denied_in_a_row = 0;
    TakeSuccess(run, result);
  }
  if (!run.outcomes.empty() && !run.oldest_outcome) {
    run.oldest_outcome = parts_.clock.SteadyNow();
  }
}

void Worker::TakeSuccess(RunWork& run, WorkResult& result) {
  const Job& job = result.item.job;
  switch (result.item.kind) {
    case WorkItem::Kind::kCompare:
      if (result.differs) {
        // The same object again, as a copy.
        Job again = job;
        again.action = Action::kCopy;
        WithDatabase([&] { Enqueue(run, {again}); });
        return;
      }
      [[fallthrough]];
    case WorkItem::Kind::kWhole:
    case WorkItem::Kind::kComplete: {
      DoneJob done;
      done.job_id = job.job_id;
      done.source = result.copied.source;
      done.destination_etag = result.copied.destination_etag;
      done.proof = result.copied.proof;
      done.size_bytes = job.source.size_bytes;
      done.adopted = result.item.kind == WorkItem::Kind::kCompare;
      run.endpoint_failures.erase(job.job_id);
      parts_.observer.OnDone(run.open.task_name, job.key, done);
      run.outcomes.done.push_back(std::move(done));
      return;
    }
    case WorkItem::Kind::kSplit: {
      std::vector<FinishedPart> there;
      for (const DonePart& part : result.upload.parts) {
        there.push_back({job.job_id, part.number, part.etag, part.md5});
      }
      std::vector<std::int64_t> lost;
      if (result.item.open && result.item.open->upload_id == result.upload.upload_id) {
        for (const DonePart& part : result.item.open->parts) {
          const bool kept = std::any_of(there.begin(), there.end(), [&](const FinishedPart& one) {
            return one.number == part.number;
          });
          if (!kept) lost.push_back(part.number);
        }
      }
      WithDatabase([&] {
        queue_->Split(run.open.task_id, job, result.upload.upload_id, result.upload.part_bytes,
                      result.upload.source, there, lost);
      });
      run.next_poll = {};  // its parts are there to be claimed
      return;
    }
    case WorkItem::Kind::kPart:
      run.outcomes.parts.push_back(
          {result.item.part.job_id, result.part.number, result.part.etag, result.part.md5});
      return;
  }
}

void Worker::TakeFailure(RunWork& run, WorkResult& result) {
  const WorkItem& item = result.item;
  const bool is_part = item.kind == WorkItem::Kind::kPart;
  const std::int64_t job_id = is_part ? item.part.job_id : item.job.job_id;
  const Error& error = *result.error;
  const SteadyTime now = parts_.clock.SteadyNow();
  const Meaning meaning = Judge(error, result.failed_side);

  if (meaning == Meaning::kStopped) return;  // given back at the end
  if (meaning == Meaning::kEndpoint) run.outage.Failed(now);
  run.denied_in_a_row = error.kind() == ErrorKind::kDenied ? run.denied_in_a_row + 1 : 0;
  if (is_part) run.outcomes.returned_parts.emplace_back(job_id, item.part.part.number);

  const bool verdict = meaning == Meaning::kVanished || meaning == Meaning::kArchived;
  if (verdict && !is_part) {
    JobVerdict one{job_id, meaning == Meaning::kArchived ? "archived" : "vanished", error.what()};
    parts_.observer.OnVerdict(run.open.task_name, item.job.key, one);
    run.outcomes.verdicts.push_back(std::move(one));
    return;
  }
  if (item.kind == WorkItem::Kind::kSplit && error.kind() == ErrorKind::kConflict) {
    // It is another object now, perhaps too small for parts: one stream looks at it anew.
    WorkItem whole = item;
    whole.kind = WorkItem::Kind::kWhole;
    whole.open.reset();
    whole.memory_bytes = options_.ring_bytes;
    run.ready.push_back(std::move(whole));
    return;
  }
  for (const std::uint32_t number : result.lost_parts) {
    run.outcomes.lost_parts.emplace_back(job_id, number);
  }
  if (item.kind == WorkItem::Kind::kComplete && result.lost_parts.empty() &&
      meaning != Meaning::kEndpoint) {
    // What was uploaded cannot become the object: start over.
    WithDatabase([&] { queue_->DropUpload(run.open.task_id, item.job); });
  }
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  FailedJob failed;
  failed.job_id = job_id;
  failed.error = error.what();
  if (is_part) failed.upload_id = item.part.upload_id;
  const int attempts = is_part ? item.part.attempts : item.job.attempts;
  failed.pause = Backoff(attempts + 1, static_cast<std::uint32_t>(random_ >> 32));
  failed.costs_attempt = CostsAttempt(run, job_id, meaning, error.kind());
  failed.futile = meaning == Meaning::kFutile;
  const Key& key = is_part ? item.part.key : item.job.key;
  parts_.observer.OnRetry(run.open.task_name, key, failed.error);
  run.keys[job_id] = key;
  run.outcomes.failed.push_back(std::move(failed));

  if (meaning == Meaning::kRunOver) {
    FailRunOnce(run, error.what());
  } else if (run.denied_in_a_row >= kDeniedInARowMax) {
    FailRunOnce(run,
                "a hundred objects in a row were denied; the last: " + std::string(error.what()));
  } else if (run.outage.LastedFor(now) > options_.outage_patience) {
    FailRunOnce(run,
                "a store was away for longer than outage_patience: " + std::string(error.what()));
  }
}

// Only failures of the object itself count. An endpoint that throttles or is away is none; but an
// object at which it fails again and again while others succeed may be the reason itself.
bool Worker::CostsAttempt(RunWork& run, std::int64_t job_id, Meaning meaning, ErrorKind kind) {
  if (meaning != Meaning::kEndpoint) return true;
  if (kind == ErrorKind::kThrottled || run.outage.IsOut()) return false;
  return ++run.endpoint_failures[job_id] > kEndpointFailuresFree;
}

void Worker::FailRunOnce(RunWork& run, const std::string& error) {
  if (run.abandoned) return;
  run.abandoned = true;
  run.ready.clear();
  WithDatabase([&] { FailRun(*session_, run.open.run_id, EscapeBytes(error)); });
  log::Warn("run failed",
            {{"task", run.open.task_name}, {"run", run.open.run_id}, {"error", error}});
}

void Worker::RecordAll(bool everything) {
  const SteadyTime now = parts_.clock.SteadyNow();
  for (auto& [id, run] : runs_) {
    if (run->outcomes.empty()) continue;
    // With nothing else to start, what is recorded now may be what can be started next.
    const milliseconds patience = run->ready.empty() ? kRecordSoon : kRecordAfter;
    const bool due = run->oldest_outcome && now - *run->oldest_outcome >= patience;
    const bool full = run->outcomes.size() >= kRecordAtOnceMax;
    if (everything || due || full || run->in_flight == 0) RecordRun(*run);
  }
}

void Worker::RecordRun(RunWork& run) {
  RequestCounters& counters = parts_.factory.Counters(run.open.task_name);
  Outcomes outcomes = std::exchange(run.outcomes, {});
  run.oldest_outcome.reset();
  outcomes.traffic.requests_source += counters.source.exchange(0);
  outcomes.traffic.requests_destination += counters.destination.exchange(0);
  outcomes.traffic.retries += counters.retries.exchange(0);
  Recorded recorded;
  WithDatabase([&] {
    try {
      recorded = queue_->Record(run.open.run_id, run.open.task_id, outcomes);
    } catch (const Error& error) {
      // Perhaps it is written: a second time changes no row, but would count the traffic twice.
      if (error.kind() == ErrorKind::kInDoubt) outcomes.traffic = {};
      throw;
    }
  });
  for (const BuriedJob& dead : recorded.dead) {
    parts_.observer.OnDead(run.open.task_name, run.keys[dead.job_id], dead.error);
  }
  run.keys.clear();
  if (!outcomes.parts.empty()) run.next_poll = {};  // one may have been the last of its object
  if (recorded.run_closed) {
    run.abandoned = true;
    run.ready.clear();
    refreshed_ = {};
  }
}

// No new work; what is in flight may end; what then is left goes back.
void Worker::LetFinish() {
  const SteadyTime deadline = parts_.clock.SteadyNow() + options_.grace;
  log::Info("stopping: letting what is in flight finish",
            {{"in_flight", in_flight_}, {"seconds", options_.grace.count() / 1000}});
  for (auto& [id, run] : runs_) run->ready.clear();
  while (in_flight_ > 0 && parts_.clock.SteadyNow() < deadline) {
    TakeResults(parts_.lanes.Reap(kPollEvery));
    RecordAll(false);
  }
  if (in_flight_ > 0) {
    parts_.lanes.Stop();
    const SteadyTime last = parts_.clock.SteadyNow() + std::chrono::seconds(5);
    while (in_flight_ > 0 && parts_.clock.SteadyNow() < last) {
      TakeResults(parts_.lanes.Reap(kPollEvery));
    }
  }
  RecordAll(true);
  for (const auto& [id, run] : runs_) {
    const std::int64_t run_id = id;
    WithDatabase([&] { queue_->ReleaseAll(run_id); });
  }
}

void Worker::WithDatabase(const std::function<void()>& body) {
  const SteadyTime began = parts_.clock.SteadyNow();
  for (int attempt = 1;; ++attempt) {
    try {
      if (!session_->IsOpen()) Connect();
      body();
      return;
    } catch (const Error& error) {
      const bool again = error.kind() == ErrorKind::kUnavailable ||
                         error.kind() == ErrorKind::kInDoubt ||
                         error.kind() == ErrorKind::kThrottled;
      if (!again) throw;
      const milliseconds patience =
          stop_.stop_requested() ? options_.grace : options_.outage_patience;
      if (parts_.clock.SteadyNow() - began > patience || !parts_.lease.Trusted()) throw;
      log::Warn("the database is away, waiting", {{"error", error.what()}});
    }
    parts_.clock.SleepFor(Backoff(attempt, 1U << 31, {.cap = milliseconds(5000)}), {});
  }
}

}  // namespace ferry
