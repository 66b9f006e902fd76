// Deletes as rows: extras that wait for the end of their plan, the jobs they become, and what
// became of those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/pg/session.h"
#include "batch/plan/delete_guard.h"
#include "batch/queue/tally.h"

namespace ferry {

// An object at the destination that may be deleted; no worker sees it yet.
struct StagedExtra {
  std::int64_t number = 0;  // from 1, in key order
  Key key;                  // at the source, where it is not
  ExtraKind kind = ExtraKind::kBrought;
  SourceIdentity brought;  // what the ledger says; empty where it knows nothing
  std::string destination_etag;
  std::uint64_t destination_size_bytes = 0;
  std::int64_t destination_modified_ms = 0;
};

// Part of the caller's transaction.
void AddExtras(pg::Transaction& tx, std::int64_t run_id, const std::vector<StagedExtra>& extras);

// The extras with a number in (above, upto] become pending jobs, job_id = first_job_id + number -
// 1, with their tally. Part of the caller's transaction. Returns how many.
std::int64_t PromoteExtras(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                           std::int64_t above, std::int64_t upto, std::int64_t first_job_id);

// Extras that are none any more. Part of the caller's transaction.
void DropExtras(pg::Transaction& tx, std::int64_t run_id, const std::vector<std::int64_t>& numbers);

// What runs of events deleted since the pair's last scheduled run was planned: it counts for the
// limit of those to come.
std::int64_t CountEventDeletes(pg::Session& session, std::int64_t task_id);

// Removes the extras of this run, and what runs that failed left behind.
void SweepExtras(pg::Session& session, std::int64_t run_id);

// What a claimed delete may remove.
struct DeleteTarget {
  ExtraKind kind = ExtraKind::kBrought;
  std::string etag;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  bool in_ledger = false;  // the ledger holds this very object now
};
struct DeleteJob {
  std::int64_t job_id = 0;
  DeleteTarget target;
};
std::vector<DeleteJob> ReadDeletes(pg::Session& session, std::int64_t run_id, std::int64_t task_id,
                                   const std::vector<std::int64_t>& job_ids);

struct FinishedDelete {
  std::int64_t job_id = 0;
  std::optional<std::string> reason;  // why nothing was deleted; nullopt: it was
  bool gone = false;                  // the destination does not have it any more
};

// Part of the transaction that records outcomes; adds to `tally`. Returns whether the destination
// changed.
bool RecordDeletes(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id,
                   std::int64_t task_id, const std::vector<FinishedDelete>& deletes, Tally& tally);

}  // namespace ferry
