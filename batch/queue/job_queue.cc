#include "batch/queue/job_queue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "batch/pg/copy_writer.h"
#include "batch/queue/ledger.h"
#include "batch/queue/part_rows.h"
#include "batch/queue/run_table.h"

namespace ferry {
namespace {

// Workers that die while they hold an object are seldom the object's doing; so many are.
constexpr std::int64_t kLossesMax = 10;
// The tallies of a run are added up once in so many records of it: minutes, for a worker at work.
constexpr std::int64_t kRecordsToMerge = 256;

Action ReadAction(const std::string& text) {
  if (text == "verify") return Action::kVerify;
  if (text == "delete") return Action::kDelete;
  return Action::kCopy;
}

Job ReadJob(std::int64_t run_id, const pg::Row& row) {
  Job job;
  job.run_id = run_id;
  job.job_id = row.Get<std::int64_t>("job_id");
  job.key = row.Get<Key>("key");
  job.action = ReadAction(row.Get<std::string>("action"));
  job.source.etag = row.Get<std::string>("source_etag");
  job.source.size_bytes = row.Get<std::uint64_t>("size_bytes");
  job.source.modified_ms = row.Get<std::int64_t>("source_modified_ms");
  job.source.version = row.Get<std::string>("source_version");
  job.attempts = row.Get<int>("attempts");
  job.upload_id = row.Get<std::optional<std::string>>("upload_id").value_or("");
  job.part_bytes = row.Get<std::optional<std::uint64_t>>("part_bytes").value_or(0);
  job.parts_left = row.Get<std::optional<int>>("parts_left").value_or(0);
  return job;
}

std::vector<Job> ReadJobs(std::int64_t run_id, const pg::Rows& rows) {
  std::vector<Job> jobs;
  jobs.reserve(rows.size());
  for (const pg::Row row : rows) jobs.push_back(ReadJob(run_id, row));
  return jobs;
}

std::int64_t SumBytes(const std::vector<Job>& jobs) {
  std::int64_t bytes = 0;
  for (const Job& job : jobs) bytes += static_cast<std::int64_t>(job.source.size_bytes);
  return bytes;
}

void RecordDone(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                std::int64_t task_id, const std::vector<DoneJob>& done, Tally& tally) {
  if (done.empty()) return;
  std::vector<std::int64_t> ids, sizes, times;
  std::vector<std::string> etags, proofs, source_etags, versions;
  for (const DoneJob& job : done) {
    ids.push_back(job.job_id);
    etags.push_back(job.destination_etag);
    proofs.push_back(job.proof);
    source_etags.push_back(job.source.etag);
    sizes.push_back(static_cast<std::int64_t>(job.source.size_bytes));
    times.push_back(job.source.modified_ms);
    versions.push_back(job.source.version);
  }
  std::vector<std::int64_t> written;
  for (const pg::Row row : tx.Execute("queries/record_done", run_id, worker_id, task_id, ids, etags,
                                      proofs, source_etags, sizes, times, versions)) {
    written.push_back(row.Get<std::int64_t>("job_id"));
  }
  std::sort(written.begin(), written.end());
  for (const DoneJob& job : done) {
    if (!std::binary_search(written.begin(), written.end(), job.job_id)) continue;
    const auto bytes = static_cast<std::int64_t>(job.source.size_bytes);
    tally.in_flight -= 1;
    tally.bytes_in_flight -= static_cast<std::int64_t>(job.size_bytes);
    if (job.adopted) {
      tally.adopted += 1;
    } else {
      tally.done += 1;
      tally.bytes_done += bytes;
    }
  }
}

// By job and upload.
using PartsReturned = std::set<std::pair<std::int64_t, std::string>>;

// A part's failure counts only together with its return: recorded a second time, after a commit of
// which nobody heard, it is none.
void RecordFailures(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                    int attempts_max, const std::vector<FailedJob>& failed,
                    const PartsReturned& returned, Tally& tally, Recorded& recorded) {
  std::vector<std::int64_t> ids, pauses;
  std::vector<std::string> errors, uploads;
  std::vector<bool> costs, futile;
  for (const FailedJob& job : failed) {
    if (!job.upload_id.empty() && !returned.contains({job.job_id, job.upload_id})) continue;
    ids.push_back(job.job_id);
    errors.push_back(EscapeBytes(job.error));
    pauses.push_back(job.pause.count());
    costs.push_back(job.costs_attempt);
    futile.push_back(job.futile);
    uploads.push_back(job.upload_id);
  }
  if (ids.empty()) return;
  for (const pg::Row row : tx.Execute("queries/record_failures", run_id, worker_id, attempts_max,
                                      ids, errors, pauses, costs, futile, uploads)) {
    const auto id = row.Get<std::int64_t>("job_id");
    const auto bytes = row.Get<std::int64_t>("size_bytes");
    tally.in_flight -= 1;
    tally.bytes_in_flight -= bytes;
    if (row.Get<std::string>("state") == "dead") {
      tally.dead += 1;
      std::string error;
      for (const FailedJob& job : failed) {
        if (job.job_id == id) error = job.error;
      }
      recorded.dead.push_back({id, std::move(error)});
    } else {
      tally.retry_wait += 1;
      tally.bytes_pending += bytes;
      tally.retries += 1;
      recorded.retried.push_back(id);
    }
  }
}

void RecordVerdicts(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                    std::int64_t task_id, const std::vector<JobVerdict>& verdicts, Tally& tally) {
  if (verdicts.empty()) return;
  std::vector<std::int64_t> ids;
  std::vector<std::string> states, reasons, standing;
  for (const JobVerdict& verdict : verdicts) {
    ids.push_back(verdict.job_id);
    states.push_back(verdict.state);
    reasons.push_back(verdict.reason);
    standing.emplace_back(
        ToString(verdict.being_restored ? Verdict::kBeingRestored : Verdict::kArchived));
  }
  for (const pg::Row row : tx.Execute("queries/record_verdicts", run_id, worker_id, task_id, ids,
                                      states, reasons, standing)) {
    if (row.Get<bool>("split")) {
      DeleteParts(tx, run_id, row.Get<std::int64_t>("job_id"), tally);
    }
    tally.in_flight -= 1;
    tally.bytes_in_flight -= row.Get<std::int64_t>("size_bytes");
    (row.Get<std::string>("state") == "archived" ? tally.archived : tally.vanished) += 1;
  }
}

void RecordParts(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                 const std::vector<FinishedPart>& parts, Tally& tally) {
  if (parts.empty()) return;
  std::vector<std::int64_t> ids, numbers;
  std::vector<std::string> etags, upload_ids, checksums;
  std::vector<pg::Bytes> md5s;
  for (const FinishedPart& part : parts) {
    ids.push_back(part.job_id);
    numbers.push_back(part.number);
    etags.push_back(part.etag);
    md5s.push_back(pg::Bytes{part.md5});
    upload_ids.push_back(part.upload_id);
    checksums.push_back(part.checksum);
  }
  for (const pg::Row row : tx.Execute("queries/record_parts", run_id, worker_id, ids, numbers,
                                      etags, md5s, upload_ids, checksums)) {
    tally.parts_in_flight -= row.Get<std::int64_t>("parts");
    tally.parts_done += row.Get<std::int64_t>("parts");
  }
}

PartsReturned ReturnParts(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                          const std::vector<ReturnedPart>& parts, Tally& tally) {
  PartsReturned returned;
  if (parts.empty()) return returned;
  std::vector<std::int64_t> ids, numbers;
  std::vector<std::string> upload_ids;
  for (const ReturnedPart& part : parts) {
    ids.push_back(part.job_id);
    numbers.push_back(part.number);
    upload_ids.push_back(part.upload_id);
  }
  for (const pg::Row row :
       tx.Execute("queries/return_parts", run_id, worker_id, ids, numbers, upload_ids)) {
    returned.emplace(row.Get<std::int64_t>("job_id"), row.Get<std::string>("upload_id"));
    tally.parts_in_flight -= 1;
    tally.parts_pending += 1;
  }
  return returned;
}

// Parts that were not sent, of objects that are dead: nobody will send them in this run. Those that
// are done stay, for the next run goes on from them.
void DropPartsOfDead(pg::Transaction& tx, std::int64_t run_id,
                     const std::vector<std::int64_t>& job_ids, Tally& tally) {
  if (job_ids.empty()) return;
  tally.parts_pending -=
      static_cast<std::int64_t>(tx.Execute("queries/drop_parts_of_dead", run_id, job_ids).size());
}

// Several workers write of one object while it is in parts.
void LockJobs(pg::Transaction& tx, std::int64_t run_id, const Outcomes& outcomes) {
  std::vector<std::int64_t> ids;
  for (const FinishedPart& part : outcomes.parts) ids.push_back(part.job_id);
  for (const ReturnedPart& part : outcomes.returned_parts) ids.push_back(part.job_id);
  for (const auto& [job_id, number] : outcomes.lost_parts) ids.push_back(job_id);
  for (const FailedJob& job : outcomes.failed) ids.push_back(job.job_id);
  for (const DoneJob& job : outcomes.done) ids.push_back(job.job_id);
  for (const JobVerdict& job : outcomes.verdicts) ids.push_back(job.job_id);
  for (const FinishedDelete& job : outcomes.deletes) ids.push_back(job.job_id);
  if (!ids.empty()) tx.Execute("queries/lock_jobs", run_id, ids);
}

// REQUIRES: before the object itself is recorded as failed, which ends our hold on it.
void RecordLostParts(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                     const Outcomes& outcomes, Tally& tally) {
  if (outcomes.lost_parts.empty()) return;
  std::vector<std::int64_t> ids, numbers;
  for (const auto& [job_id, number] : outcomes.lost_parts) {
    ids.push_back(job_id);
    numbers.push_back(number);
  }
  tally.parts_pending += static_cast<std::int64_t>(
      tx.Execute("queries/reopen_parts", run_id, worker_id, ids, numbers).size());
}

}  // namespace

void AnalyzeJobs(pg::Session& session, std::int64_t run_id) {
  session.Transact([&](pg::Transaction& tx) { tx.Execute("queries/analyze_jobs", run_id); });
}

void AddJobs(pg::Transaction& tx, std::int64_t run_id, const std::vector<NewJob>& jobs) {
  if (jobs.empty()) return;
  pg::CopyWriter rows(
      tx, "job",
      {"run_id", "job_id", "key", "action", "reason", "state", "size_bytes", "source_etag",
       "source_modified_at", "source_version", "error", "finished_at"});
  for (const NewJob& job : jobs) {
    const bool final = !job.final_state.empty();
    const pg::Timestamp modified{job.source.modified_ms * 1000};
    rows.Add(run_id, job.job_id, job.key, job.action == Action::kVerify ? "verify" : "copy",
             job.reason, final ? job.final_state : std::string("pending"), job.source.size_bytes,
             job.source.etag, modified, job.source.version,
             final ? std::optional<std::string>(job.error) : std::nullopt,
             final ? std::optional<std::string>("now") : std::nullopt);
  }
  rows.Finish();
}

JobQueue::JobQueue(pg::Session& session, std::int64_t worker_id, int attempts_max)
    : session_(session), worker_id_(worker_id), attempts_max_(attempts_max) {}

JobQueue::JobQueue(std::unique_ptr<pg::Session> session, std::int64_t worker_id, int attempts_max)
    : owned_(std::move(session)),
      session_(*owned_),
      worker_id_(worker_id),
      attempts_max_(attempts_max) {}

std::vector<Job> JobQueue::ClaimJobs(std::int64_t run_id, std::int64_t& cursor,
                                     std::int64_t limit) {
  std::vector<Job> jobs = Write([&](pg::Transaction& tx) {
    auto claimed =
        ReadJobs(run_id, tx.Execute("queries/claim_jobs", run_id, cursor, limit, worker_id_));
    if (claimed.empty()) return claimed;
    const auto count = static_cast<std::int64_t>(claimed.size());
    const std::int64_t bytes = SumBytes(claimed);
    AddTally(
        tx, run_id, worker_id_,
        {.pending = -count, .in_flight = count, .bytes_pending = -bytes, .bytes_in_flight = bytes});
    return claimed;
  });
  for (const Job& job : jobs) cursor = std::max(cursor, job.job_id);
  return Hold(run_id, std::move(jobs));
}

std::int64_t JobQueue::LastJobId(std::int64_t run_id) {
  return session_.Transact([&](pg::Transaction& tx) {
    const pg::Rows rows = tx.Execute("queries/last_job_id", run_id);
    return rows.empty() ? 0 : rows[0].Get<std::int64_t>("job_id");
  });
}

std::vector<Job> JobQueue::ClaimRetries(std::int64_t run_id, std::int64_t limit) {
  std::vector<Job> jobs = Write([&](pg::Transaction& tx) {
    auto claimed = ReadJobs(run_id, tx.Execute("queries/claim_retries", run_id, limit, worker_id_));
    if (claimed.empty()) return claimed;
    const auto count = static_cast<std::int64_t>(claimed.size());
    const std::int64_t bytes = SumBytes(claimed);
    AddTally(tx, run_id, worker_id_,
             {.in_flight = count,
              .retry_wait = -count,
              .bytes_pending = -bytes,
              .bytes_in_flight = bytes});
    return claimed;
  });
  return Hold(run_id, std::move(jobs));
}

std::vector<Job> JobQueue::ClaimCompletions(std::int64_t run_id, std::int64_t limit) {
  return Hold(run_id, Write([&](pg::Transaction& tx) {
                auto claimed = ReadJobs(
                    run_id, tx.Execute("queries/claim_completions", run_id, limit, worker_id_));
                // No level changes; but by its tally a worker is known to work on the run, and what
                // it holds is taken back when it is lost.
                if (!claimed.empty()) AddTally(tx, run_id, worker_id_, {});
                return claimed;
              }));
}

std::vector<Job> JobQueue::Hold(std::int64_t run_id, std::vector<Job> jobs) {
  for (const Job& job : jobs) held_[run_id].jobs.insert(job.job_id);
  return jobs;
}

bool JobQueue::LetGo(std::int64_t run_id, const Outcomes& outcomes) {
  Held& held = held_[run_id];
  for (const DoneJob& job : outcomes.done) held.jobs.erase(job.job_id);
  for (const FailedJob& job : outcomes.failed) held.jobs.erase(job.job_id);
  for (const JobVerdict& job : outcomes.verdicts) held.jobs.erase(job.job_id);
  for (const FinishedDelete& job : outcomes.deletes) held.jobs.erase(job.job_id);
  return !held.jobs.empty();
}

std::vector<PartJob> JobQueue::ClaimParts(std::int64_t run_id, std::int64_t limit) {
  Held& held = held_[run_id];
  std::vector<PartJob> parts = ClaimPartsFrom(run_id, limit, held.first_job);
  // Parts that come back, or come late, lie below.
  if (parts.empty() && held.first_job > 0) parts = ClaimPartsFrom(run_id, limit, 0);
  held.first_job = parts.empty() ? 0 : parts.front().job_id;
  for (const PartJob& part : parts) held.first_job = std::min(held.first_job, part.job_id);
  return parts;
}

std::vector<PartJob> JobQueue::ClaimPartsFrom(std::int64_t run_id, std::int64_t limit,
                                              std::int64_t first_job) {
  return Write([&](pg::Transaction& tx) {
    std::vector<PartJob> parts;
    for (const pg::Row row :
         tx.Execute("queries/claim_parts", run_id, limit, worker_id_, first_job)) {
      PartJob part;
      part.run_id = run_id;
      part.job_id = row.Get<std::int64_t>("job_id");
      part.key = row.Get<Key>("key");
      part.source.etag = row.Get<std::string>("source_etag");
      part.source.size_bytes = row.Get<std::uint64_t>("size_bytes");
      part.source.version = row.Get<std::string>("source_version");
      part.attempts = row.Get<int>("attempts");
      part.upload_id = row.Get<std::string>("upload_id");
      part.part.number = static_cast<std::uint32_t>(row.Get<int>("number"));
      part.part.first_byte = row.Get<std::uint64_t>("first_byte");
      part.part.size_bytes = row.Get<std::uint64_t>("part_size_bytes");
      parts.push_back(std::move(part));
    }
    if (!parts.empty()) {
      const auto count = static_cast<std::int64_t>(parts.size());
      AddTally(tx, run_id, worker_id_, {.parts_pending = -count, .parts_in_flight = count});
    }
    return parts;
  });
}

Recorded JobQueue::Record(std::int64_t run_id, std::int64_t task_id, const Outcomes& outcomes) {
  const bool holds_more = LetGo(run_id, outcomes);
  const bool merge = held_[run_id].records++ % kRecordsToMerge == 0;
  return Write([&](pg::Transaction& tx) {
    Recorded recorded;
    Tally tally = outcomes.traffic;
    LockJobs(tx, run_id, outcomes);
    RecordParts(tx, run_id, worker_id_, outcomes.parts, tally);
    const PartsReturned returned =
        ReturnParts(tx, run_id, worker_id_, outcomes.returned_parts, tally);
    RecordLostParts(tx, run_id, worker_id_, outcomes, tally);
    RecordDone(tx, run_id, worker_id_, task_id, outcomes.done, tally);
    RecordFailures(tx, run_id, worker_id_, attempts_max_, outcomes.failed, returned, tally,
                   recorded);
    RecordVerdicts(tx, run_id, worker_id_, task_id, outcomes.verdicts, tally);
    std::vector<std::int64_t> perhaps_dead;
    for (const auto& [job_id, upload_id] : returned) perhaps_dead.push_back(job_id);
    for (const BuriedJob& dead : recorded.dead) perhaps_dead.push_back(dead.job_id);
    DropPartsOfDead(tx, run_id, perhaps_dead, tally);
    const bool deleted = RecordDeletes(tx, run_id, worker_id_, task_id, outcomes.deletes, tally);
    if (!outcomes.settled_intents.empty()) {
      tx.Execute("queries/forget_uploads", outcomes.settled_intents);
    }
    // The run before the tally, as whoever closes it does: else each could wait for the other.
    const bool closed = tx.Execute("queries/lock_run", run_id).One().Get<bool>("finished");
    if (deleted) tx.Execute("queries/mark_changed", run_id);
    AddTally(tx, run_id, worker_id_, tally);
    if (merge) tx.Execute("queries/merge_tallies", run_id, worker_id_);
    // Whoever still holds an object of a run need not add up whether something of it is left.
    recorded.run_closed = (closed || !holds_more) && ferry::CloseIfFinal(tx, run_id);
    return recorded;
  });
}

std::vector<DeleteJob> JobQueue::ReadDeletes(std::int64_t run_id, std::int64_t task_id,
                                             const std::vector<std::int64_t>& job_ids) {
  return ferry::ReadDeletes(session_, run_id, task_id, job_ids);
}

std::int64_t JobQueue::Requeue(pg::Transaction& tx, std::int64_t run_id,
                               const std::vector<std::int64_t>& workers,
                               const std::vector<bool>& lost) {
  Tally tally;
  std::int64_t jobs = 0, parts = 0;
  std::vector<std::int64_t> perhaps_dead;
  for (const pg::Row row : tx.Execute("queries/requeue_jobs", run_id, workers, lost, kLossesMax)) {
    const auto bytes = row.Get<std::int64_t>("size_bytes");
    jobs += 1;
    tally.in_flight -= 1;
    tally.bytes_in_flight -= bytes;
    if (row.Get<std::string>("state") == "dead") {
      tally.dead += 1;
      perhaps_dead.push_back(row.Get<std::int64_t>("job_id"));
    } else {
      tally.retry_wait += 1;
      tally.bytes_pending += bytes;
    }
  }
  // Each of those that were lost with it may have written it.
  if (tally.dead > 0) tx.Execute("queries/mark_changed", run_id);
  for (const pg::Row row : tx.Execute("queries/requeue_parts", run_id, workers)) {
    parts += 1;
    perhaps_dead.push_back(row.Get<std::int64_t>("job_id"));
  }
  tally.parts_pending = parts;
  tally.parts_in_flight = -parts;
  DropPartsOfDead(tx, run_id, perhaps_dead, tally);
  if (tally != Tally{}) AddTally(tx, run_id, worker_id_, tally);
  return jobs + parts;
}

std::int64_t JobQueue::RequeueLost(std::int64_t run_id) {
  return Write([&](pg::Transaction& tx) -> std::int64_t {
    std::vector<std::int64_t> workers;
    std::vector<bool> lost;
    for (const pg::Row row : tx.Execute("queries/find_lost_workers", run_id)) {
      workers.push_back(row.Get<std::int64_t>("worker_id"));
      lost.push_back(row.Get<bool>("lost"));
    }
    return workers.empty() ? 0 : Requeue(tx, run_id, workers, lost);
  });
}

void JobQueue::ReleaseAll(std::int64_t run_id) {
  Write([&](pg::Transaction& tx) { return Requeue(tx, run_id, {worker_id_}, {false}); });
  held_.erase(run_id);
}

void JobQueue::SayWaiting(std::int64_t run_id) {
  Write([&](pg::Transaction& tx) {
    // Of a closed run nobody adds tallies up any more.
    if (tx.Execute("queries/hold_run", run_id).empty()) return;
    AddTally(tx, run_id, worker_id_, {}, Advance::kInAnyCase);
  });
}

bool JobQueue::CloseIfFinal(std::int64_t run_id) {
  return Write([&](pg::Transaction& tx) { return ferry::CloseIfFinal(tx, run_id); });
}

bool JobQueue::FailRun(std::int64_t run_id, const std::string& error) {
  return Write(
      [&](pg::Transaction& tx) { return FailRunUnlessOthersWork(tx, run_id, error, worker_id_); });
}

std::vector<OpenRun> JobQueue::FindOpenRuns(const std::vector<std::string>& tasks) {
  return ferry::FindOpenRuns(session_, tasks);
}

RunState JobQueue::ReadRun(std::int64_t run_id) { return ferry::ReadRun(session_, run_id); }

}  // namespace ferry
