// run, plan and retry: planners, with a worker beside them or without.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "batch/app/commands.h"
#include "batch/app/engine.h"
#include "batch/app/plan_task.h"
#include "batch/app/run_summary.h"
#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"
#include "batch/app/tidy.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

// The last line about a task, and its exit code.
int Conclude(pg::Session& session, const Plan& plan, bool stopped) {
  if (plan.begun.skipped) {
    fmt::print("{}: skipped, run {} is still going\n", plan.task->name, plan.begun.other_run);
    return kExitSkipped;
  }
  if (plan.run_id == 0) {
    if (!plan.error || plan.error->kind() == ErrorKind::kStopped) return kExitStopped;
    std::fprintf(stderr, "bucketferry: %s\n", plan.error->what());
    return plan.error->kind() == ErrorKind::kConfig ? kExitUsage : kExitFailed;
  }
  const RunState run = ReadRun(session, plan.run_id);
  SayRun(session, *plan.task, plan.begun.task_id, run);
  if (run.state == "complete") return kExitDone;
  if (run.state == "incomplete") return kExitIncomplete;
  if (run.state == "failed") return kExitFailed;
  // A planner that gave up and could not even say so: the next run closes this one.
  return plan.error && !stopped ? kExitFailed : kExitStopped;
}

// What became of the runs stands in the database and nowhere else: one that is away is waited for.
pg::PatientSession ToConclude(const CommandContext& context, Engine& engine, bool stopped) {
  return engine.NewPatientSession(
      stopped ? kStoppedPatience : context.config.transfer.outage_patience,
      stopped ? std::stop_token() : context.stop);
}

int CannotConclude(const Error& error, bool stopped) {
  std::fprintf(stderr, "bucketferry: %s\n", error.what());
  return stopped || error.kind() == ErrorKind::kStopped ? kExitStopped : kExitFailed;
}

// All tasks' last lines.
int ConcludeAll(const CommandContext& context, Engine& engine,
                const std::vector<std::unique_ptr<Plan>>& plans, bool stopped) {
  log::SetStatus("");
  auto database = ToConclude(context, engine, stopped);
  std::vector<int> codes;
  try {
    for (const auto& plan : plans) {
      if (stopped && plan->run_id != 0) {
        database.Do([&](pg::Session& session) {
          InterruptRun(session, plan->run_id, engine.LatestWorkerId());
        });
      }
      codes.push_back(
          database.Do([&](pg::Session& session) { return Conclude(session, *plan, stopped); }));
    }
  } catch (const Error& error) {
    return CannotConclude(error, stopped);
  }
  return CombineExitCodes(codes);
}

// `plan` has no worker: what it began is left for others.
int ConcludePlan(const CommandContext& context, Engine& engine, const Plan& plan) {
  const bool stopped = context.stop.stop_requested();
  auto database = ToConclude(context, engine, stopped);
  const auto conclude = [&](pg::Session& session) -> int {
    if (plan.error && plan.error->kind() == ErrorKind::kStopped && plan.run_id != 0) {
      InterruptRun(session, plan.run_id, engine.LatestWorkerId());
    }
    if (plan.run_id == 0 || plan.error) return Conclude(session, plan, stopped);
    const RunState run = ReadRun(session, plan.run_id);
    fmt::print("{}: run {} {}: {} objects planned, {} bytes, {} adopted; {} at the source\n",
               plan.task->name, run.run_id, run.state, run.totals.planned, run.totals.bytes_planned,
               run.totals.adopted, run.totals.source_objects);
    if (run.error) std::fprintf(stderr, "bucketferry: %s\n", run.error->c_str());
    if (run.totals.dead > 0) SayDead(session, *plan.task, plan.begun.task_id, run);
    return ExitCodeOfPlan(run.state);
  };
  try {
    return database.Do(conclude);
  } catch (const Error& error) {
    return CannotConclude(error, stopped);
  }
}

// A pattern that cannot be, or a file of patterns or keys that is not there, is told before
// anything begins.
void CheckSelections(const CommandContext& context) {
  for (const TaskConfig* task : context.tasks) {
    FilterOf(*task, context.clock.WallNow());
    CheckListFile(*task);
  }
}

// More tasks than that wait for their turn: each planner has connections to the database, and pages
// of both its listings.
constexpr std::size_t kPlannersMax = 8;

// Planners side by side, and a worker for what they plan.
int PlanAndWork(const CommandContext& context, RunKind kind, const PlanBody& body) {
  Engine engine(context);
  std::vector<std::unique_ptr<Plan>> plans;
  std::atomic<std::size_t> planning{context.tasks.size()};
  std::vector<std::string> names;
  for (const TaskConfig* task : context.tasks) {
    names.push_back(task->name);
    plans.push_back(std::make_unique<Plan>());
    plans.back()->task = task;
  }
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> planners;
  while (planners.size() < std::min(plans.size(), kPlannersMax)) {
    planners.emplace_back([&] {
      for (std::size_t i = next++; i < plans.size(); i = next++) {
        CarryOutPlan(context, engine, kind, body, *plans[i]);
        planning -= 1;
        engine.WakeWorker();
      }
    });
  }
  const SteadyTime began = context.clock.SteadyNow();
  Worker::Until until;
  until.tasks = names;
  until.accepts = [&](const OpenRun& run) {
    return std::any_of(plans.begin(), plans.end(),
                       [&](const auto& plan) { return plan->run_id == run.run_id && !plan->over; });
  };
  until.more_may_come = [&] { return planning > 0; };
  until.enough = [&] {
    return context.line.stop_after && context.clock.SteadyNow() - began >= *context.line.stop_after;
  };
  std::optional<Error> lost;
  Worker::End end = Worker::End::kStopped;
  try {
    end = engine.Work(until);
  } catch (const Error& error) {
    lost = error;
  }
  // What planners still wait for ends now, unless they may go on.
  if (end != Worker::End::kDrained || lost) engine.Halt();
  planners.clear();  // joins
  if (lost) {
    std::fprintf(stderr, "bucketferry: %s\n", lost->what());
    return kExitFailed;
  }
  // A planner may have heard of the stop before the worker did.
  const bool stopped = end != Worker::End::kDrained || context.stop.stop_requested();
  const int code = ConcludeAll(context, engine, plans, stopped);
  engine.FinishSignals();
  if (end == Worker::End::kWithdrawn) return SayGivenUp(engine);
  // Of a task that another run is at work on, that one tidies.
  if (!stopped && code != kExitSkipped) TidyAfterwards(context, engine);
  return code;
}

}  // namespace

int CombineExitCodes(const std::vector<int>& codes) {
  for (const int code : {kExitUsage, kExitFailed, kExitIncomplete, kExitStopped, kExitSkipped}) {
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) return code;
  }
  return kExitDone;
}

int ExitCodeOfPlan(std::string_view state) {
  if (state == "incomplete") return kExitIncomplete;
  // Others worked on it already, and what they met ended it.
  if (state == "failed") return kExitFailed;
  if (state == "interrupted") return kExitStopped;
  return kExitDone;
}

int RunTasks(const CommandContext& context) {
  CheckSelections(context);
  if (context.line.dry_run) return DryRun(context);
  return PlanAndWork(context, RunKind::kScheduled, PlanByListing);
}

int RetryDead(const CommandContext& context) {
  return PlanAndWork(context, RunKind::kRetry, PlanByDeadJobs);
}

int PlanTasks(const CommandContext& context) {
  CheckSelections(context);
  Engine engine(context);
  const std::stop_callback halt(context.stop, [&] { engine.Halt(); });
  std::vector<int> codes;
  for (const TaskConfig* task : context.tasks) {
    if (context.stop.stop_requested()) {
      codes.push_back(kExitStopped);
      break;
    }
    Plan plan;
    plan.task = task;
    CarryOutPlan(context, engine, RunKind::kScheduled, PlanByListing, plan);
    codes.push_back(ConcludePlan(context, engine, plan));
  }
  engine.FinishSignals();
  return CombineExitCodes(codes);
}

int Migrate(const CommandContext& context) {
  const auto database = Database::Open(context.config);
  fmt::print("the database schema is up to date\n");
  return kExitDone;
}

}  // namespace ferry
