#include "batch/app/run_summary.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "batch/app/commands.h"
#include "batch/app/dead_lines.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

// "3 deleted, ": only of tasks that delete.
std::string DeletesOf(const TaskConfig& task, const Tally& totals) {
  if (task.delete_mode == DeleteMode::kNever && totals.deleted == 0) return "";
  return fmt::format("{} deleted, ", totals.deleted);
}

}  // namespace

void SayRun(pg::Session& session, const TaskConfig& task, std::int64_t task_id,
            const RunState& run) {
  const Tally& t = run.totals;
  fmt::print(
      "{}: run {} {}: {} of {} planned objects copied, {} bytes, {}{} adopted, {} dead, {} "
      "vanished, {} archived; {} at the source; {:.1f} s\n",
      task.name, run.run_id, run.state, t.done, t.planned, t.bytes_done, DeletesOf(task, t),
      t.adopted, t.dead, t.vanished, t.archived, t.source_objects, run.seconds);
  if (run.error) std::fprintf(stderr, "bucketferry: %s\n", run.error->c_str());
  if (t.dead > 0) SayDead(session, task, task_id, run);
}

void SayDead(pg::Session& session, const TaskConfig& task, std::int64_t task_id,
             const RunState& run) {
  for (const std::string& line : DeadLines(session, task_id, run.run_id)) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fprintf(stderr, "%lld dead objects in run %lld of task %s\n",
               static_cast<long long>(run.totals.dead), static_cast<long long>(run.run_id),
               task.name.c_str());
}

int SayGivenUp(Engine& engine) {
  std::fprintf(stderr, "bucketferry: %s\n", engine.progress().given_up().value_or("").c_str());
  return kExitFailed;
}

void InterruptRuns(const Worker::Until& until, Engine& engine) {
  try {
    auto database = engine.NewPatientSession(kStoppedPatience, {});
    database.Do([&](pg::Session& session) {
      for (const OpenRun& run : FindOpenRuns(session, until.tasks)) {
        if (until.accepts(run)) InterruptRun(session, run.run_id, engine.LatestWorkerId());
      }
    });
  } catch (const Error& error) {
    // Shown as interrupted all the same once the lease has run out.
    log::Warn("could not say that the run is interrupted", {{"error", error.what()}});
  }
}

}  // namespace ferry
