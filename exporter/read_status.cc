#include <optional>

#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "exporter/session_guard.h"
#include "exporter/status.h"

namespace ferry::exporter {
namespace {

constexpr int kRunsShown = 5;   // of each task
constexpr int kDeadShown = 20;  // of each task

RunStatus ReadRun(const pg::Row& row, Detail detail) {
  const auto count = [&](std::string_view column) { return row.Get<std::int64_t>(column); };
  RunStatus run{.task = row.Get<std::string>("task"),
                .run = count("run"),
                .state = row.Get<std::string>("state"),
                .active = row.Get<bool>("active"),
                .started_at = row.Get<std::string>("started_at"),
                .seconds = row.Get<double>("seconds"),
                .planned = count("planned"),
                .waiting = count("pending") + count("retry_wait"),
                .in_flight = count("in_flight"),
                .done = count("done"),
                .adopted = count("adopted"),
                .dead = count("dead"),
                .vanished = count("vanished"),
                .archived = count("archived"),
                .bytes_planned = count("bytes_planned"),
                .bytes_done = count("bytes_done"),
                .error = {}};
  if (detail == Detail::kFull) {
    run.error = row.Get<std::optional<std::string>>("error").value_or("");
  }
  return run;
}

void ReadTasks(const Config& config, pg::Transaction& tx, Detail detail, Status* status) {
  if (!tx.Execute("metrics/database").One().Get<bool>("has_schema")) return;
  std::vector<std::string> names;
  for (const TaskConfig& task : config.tasks) names.push_back(task.name);
  for (const pg::Row row : tx.Execute("metrics/status_runs", names, kRunsShown)) {
    status->runs.push_back(ReadRun(row, detail));
  }
  if (detail == Detail::kPublic) return;
  for (const pg::Row row : tx.Execute("metrics/status_dead", names, kDeadShown)) {
    status->dead.push_back({.task = row.Get<std::string>("task"),
                            .run = row.Get<std::int64_t>("run"),
                            .key = row.Get<Key>("key"),
                            .attempts = row.Get<std::int64_t>("attempts"),
                            .error = row.Get<std::string>("error")});
  }
}

}  // namespace

Status ReadStatus(const Config& config, Database& database, Clock& clock, SteadyTime deadline,
                  const std::stop_token& stop, Detail detail) {
  Status status;
  try {
    const auto session = database.Connect(deadline);
    const SessionGuard guard(*session, clock, deadline, stop);
    session->Transact([&](pg::Transaction& tx) { ReadTasks(config, tx, detail, &status); },
                      {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly});
  } catch (const Error& error) {
    status = {};
    status.problem = detail == Detail::kFull ? error.what() : "the database cannot be read";
  }
  return status;
}

}  // namespace ferry::exporter
