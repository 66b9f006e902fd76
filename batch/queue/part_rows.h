// Rows of parts that are worth nothing any more.
#pragma once

#include <cstdint>

#include "batch/pg/session.h"
#include "batch/queue/tally.h"

namespace ferry {

// All parts of an object whose upload is no more, and takes them off the levels in `tally`. Part of
// the caller's transaction.
void DeleteParts(pg::Transaction& tx, std::int64_t run_id, std::int64_t job_id, Tally& tally);

}  // namespace ferry
