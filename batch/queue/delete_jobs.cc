#include "batch/queue/delete_jobs.h"

#include <utility>

#include "batch/pg/copy_writer.h"

namespace ferry {
namespace {

constexpr std::int64_t kSweepRows = 10'000;

pg::Timestamp ToTimestamp(std::int64_t unix_ms) { return pg::Timestamp{unix_ms * 1000}; }

}  // namespace

void AddExtras(pg::Transaction& tx, std::int64_t run_id, const std::vector<StagedExtra>& extras) {
  if (extras.empty()) return;
  pg::CopyWriter rows(tx, "extra",
                      {"run_id", "number", "key", "reason", "source_etag", "source_modified_at",
                       "destination_etag", "destination_size_bytes", "destination_modified_at"});
  for (const StagedExtra& extra : extras) {
    rows.Add(run_id, extra.number, extra.key, std::string(ReasonOf(extra.kind)), extra.brought.etag,
             ToTimestamp(extra.brought.modified_ms), extra.destination_etag,
             extra.destination_size_bytes, ToTimestamp(extra.destination_modified_ms));
  }
  rows.Finish();
}

std::int64_t PromoteExtras(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                           std::int64_t above, std::int64_t upto, std::int64_t first_job_id) {
  const auto count = static_cast<std::int64_t>(
      tx.Execute("queries/promote_extras", run_id, above, upto, first_job_id - 1).size());
  AddTally(tx, run_id, worker_id, {.planned = count, .pending = count});
  return count;
}

void DropExtras(pg::Transaction& tx, std::int64_t run_id,
                const std::vector<std::int64_t>& numbers) {
  if (!numbers.empty()) tx.Execute("queries/drop_extras", run_id, numbers);
}

std::int64_t CountEventDeletes(pg::Session& session, std::int64_t task_id) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_event_deletes", task_id).One().Get<std::int64_t>("deleted");
  });
}

void SweepExtras(pg::Session& session, std::int64_t run_id) {
  std::vector<std::pair<std::int64_t, std::int64_t>> left;  // run_id, highest number
  session.Transact([&](pg::Transaction& tx) {
    for (const pg::Row row : tx.Execute("queries/find_left_extras", run_id)) {
      left.emplace_back(row.Get<std::int64_t>("run_id"), row.Get<std::int64_t>("upto"));
    }
  });
  for (const auto& [of_run, upto] : left) {
    for (std::int64_t above = 0; above < upto; above += kSweepRows) {
      session.Transact([&, run = of_run](pg::Transaction& tx) {
        tx.Execute("queries/sweep_extras", run, above, above + kSweepRows);
      });
    }
  }
}

std::vector<DeleteJob> ReadDeletes(pg::Session& session, std::int64_t run_id, std::int64_t task_id,
                                   const std::vector<std::int64_t>& job_ids) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<DeleteJob> jobs;
    for (const pg::Row row : tx.Execute("queries/read_deletes", run_id, task_id, job_ids)) {
      DeleteJob job;
      job.job_id = row.Get<std::int64_t>("job_id");
      job.target.kind = row.Get<bool>("is_foreign") ? ExtraKind::kForeign : ExtraKind::kBrought;
      job.target.etag = row.Get<std::string>("destination_etag");
      job.target.size_bytes = row.Get<std::uint64_t>("destination_size_bytes");
      job.target.modified_ms = row.Get<std::int64_t>("destination_modified_ms");
      job.target.in_ledger = row.Get<bool>("in_ledger");
      jobs.push_back(std::move(job));
    }
    return jobs;
  });
}

bool RecordDeletes(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                   std::int64_t task_id, const std::vector<FinishedDelete>& deletes, Tally& tally) {
  if (deletes.empty()) return false;
  std::vector<std::int64_t> ids;
  std::vector<std::optional<std::string>> reasons;
  std::vector<bool> gone;
  for (const FinishedDelete& one : deletes) {
    ids.push_back(one.job_id);
    reasons.push_back(one.reason);
    gone.push_back(one.gone);
  }
  bool changed = false;
  for (const pg::Row row :
       tx.Execute("queries/record_deletes", run_id, worker_id, task_id, ids, reasons, gone)) {
    tally.in_flight -= 1;
    (row.Get<std::string>("state") == "done" ? tally.deleted : tally.vanished) += 1;
    changed = changed || row.Get<bool>("gone");
  }
  return changed;
}

}  // namespace ferry
