// What workers tell each other about stores that throttle: one row for each endpoint, bucket and
// side, which travels with the heartbeat of the lease.
//
// A row says how many requests all workers together may have under way. Whoever was throttled sets
// it to its own limit times the live workers, never above what it is by now; from then on it grows
// by kSharedGrowthPerSecond, and each worker takes an equal share. So the sum over workers follows
// the one that met the limit, whoever joins or leaves, and a row that nobody renews stops mattering
// by itself. In between each worker finds its own way below its share (store/limiter.h).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

inline constexpr double kSharedGrowthPerSecond = 1;

struct ThrottleReport {
  std::string endpoint;
  std::string bucket;
  std::string side;                    // "source" or "destination"
  int requests_max = 1;                // of this worker
  std::chrono::milliseconds pause{0};  // until the store wants to be asked again
};

struct ThrottleShare {
  std::string endpoint;
  std::string bucket;
  std::string side;
  double requests_max = 1;  // for each worker
  std::chrono::milliseconds pause{0};
};

// Writes `reports`, each of another place, and reads what is known of all places, in one
// transaction. Throws Error.
std::vector<ThrottleShare> ExchangeThrottles(pg::Session& session,
                                             const std::vector<ThrottleReport>& reports);

}  // namespace ferry
