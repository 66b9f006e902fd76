// work: a worker without a planner, for runs that others planned.
#include <map>

#include "batch/app/commands.h"
#include "batch/app/engine.h"
#include "batch/app/lost_planners.h"
#include "batch/app/run_summary.h"
#include "batch/app/task_parts.h"
#include "batch/app/tidy.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

// Between two looks at whether a planner is back.
constexpr std::chrono::seconds kLostPlannerPause{1};

// The runs that this process has worked on, or was about to.
using WorkedOn = std::map<std::int64_t, OpenRun>;

// Of each run that came to its end meanwhile a line, and what it says of the exit code: whoever
// works for a plan is perhaps the only one to look.
int ConcludeWork(const CommandContext& context, pg::Session& session, const WorkedOn& runs) {
  std::vector<int> codes;
  for (const auto& [run_id, open] : runs) {
    const RunState run = ReadRun(session, run_id);
    if (!IsClosed(run.state)) continue;
    SayRun(session, *context.config.FindTask(open.task_name), open.task_id, run);
    if (run.state == "incomplete") codes.push_back(kExitIncomplete);
    if (run.state == "failed") codes.push_back(kExitFailed);
  }
  return CombineExitCodes(codes);
}

}  // namespace

int WorkOnTasks(const CommandContext& context) {
  Engine engine(context);
  const SteadyTime began = context.clock.SteadyNow();
  WorkedOn worked_on;
  Worker::Until until;
  for (const TaskConfig* task : context.tasks) until.tasks.push_back(task->name);
  until.accepts = [&](const OpenRun& run) {
    const TaskConfig* task = context.config.FindTask(run.task_name);
    if (task == nullptr || !IsGenerationOf(*task, run.place)) return false;
    engine.Watch(*task, run.run_id);
    if (!context.line.forever) worked_on.try_emplace(run.run_id, run);
    return true;
  };
  until.more_may_come = [&] { return context.line.forever; };
  until.enough = [&] {
    return context.line.stop_after && context.clock.SteadyNow() - began >= *context.line.stop_after;
  };
  LostPlanners lost(2 * context.config.transfer.lease);
  Worker::End end = Worker::End::kStopped;
  while ((end = engine.Work(until)) == Worker::End::kDrained) {
    auto database = engine.NewPatientSession(context.config.transfer.outage_patience, context.stop);
    // What others still work on is nothing to wait for: it would be given up again.
    const bool given_up = engine.progress().given_up().has_value();
    const bool wait = !given_up && database.Do([&](pg::Session& session) {
      std::vector<OpenRun> runs = FindOpenRuns(session, until.tasks);
      std::erase_if(runs, [&](const OpenRun& run) { return !until.accepts(run); });
      return lost.MayComeBack(runs, context.clock.SteadyNow());
    });
    if (!wait) {
      log::SetStatus("");
      const int code = database.Do(
          [&](pg::Session& session) { return ConcludeWork(context, session, worked_on); });
      if (!given_up) log::Info("nothing left to do");
      engine.FinishSignals();
      TidyAfterwards(context, engine);
      return given_up ? SayGivenUp(engine) : code;
    }
    context.clock.SleepFor(kLostPlannerPause, context.stop);
  }
  InterruptRuns(until, engine);
  return end == Worker::End::kWithdrawn ? SayGivenUp(engine) : kExitStopped;
}

}  // namespace ferry
