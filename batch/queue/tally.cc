#include "batch/queue/tally.h"

namespace ferry {

void AddTally(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id, const Tally& t,
              Advance advance) {
  tx.Execute("queries/add_tally", run_id, worker_id, t.source_objects, t.planned, t.pending,
             t.in_flight, t.retry_wait, t.done, t.adopted, t.deleted, t.dead, t.vanished,
             t.archived, t.bytes_planned, t.bytes_pending, t.bytes_in_flight, t.bytes_done,
             t.parts_pending, t.parts_in_flight, t.parts_done, t.source_bytes_read,
             t.destination_bytes_written, t.retries, t.requests_source, t.requests_destination,
             advance == Advance::kInAnyCase);
}

}  // namespace ferry
