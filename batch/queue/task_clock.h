// What the hours of tasks go by: the time on the wall of their zones, and how many workers share a
// task. Both are the database's to say: it has the time zones, and sees all workers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

struct TaskClock {
  std::chrono::milliseconds of_week{0};  // since Monday at 00:00
  int workers = 0;                       // that are live and work on it
};

// By task. `zones` has the zone of each, which must be known. `worker_id` is who asks, and counts
// for each task; 0: nobody that works. Within a second. Throws Error.
std::map<std::string, TaskClock> ReadTaskClocks(pg::Session& session,
                                                const std::map<std::string, std::string>& zones,
                                                std::int64_t worker_id);

// Those that the time zone database of this server does not have, in order. Throws Error.
std::vector<std::string> FindUnknownZones(pg::Session& session,
                                          const std::vector<std::string>& zones);

}  // namespace ferry
