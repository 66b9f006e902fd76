#include "batch/app/tidy.h"

#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/janitor.h"
#include "batch/queue/run_table.h"

namespace ferry {
namespace {

// It may be left to the next run: a database that is away is not waited for long.
constexpr std::chrono::seconds kDatabasePatience{20};

Tidied TidyTask(const CommandContext& context, Engine& engine, const TaskConfig& task,
                pg::Session& session) {
  const auto task_id = FindTask(session, PlaceOf(task));
  if (!task_id) return {};
  TidyOrder order;
  order.task_id = *task_id;
  order.worker_id = engine.WorkerId();
  order.source_prefix = task.source.prefix;
  order.destination_prefix = task.destination.prefix;
  order.abandoned_after = context.config.transfer.abandoned_after;
  const auto ends = engine.stores().MakeWith(engine.listings().loop(), task.name, Patience::kShort);
  return TidyUploads(session, order, ends->ends(), context.stop);
}

void Say(const TaskConfig& task, const Tidied& tidied) {
  if (tidied.gone > 0) {
    log::Info("uploads that nobody goes on with are no more",
              {{"task", task.name}, {"uploads", tidied.gone}});
  }
  if (tidied.problem) {
    log::Warn("uploads that nobody goes on with may be left at the destination",
              {{"task", task.name}, {"uploads", tidied.left}, {"error", tidied.problem->what()}});
  }
}

}  // namespace

void TidyAfterwards(const CommandContext& context, Engine& engine) {
  for (const TaskConfig* task : context.tasks) {
    if (context.stop.stop_requested()) return;
    try {
      auto database = engine.NewPatientSession(kDatabasePatience, context.stop);
      Tidied tidied;
      database.Do(
          [&](pg::Session& session) { tidied = TidyTask(context, engine, *task, session); });
      Say(*task, tidied);
    } catch (const Error& error) {
      log::Warn("could not look for uploads that nobody goes on with",
                {{"task", task->name}, {"error", error.what()}});
    }
  }
}

}  // namespace ferry
