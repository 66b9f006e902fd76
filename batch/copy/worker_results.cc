// What became of what was started, and its way into the database.
#include <algorithm>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/delete_work.h"
#include "batch/copy/known_uploads.h"
#include "batch/copy/restore.h"
#include "batch/copy/worker.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRecordAfter{500};  // outcomes wait no longer than this
constexpr milliseconds kRecordSoon{50};
constexpr std::size_t kRecordAtOnceMax = 512;
constexpr std::size_t kDeniedInARowMax = 100;
constexpr int kEndpointFailuresFree = Outage::kFailuresInARow - 1;
constexpr int kAnswersFree = 4;
constexpr milliseconds kFirstPatience{15'000};

}  // namespace

void Worker::TakeResults(std::vector<WorkResult> results) {
  for (WorkResult& result : results) TakeResult(std::move(result));
}

// Of what is requests and nothing else. A task with a bandwidth waits for its turn, too.
void Worker::LearnTime(const WorkItem& item) {
  constexpr std::uint64_t kSmallBytes = 64 << 10;
  const bool small =
      item.kind == WorkItem::Kind::kSplit ||
      (item.kind == WorkItem::Kind::kWhole && item.job.source.size_bytes <= kSmallBytes);
  if (!small || parts_.limits.HasBandwidth(item.task)) return;
  in_flight_limit_.Took(std::chrono::duration_cast<std::chrono::microseconds>(
      parts_.clock.SteadyNow() - item.started_at));
}

void Worker::TakeResult(WorkResult result) {
  in_flight_ -= 1;
  parts_in_flight_ -= result.item.kind == WorkItem::Kind::kPart ? 1 : 0;
  memory_in_use_ -= result.item.memory_bytes;
  RunWork& run = *runs_.at(result.item.run_id());
  run.in_flight -= 1;
  run.body_bytes -= result.item.body_bytes;
  run.outcomes.traffic.source_bytes_read += static_cast<std::int64_t>(result.traffic.read_bytes);
  run.outcomes.traffic.destination_bytes_written +=
      static_cast<std::int64_t>(result.traffic.written_bytes);
  TakeSettlement(run, result);
  if (result.error) {
    TakeFailure(run, result);
  } else {
    if (run.outage.IsOut()) {
      log::Info("the stores answer again",
                {{"task", run.open.task_name}, {"run", run.open.run_id}});
    }
    LearnTime(result.item);
    run.outage.Succeeded();
    run.successes += 1;
    run.denied_in_a_row.clear();
    run.leaps = 0;
    TakeSuccess(run, result);
  }
  if (!run.outcomes.empty() && !run.oldest_outcome) {
    run.oldest_outcome = parts_.clock.SteadyNow();
  }
}

void Worker::TakeSettlement(RunWork& run, const WorkResult& result) {
  for (const std::string& nonce : result.settlement.settled) {
    run.outcomes.settled_intents.push_back(nonce);
  }
  if (!result.settlement.problem || run.said_unsettled) return;
  run.said_unsettled = true;
  log::Warn("an upload of which no answer came may be left at the destination",
            {{"task", run.open.task_name},
             {"key", result.item.job.key},
             {"error", result.settlement.problem->what()}});
}

void Worker::TakeSuccess(RunWork& run, WorkResult& result) {
  const Job& job = result.item.job;
  switch (result.item.kind) {
    case WorkItem::Kind::kSplit:
      if (!result.copied_by_store) {
        TakeOpenedUpload(run, result);
        return;
      }
      [[fallthrough]];
    case WorkItem::Kind::kCompare:
      if (result.differs) {
        // The same object again, as a copy.
        run.claimed.push_back(job);
        run.claimed.back().action = Action::kCopy;
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
      run.suspects.erase(job.job_id);
      parts_.observer.OnDone(run.open.task_name, job.key, done);
      run.outcomes.done.push_back(std::move(done));
      return;
    }
    case WorkItem::Kind::kPart:
      run.suspects.erase(result.item.part.job_id);
      run.outcomes.parts.push_back(
          ToFinishedPart(result.item.part.job_id, result.part, result.item.part.upload_id));
      return;
    case WorkItem::Kind::kDelete:
      run.suspects.erase(job.job_id);
      run.outcomes.deletes.push_back(
          ConcludeDelete(parts_.observer, run.open.task_name, job, result.deletion));
      return;
  }
}

void Worker::TakeOpenedUpload(RunWork& run, WorkResult& result) {
  OpenedUpload opened;
  opened.job = result.item.job;
  opened.upload = std::move(result.upload);
  for (const DonePart& part : opened.upload.parts) {
    opened.done_parts.push_back(ToFinishedPart(opened.job.job_id, part, {}));
  }
  const std::optional<OpenUpload>& before = result.item.open;
  if (before && before->upload_id == opened.upload.upload_id) {
    for (const DonePart& part : before->parts) {
      const bool kept =
          std::any_of(opened.done_parts.begin(), opened.done_parts.end(),
                      [&](const FinishedPart& one) { return one.number == part.number; });
      if (!kept) opened.lost_parts.push_back(part.number);
    }
  }
  run.opened_uploads.push_back(std::move(opened));
}

void Worker::TakeFailure(RunWork& run, WorkResult& result) {
  const WorkItem& item = result.item;
  const bool is_part = item.kind == WorkItem::Kind::kPart;
  const std::int64_t job_id = is_part ? item.part.job_id : item.job.job_id;
  const Error& error = *result.error;
  const SteadyTime now = parts_.clock.SteadyNow();
  const Meaning meaning = Judge(error, result.failed_side);

  if (meaning == Meaning::kStopped) return;  // given back at the end
  if (meaning == Meaning::kEndpoint) {
    const bool was_out = run.outage.IsOut();
    run.outage.Failed(now, job_id);
    if (!was_out && run.outage.IsOut()) {
      log::Warn("a store fails again and again, waiting and trying now and then",
                {{"task", run.open.task_name}, {"run", run.open.run_id}, {"error", error.what()}});
    }
  }
  if (error.kind() != ErrorKind::kDenied) run.denied_in_a_row.clear();
  if (error.kind() == ErrorKind::kDenied) run.denied_in_a_row.insert(job_id);
  if (is_part) {
    run.outcomes.returned_parts.push_back({job_id, item.part.part.number, item.part.upload_id});
  }

  const bool verdict = meaning == Meaning::kVanished || meaning == Meaning::kArchived;
  if (verdict && !is_part) {
    JobVerdict one{job_id, meaning == Meaning::kArchived ? "archived" : "vanished", error.what(),
                   error.code() == kBeingRestored};
    parts_.observer.OnVerdict(run.open.task_name, item.job.key, one);
    run.outcomes.verdicts.push_back(std::move(one));
    return;
  }
  if (item.kind == WorkItem::Kind::kSplit && error.code() == kBecameEmpty) {
    // It is another object now, too small for parts: one stream looks at it anew.
    WorkItem whole = item;
    whole.kind = WorkItem::Kind::kWhole;
    whole.open.reset();
    whole.memory_bytes = FlowMemory(options_.ring_bytes, options_.ring_bytes);
    run.ready.push_back(std::move(whole));
    return;
  }
  for (const std::uint32_t number : result.lost_parts) {
    run.outcomes.lost_parts.emplace_back(job_id, number);
  }
  if (item.kind == WorkItem::Kind::kComplete && result.lost_parts.empty() &&
      meaning != Meaning::kEndpoint) {
    // What was uploaded cannot become the object: start over.
    run.dropped_uploads.push_back(item.job);
  }
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  FailedJob failed;
  failed.job_id = job_id;
  if (is_part) failed.upload_id = item.part.upload_id;
  const int attempts = is_part ? item.part.attempts : item.job.attempts;
  failed.error = Describe(error, result.failed_side, attempts + 1);
  failed.pause =
      Backoff(attempts + 1, static_cast<std::uint32_t>(random_ >> 32), options_.retry_backoff);
  // Of a part: the next look at the object finds it vanished, whatever its attempts.
  failed.costs_attempt =
      meaning != Meaning::kVanished && CostsAttempt(run, job_id, meaning, result, now);
  failed.futile = meaning == Meaning::kFutile;
  const Key& key = is_part ? item.part.key : item.job.key;
  parts_.observer.OnRetry(run.open.task_name, key, failed.error);
  run.failed[job_id] = {key, ReasonToRetry(error)};
  run.outcomes.failed.push_back(std::move(failed));

  if (meaning == Meaning::kRunOver) {
    FailRunOnce(run, error.what());
  } else if (run.denied_in_a_row.size() >= kDeniedInARowMax && run.leaps >= RunWork::kLeapsMax) {
    FailRunOnce(run, "a hundred objects in a row were denied, all over the plan; the last: " +
                         std::string(error.what()));
  } else if (run.outage.LastedFor(now) > OutagePatience(run)) {
    const bool answered = parts_.figures.HaveAnswered(run.open.task_name);
    FailRunOnce(run, (answered ? "a store was away for longer than outage_patience: "
                               : "a store has never answered this process: ") +
                         std::string(error.what()));
  }
}

// Only failures of the object itself count. An endpoint that throttles or is away is none; but an
// object at which it fails again and again while others succeed, or while it answers otherwise and
// hardly anything else is left, may be the reason itself.
bool Worker::CostsAttempt(RunWork& run, std::int64_t job_id, Meaning meaning,
                          const WorkResult& result, SteadyTime now) {
  if (meaning != Meaning::kEndpoint) return true;
  Suspect& suspect = run.suspects[job_id];
  if (suspect.failures == 0) suspect.successes_before = run.successes;
  suspect.failures += 1;
  if (!run.outage.IsOut()) {
    return result.error->kind() != ErrorKind::kThrottled &&
           suspect.failures > kEndpointFailuresFree;
  }
  // One answer among many failures is what a bad network gives, too.
  suspect.answered = result.side_answers ? suspect.answered + 1 : 0;
  if (suspect.answered <= kAnswersFree) return false;
  const bool others_succeed = run.successes > suspect.successes_before;
  if (!others_succeed && !run.outage.OfFewObjects()) return false;
  run.outage.Answered(now);
  return true;
}

// A store that never answered this process is not waited for: the address may be wrong.
milliseconds Worker::OutagePatience(const RunWork& run) const {
  const bool answered = parts_.figures.HaveAnswered(run.open.task_name);
  return answered ? options_.outage_patience : std::min(options_.outage_patience, kFirstPatience);
}

void Worker::FailRunOnce(RunWork& run, const std::string& error) {
  if (!run.MayStart()) return;
  run.over = true;
  run.StartNothingMore();
  run.failure = error;
}

void Worker::WriteDue(SteadyTime now, bool everything) {
  for (auto& [id, run] : runs_) {
    WriteUploads(*run);
    if (!run->outcomes.empty()) {
      // With nothing else to start, what is recorded now may be what can be started next.
      const milliseconds patience = run->ready.empty() ? kRecordSoon : kRecordAfter;
      const bool due = run->oldest_outcome && now - *run->oldest_outcome >= patience;
      const bool full = run->outcomes.size() >= kRecordAtOnceMax;
      const bool last = everything || run->in_flight == 0 || run->failure;
      if (last || due || full) WriteOutcomes(*run);
    }
    // After all that is known: what is recorded of a closed run helps nobody to go on.
    if (run->failure) WriteFailure(id, *run);
  }
}

void Worker::WriteFailure(std::int64_t run_id, RunWork& run) {
  const std::string error = EscapeBytes(*run.failure);
  const bool closed = queue_->FailRun(run_id, error);
  log::Warn(closed ? "run failed" : "cannot go on with a run that others work on; leaving it",
            {{"task", run.open.task_name}, {"run", run_id}, {"error", error}});
  parts_.observer.OnRunGivenUp(run.open.task_name, run_id, error, closed);
  run.failure.reset();
  if (!closed) withdrawn_ = true;
}

void Worker::WriteUploads(RunWork& run) {
  const std::int64_t task_id = run.open.task_id;
  for (; !run.dropped_uploads.empty(); run.dropped_uploads.pop_back()) {
    queue_->DropUpload(task_id, run.dropped_uploads.back());
  }
  for (; !run.opened_uploads.empty(); run.opened_uploads.pop_back()) {
    const OpenedUpload& opened = run.opened_uploads.back();
    queue_->Split(task_id, opened.job, opened.upload.upload_id, opened.upload.part_bytes,
                  opened.upload.source, opened.done_parts, opened.lost_parts, opened.upload.nonce);
    run.next_poll = {};  // its parts are there to be claimed
  }
}

void Worker::WriteOutcomes(RunWork& run) {
  RequestCounters& counters = parts_.figures.Counters(run.open.task_name);
  Tally& traffic = run.outcomes.traffic;
  traffic.requests_source += counters.source.exchange(0);
  traffic.requests_destination += counters.destination.exchange(0);
  traffic.retries += counters.retries.exchange(0);
  Recorded recorded;
  try {
    recorded = queue_->Record(run.open.run_id, run.open.task_id, run.outcomes);
  } catch (const Error& error) {
    // Perhaps it is written: a second time changes no row, but would count the traffic twice.
    if (error.kind() == ErrorKind::kInDoubt) traffic = {};
    throw;
  }
  const bool parts_ended = !run.outcomes.parts.empty();
  run.outcomes = {};
  run.oldest_outcome.reset();
  for (const BuriedJob& dead : recorded.dead) {
    parts_.observer.OnDead(run.open.task_name, run.failed[dead.job_id].key, dead.error);
  }
  for (const std::int64_t job_id : recorded.retried) {
    counters.retry_stats.Add(run.failed[job_id].reason);
  }
  run.failed.clear();
  if (parts_ended) run.next_poll = {};  // one may have been the last of its object
  if (recorded.run_closed) {
    run.over = true;
    run.StartNothingMore();
    refreshed_ = {};
  }
}

}  // namespace ferry
