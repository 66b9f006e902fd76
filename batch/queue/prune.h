// Prune: history ends. What closed runs left undone, partitions of jobs and parts that are past,
// and rows of runs and workers that nothing reads any more. And what processes counted that died is
// added up (queue/process_totals.h).
//
// Done in small transactions beside everything else: each is bounded, waits for no lock longer
// than a second, and what cannot be done now is left to the next process. Lifetime totals are kept
// in the rows of tasks, so no counter goes down; the latest run of each state stays.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "batch/pg/session.h"

namespace ferry {

struct Pruned {
  std::int64_t jobs = 0;  // undone ones of closed runs
  std::int64_t partitions = 0;
  std::int64_t runs = 0;
  std::int64_t workers = 0;
  std::int64_t processes = 0;  // that died, whose totals were added up
  std::int64_t messages = 0;   // set aside long ago

  friend bool operator==(const Pruned&, const Pruned&) = default;
};

// Runs that ended longer than `history` ago go, and what belongs to them. Does at least one
// transaction of each kind, and ends early after that when a stop is requested. Of several that
// prune at a time one does it. Throws Error.
Pruned PruneHistory(pg::Session& session, std::chrono::milliseconds history,
                    const std::stop_token& stop);

}  // namespace ferry
