// listen: takes events of objects in, and brings over what they tell of, between the runs of the
// schedule.
#include <optional>

#include "batch/app/commands.h"
#include "batch/app/engine.h"
#include "batch/app/event_intake.h"
#include "batch/app/event_runs.h"
#include "batch/app/run_summary.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

CommandContext OfTasksWithEvents(const CommandContext& context) {
  CommandContext listening = context;
  std::erase_if(listening.tasks, [](const TaskConfig* task) { return !task->events.on(); });
  if (listening.tasks.empty()) {
    throw Error(ErrorKind::kConfig,
                "no task of the configuration, or none that was asked for, has `events`");
  }
  return listening;
}

}  // namespace

int Listen(const CommandContext& whole) {
  const CommandContext context = OfTasksWithEvents(whole);
  for (const TaskConfig* task : context.tasks) FilterOf(*task, context.clock.WallNow());
  Engine engine(context);
  const SteadyTime began = context.clock.SteadyNow();
  std::optional<EventIntake> intake(std::in_place, context, [&engine] { return engine.Connect(); });
  std::optional<EventRuns> runs(std::in_place, context, engine);
  Worker::Until until;
  for (const TaskConfig* task : context.tasks) until.tasks.push_back(task->name);
  until.accepts = [&](const OpenRun& run) {
    const TaskConfig* task = context.config.FindTask(run.task_name);
    if (!run.of_events || task == nullptr || !IsGenerationOf(*task, run.place)) return false;
    engine.Watch(*task, run.run_id);
    return true;
  };
  until.more_may_come = [] { return true; };
  until.enough = [&] {
    return runs->lost() || (context.line.stop_after &&
                            context.clock.SteadyNow() - began >= *context.line.stop_after);
  };
  std::optional<Error> lost;
  Worker::End end = Worker::End::kStopped;
  try {
    end = engine.Work(until);
  } catch (const Error& error) {
    lost = error;
  }
  intake.reset();
  engine.Halt();
  if (!lost) lost = runs->lost();
  runs.reset();  // waits for the planners
  log::SetStatus("");
  if (lost) {
    std::fprintf(stderr, "bucketferry: %s\n", lost->what());
    return kExitFailed;
  }
  InterruptRuns(until, engine);
  engine.FinishSignals();
  if (end == Worker::End::kWithdrawn) return SayGivenUp(engine);
  log::Info("listen stops");
  return kExitDone;
}

}  // namespace ferry
