// What one worker adds to one run: levels as differences, totals as increments.
//
// Levels (pending, in_flight, retry_wait, parts_*, bytes_pending, bytes_in_flight) may be negative
// in one worker's row: only the sum over a run means something.
#pragma once

#include <cstdint>

#include "batch/pg/session.h"

namespace ferry {

struct Tally {
  std::int64_t source_objects = 0;
  std::int64_t planned = 0;
  std::int64_t pending = 0;
  std::int64_t in_flight = 0;
  std::int64_t retry_wait = 0;
  std::int64_t done = 0;
  std::int64_t adopted = 0;
  std::int64_t deleted = 0;
  std::int64_t dead = 0;
  std::int64_t vanished = 0;
  std::int64_t archived = 0;
  std::int64_t bytes_planned = 0;
  std::int64_t bytes_pending = 0;
  std::int64_t bytes_in_flight = 0;
  std::int64_t bytes_done = 0;
  std::int64_t parts_pending = 0;
  std::int64_t parts_in_flight = 0;
  std::int64_t parts_done = 0;
  std::int64_t source_bytes_read = 0;
  std::int64_t destination_bytes_written = 0;
  std::int64_t retries = 0;
  std::int64_t requests_source = 0;
  std::int64_t requests_destination = 0;

  friend bool operator==(const Tally&, const Tally&) = default;
};

// Whether the run comes forward by it: by what it counts, or in any case.
enum class Advance { kByWhatItCounts, kInAnyCase };

// Part of the transaction whose rows it speaks of.
void AddTally(pg::Transaction& tx, std::int64_t run_id, std::int64_t worker_id, const Tally& tally,
              Advance advance = Advance::kByWhatItCounts);

}  // namespace ferry
