#include "batch/queue/task_clock.h"

namespace ferry {
namespace {

// It goes with the renewal of a lease, which must not wait.
constexpr std::chrono::milliseconds kStatementTimeout{1000};

}  // namespace

std::map<std::string, TaskClock> ReadTaskClocks(pg::Session& session,
                                                const std::map<std::string, std::string>& zones,
                                                std::int64_t worker_id) {
  std::vector<std::string> tasks, zone_of;
  for (const auto& [task, zone] : zones) {
    tasks.push_back(task);
    zone_of.push_back(zone);
  }
  const auto read = [&](pg::Transaction& tx) {
    std::map<std::string, TaskClock> clocks;
    for (const pg::Row row : tx.Execute("queries/read_task_clocks", tasks, zone_of, worker_id)) {
      TaskClock& clock = clocks[row.Get<std::string>("task")];
      clock.of_week = std::chrono::milliseconds(row.Get<std::int64_t>("of_week_ms"));
      clock.workers = row.Get<int>("workers");
    }
    return clocks;
  };
  return session.Transact(read, {.statement_timeout = kStatementTimeout});
}

std::vector<std::string> FindUnknownZones(pg::Session& session,
                                          const std::vector<std::string>& zones) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<std::string> unknown;
    for (const pg::Row row : tx.Execute("queries/find_unknown_zones", zones)) {
      unknown.push_back(row.Get<std::string>("zone"));
    }
    return unknown;
  });
}

}  // namespace ferry
