// LostPlanners: which plans may still be finished although their planner has no lease.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "batch/base/clock.h"
#include "batch/queue/run_table.h"

namespace ferry {

// A planner whose database was away for longer than its lease goes on under another one as soon as
// it can: whoever looks between the two sees a plan without a planner. One thread at a time.
class LostPlanners {
 public:
  // `patience`: for how long a planner that has no lease may come back, from the first look on.
  explicit LostPlanners(std::chrono::milliseconds patience) : patience_(patience) {}

  // Whether one of `runs` is worth waiting for: planned by somebody, or lost not long ago.
  bool MayComeBack(const std::vector<OpenRun>& runs, SteadyTime now) {
    bool may = false;
    for (const OpenRun& run : runs) {
      if (run.planner_alive || !run.planning) {
        since_.erase(run.run_id);
        may = true;
        continue;
      }
      const auto [lost, is_new] = since_.try_emplace(run.run_id, now);
      may = may || now - lost->second < patience_;
    }
    return may;
  }

 private:
  const std::chrono::milliseconds patience_;
  std::map<std::int64_t, SteadyTime> since_;
};

}  // namespace ferry
