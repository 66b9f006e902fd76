// status: runs and counts, for people and for programs.
#include <fmt/format.h>

#include <algorithm>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/json_key.h"
#include "batch/app/status_text.h"
#include "batch/app/task_hours.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/queue/history.h"

namespace ferry {
namespace {

struct TaskStatus {
  const TaskConfig* task = nullptr;
  TaskRuns history;
  std::string closed;  // why nothing new is copied now; empty: no window is closed
};

Json ToJson(const RunRecord& run) {
  const Tally& totals = run.totals;
  Json json;
  json["run"] = run.run_id;
  json["state"] = run.state;
  json["started_at"] = run.started_at;
  json["finished_at"] = OrNull(run.finished_at);
  json["objects"] = {{"source", totals.source_objects},
                     {"planned", totals.planned},
                     {"pending", totals.pending},
                     {"in_flight", totals.in_flight},
                     {"retry_wait", totals.retry_wait},
                     {"done", totals.done},
                     {"adopted", totals.adopted},
                     {"deleted", totals.deleted},
                     {"dead", totals.dead},
                     {"vanished", totals.vanished},
                     {"archived", totals.archived}};
  json["bytes"] = {{"planned", totals.bytes_planned}, {"done", totals.bytes_done}};
  json["retries"] = totals.retries;
  json["requests"] = {{"source", totals.requests_source},
                      {"destination", totals.requests_destination}};
  json["error"] = OrNull(run.error);
  return json;
}

std::string ToJsonText(const std::vector<TaskStatus>& all) {
  Json tasks = Json::array();
  for (const TaskStatus& status : all) {
    Json runs = Json::array();
    for (const RunRecord& run : status.history.runs) runs.push_back(ToJson(run));
    tasks.push_back(
        {{"task", status.task->name}, {"active", status.history.active}, {"runs", runs}});
    if (!status.closed.empty()) tasks.back()["waiting"] = status.closed;
  }
  return ToLine({{"tasks", tasks}});
}

std::vector<std::string> ToCells(const RunRecord& run) {
  const Tally& totals = run.totals;
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return {number(run.run_id),
          run.state,
          HumanMoment(run.started_at),
          HumanTime(run.seconds),
          number(totals.source_objects),
          number(totals.planned),
          number(totals.done),
          number(totals.adopted),
          number(totals.deleted),
          number(totals.dead),
          number(totals.vanished),
          number(totals.archived),
          HumanBytes(static_cast<double>(totals.bytes_done)),
          run.error ? OneLine(*run.error) : ""};
}

// "run 7 copying: 45 % of 1.2 GiB, 12 of 30 objects, 5.0 MiB/s on average"
std::string DescribeProgress(const RunRecord& run, const std::string& closed) {
  const Tally& totals = run.totals;
  const auto final_objects = totals.done + totals.deleted + totals.dead + totals.vanished;
  const bool by_bytes = totals.bytes_planned > 0;
  const auto whole = static_cast<double>(by_bytes ? totals.bytes_planned : totals.planned);
  const auto done = static_cast<double>(by_bytes ? totals.bytes_done : final_objects);
  const double percent = whole > 0 ? std::min(100.0, 100.0 * done / whole) : 0.0;
  const double rate = static_cast<double>(totals.bytes_done) / std::max(run.seconds, 0.001);
  return fmt::format("run {} {}: {:.0f} % of {}{}, {} of {} objects done, {}/s on average{}{}",
                     run.run_id, run.state, percent,
                     HumanBytes(static_cast<double>(totals.bytes_planned)),
                     run.state == "planning" ? " planned so far" : "", totals.done, totals.planned,
                     HumanBytes(rate), closed.empty() ? "" : "; ", closed);
}

void PrintForPeople(const TaskStatus& status) {
  const TaskConfig& task = *status.task;
  const std::vector<RunRecord>& runs = status.history.runs;
  PrintLine(fmt::format("{}: {} -> {}{}", task.name, SourceName(task), DestinationName(task),
                        runs.empty()            ? ", never ran"
                        : status.history.active ? ", active"
                                                : ""));
  for (const RunRecord& run : runs) {
    if (run.active) PrintLine("  " + DescribeProgress(run, status.closed));
  }
  if (runs.empty()) return;
  std::vector<std::vector<std::string>> rows = {{"run", "state", "started", "duration", "source",
                                                 "planned", "done", "adopted", "deleted", "dead",
                                                 "vanished", "archived", "copied", "error"}};
  for (const RunRecord& run : runs) rows.push_back(ToCells(run));
  for (const std::string& line : AlignedTable(rows)) PrintLine("  " + line);
}

// Of tasks that a run is active of. What the database does not say is left out.
void AskWhetherClosed(const CommandContext& context, Database& database, pg::Session& session,
                      std::vector<TaskStatus>& all) {
  TaskHours hours(context.config, context.clock);
  try {
    CheckTimeZones(context.config, database);
    hours.Ask(session, /*worker_id=*/0);
  } catch (const Error& error) {
    log::Warn("whether windows are open is not known", {{"error", error.what()}});
    return;
  }
  for (TaskStatus& status : all) {
    if (status.history.active) status.closed = hours.Closed(status.task->name);
  }
}

}  // namespace

int ShowStatus(const CommandContext& context) {
  std::vector<TaskStatus> all;
  for (const TaskConfig* task : context.tasks) all.push_back({task, {}, {}});
  if (const auto database = Database::OpenExisting(context.config)) {
    const auto session = database->Connect();
    for (TaskStatus& status : all) {
      status.history = ReadRuns(*session, status.task->name, context.line.runs);
    }
    AskWhetherClosed(context, *database, *session, all);
  }
  if (context.line.json) {
    PrintLine(ToJsonText(all));
  } else {
    for (const TaskStatus& status : all) {
      if (&status != &all.front()) PrintLine("");
      PrintForPeople(status);
    }
  }
  FlushLines();
  return kExitDone;
}

}  // namespace ferry
