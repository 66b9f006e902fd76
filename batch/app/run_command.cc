// run, plan, work and retry: planners and a worker in one process, in any combination.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <thread>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/progress.h"
#include "batch/app/stores.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/planner.h"
#include "batch/copy/worker.h"

namespace ferry {
namespace {

// Everything of this process that copies.
struct Engine {
  explicit Engine(const CommandContext& context)
      : database(Database::Open(context.config)),
        stores(context.config, context.environment, context.clock),
        options(WorkerOptionsOf(context.config.transfer)),
        lanes(LaneCount(), options.ring_bytes, stores, context.clock),
        lease([this] { return database->Connect(); }, context.clock,
              {context.config.transfer.lease,
               [this](pg::Session& session) { stores.ShareThrottles(session); }}),
        progress(context.clock) {}

  std::unique_ptr<Database> database;
  Stores stores;
  WorkerOptions options;
  LanePool lanes;
  WorkerLease lease;
  Progress progress;
};

// One task's run in this process, from its planner's view.
struct Plan {
  const TaskConfig* task = nullptr;
  BegunRun begun;
  std::atomic<std::int64_t> run_id{0};  // 0: not begun
  std::atomic<bool> over{false};        // given up: nothing of it is worked on any more
  std::optional<Error> error;
};

using PlanBody = std::function<void(const CommandContext&, Engine&, pg::Session&, Plan&)>;

void PlanByListing(const CommandContext& context, Engine& engine, pg::Session& session,
                   Plan& plan) {
  const TaskConfig& task = *plan.task;
  const KeyFilter filter = FilterOf(task);
  EventLoop& loop = engine.lanes.loop(static_cast<std::size_t>(plan.begun.run_id));
  const auto ends = engine.stores.MakeWith(loop, task.name, Patience::kOutage);
  const Ends two = ends->ends();
  ListingStream source(loop, two.source, task.source.prefix, SourceName(task));
  ListingStream destination(loop, two.destination, task.destination.prefix, DestinationName(task));
  LedgerStream ledger(
      [&](const Key& after, std::int64_t limit) {
        return ReadLedger(session, plan.begun.task_id, after, limit);
      },
      task.source.prefix);
  PlanWriter writer(session, {plan.begun.run_id, plan.begun.task_id, engine.lease.worker_id()},
                    context.clock);
  Compare({source, destination, ledger, filter, AdoptPolicyOf(task), two.destination_provider,
           task.source.prefix, task.destination.prefix},
          context.stop, [&](const Found& found) { writer.Add(found); });
  writer.Finish();
  // What the listings asked; where nothing is to be copied no worker says so.
  RequestCounters& counters = engine.stores.Counters(task.name);
  Tally requests;
  requests.requests_source = counters.source.exchange(0);
  requests.requests_destination = counters.destination.exchange(0);
  session.Transact([&](pg::Transaction& tx) {
    AddTally(tx, plan.begun.run_id, engine.lease.worker_id(), requests);
  });
  log::Info("planned", {{"task", task.name},
                        {"run", plan.begun.run_id},
                        {"source_objects", writer.totals().source_objects},
                        {"planned", writer.totals().planned},
                        {"bytes", writer.totals().bytes_planned},
                        {"adopted", writer.totals().adopted}});
}

void PlanByDeadJobs(const CommandContext&, Engine& engine, pg::Session& session, Plan& plan) {
  const auto last = FindLastClosedRun(session, plan.begun.task_id);
  if (!last) return;
  const std::int64_t count =
      CopyDeadJobs(session, plan.begun.run_id, last->run_id, engine.lease.worker_id());
  log::Info("planned", {{"task", plan.task->name},
                        {"run", plan.begun.run_id},
                        {"planned", count},
                        {"of_run", last->run_id}});
}

// A run whose planner gave up must not look as if it were still planning. While the database is
// away it is asked again, for as long as this process may write.
void FailPatiently(const CommandContext& context, Engine& engine, const Plan& plan,
                   const std::string& why) {
  while (engine.lease.Trusted()) {
    try {
      const auto session = engine.database->Connect();
      FailRun(*session, plan.begun.run_id, EscapeBytes(why));
      return;
    } catch (const Error& error) {
      log::Warn("could not close the run as failed", {{"error", error.what()}});
    }
    if (!context.clock.SleepFor(std::chrono::seconds(1), context.stop)) return;
  }
}

void CarryOutPlan(const CommandContext& context, Engine& engine, RunKind kind, const PlanBody& body,
                  Plan& plan) {
  std::unique_ptr<pg::Session> session;
  try {
    session = engine.database->Connect();
    plan.begun = BeginRun(*session, PlaceOf(*plan.task), kind, engine.lease.worker_id());
    if (plan.begun.skipped) {
      log::Warn("another run of this task is still going; this one is skipped",
                {{"task", plan.task->name},
                 {"run", plan.begun.run_id},
                 {"other_run", plan.begun.other_run}});
      return;
    }
    engine.progress.Watch(plan.task->name, plan.begun.run_id);
    plan.run_id = plan.begun.run_id;
    log::Info("run started", {{"task", plan.task->name},
                              {"run", plan.begun.run_id},
                              {"source", SourceName(*plan.task)},
                              {"destination", DestinationName(*plan.task)}});
    body(context, engine, *session, plan);
    FinishPlanning(*session, plan.begun.run_id);
  } catch (const Error& error) {
    plan.error = error;
    plan.over = true;
    if (context.stop.stop_requested()) return;
    log::Debug("could not plan", {{"task", plan.task->name}, {"error", error.what()}});
    if (plan.run_id != 0) FailPatiently(context, engine, plan, error.what());
  }
}

void SayDead(pg::Session& session, const Plan& plan, const RunState& run) {
  const std::vector<DeadObject> dead = ListDead(session, run.run_id);
  for (const DeadObject& object : dead) {
    std::fprintf(stderr, "dead: %s: %s\n", Escape(object.key).c_str(), object.error.c_str());
  }
  if (dead.size() < 20) {
    for (const Key& key : ListRefusedKeys(session, plan.begun.task_id)) {
      const bool named = std::any_of(dead.begin(), dead.end(),
                                     [&](const DeadObject& object) { return object.key == key; });
      if (!named) {
        std::fprintf(stderr, "dead: %s: the destination cannot hold this key\n",
                     Escape(key).c_str());
      }
    }
  }
  std::fprintf(stderr, "%lld dead objects in run %lld of task %s\n",
               static_cast<long long>(run.totals.dead), static_cast<long long>(run.run_id),
               plan.task->name.c_str());
}

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
  const Tally& t = run.totals;
  fmt::print(
      "{}: run {} {}: {} of {} planned objects copied, {} bytes, {} adopted, {} dead, {} vanished, "
      "{} archived; {} at the source; {:.1f} s\n",
      plan.task->name, run.run_id, run.state, t.done, t.planned, t.bytes_done, t.adopted, t.dead,
      t.vanished, t.archived, t.source_objects, run.seconds);
  if (run.error) std::fprintf(stderr, "bucketferry: %s\n", run.error->c_str());
  if (t.dead > 0) SayDead(session, plan, run);
  if (run.state == "complete") return kExitDone;
  if (run.state == "incomplete") return kExitIncomplete;
  if (run.state == "failed") return kExitFailed;
  // A planner that gave up and could not even say so: the next run closes this one.
  return plan.error && !stopped ? kExitFailed : kExitStopped;
}

// A pattern that cannot be, or a pattern file that is not there, is told before anything begins.
void CheckFilters(const CommandContext& context) {
  for (const TaskConfig* task : context.tasks) FilterOf(*task);
}

// Planners side by side, and a worker for what they plan.
int PlanAndWork(const CommandContext& context, RunKind kind, const PlanBody& body) {
  Engine engine(context);
  std::vector<std::unique_ptr<Plan>> plans;
  std::vector<std::jthread> planners;
  std::atomic<std::size_t> planning{context.tasks.size()};
  std::vector<std::string> names;
  for (const TaskConfig* task : context.tasks) {
    names.push_back(task->name);
    plans.push_back(std::make_unique<Plan>());
    plans.back()->task = task;
    planners.emplace_back([&, plan = plans.back().get()] {
      CarryOutPlan(context, engine, kind, body, *plan);
      planning -= 1;
      engine.lanes.Wake();
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
  bool stopped = false;
  try {
    Worker worker({[&] { return engine.database->Connect(); }, engine.lease, engine.lanes,
                   engine.stores, context.clock, engine.progress},
                  engine.options);
    stopped = worker.Run(until, context.stop) == Worker::End::kStopped;
  } catch (const Error& error) {
    lost = error;
  }
  // What planners still wait for ends now, unless they may go on.
  if (stopped || lost) engine.lanes.Stop();
  planners.clear();  // joins
  if (lost) {
    std::fprintf(stderr, "bucketferry: %s\n", lost->what());
    return kExitFailed;
  }
  const auto session = engine.database->Connect();
  std::vector<int> codes;
  for (const auto& plan : plans) {
    if (stopped && plan->run_id != 0) {
      InterruptRun(*session, plan->run_id, engine.lease.worker_id());
    }
    log::SetStatus("");
    codes.push_back(Conclude(*session, *plan, stopped));
  }
  return CombineExitCodes(codes);
}

}  // namespace

int CombineExitCodes(const std::vector<int>& codes) {
  for (const int code : {kExitUsage, kExitFailed, kExitIncomplete, kExitStopped, kExitSkipped}) {
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) return code;
  }
  return kExitDone;
}

int RunTasks(const CommandContext& context) {
  CheckFilters(context);
  if (context.line.dry_run) return DryRun(context);
  return PlanAndWork(context, RunKind::kScheduled, PlanByListing);
}

int RetryDead(const CommandContext& context) {
  return PlanAndWork(context, RunKind::kRetry, PlanByDeadJobs);
}

int PlanTasks(const CommandContext& context) {
  CheckFilters(context);
  Engine engine(context);
  const std::stop_callback halt(context.stop, [&] { engine.lanes.Stop(); });
  std::vector<int> codes;
  for (const TaskConfig* task : context.tasks) {
    Plan plan;
    plan.task = task;
    CarryOutPlan(context, engine, RunKind::kScheduled, PlanByListing, plan);
    const auto session = engine.database->Connect();
    if (plan.error && plan.error->kind() == ErrorKind::kStopped && plan.run_id != 0) {
      InterruptRun(*session, plan.run_id, engine.lease.worker_id());
    }
    if (plan.run_id != 0 && !plan.error) {
      const RunState run = ReadRun(*session, plan.run_id);
      fmt::print("{}: run {} {}: {} objects planned, {} bytes, {} adopted; {} at the source\n",
                 task->name, run.run_id, run.state, run.totals.planned, run.totals.bytes_planned,
                 run.totals.adopted, run.totals.source_objects);
      codes.push_back(run.state == "incomplete" ? kExitIncomplete : kExitDone);
      if (run.totals.dead > 0) SayDead(*session, plan, run);
    } else {
      codes.push_back(Conclude(*session, plan, context.stop.stop_requested()));
    }
  }
  return CombineExitCodes(codes);
}

int WorkOnTasks(const CommandContext& context) {
  Engine engine(context);
  const SteadyTime began = context.clock.SteadyNow();
  Worker::Until until;
  for (const TaskConfig* task : context.tasks) until.tasks.push_back(task->name);
  until.accepts = [&](const OpenRun& run) {
    const TaskConfig* task = context.config.FindTask(run.task_name);
    // Another generation: this configuration's buckets are not the run's.
    if (task == nullptr || task->source.bucket != run.place.source_bucket ||
        task->source.prefix != run.place.source_prefix ||
        task->destination.bucket != run.place.destination_bucket ||
        task->destination.prefix != run.place.destination_prefix) {
      return false;
    }
    engine.progress.Watch(run.task_name, run.run_id);
    return true;
  };
  until.more_may_come = [&] { return context.line.forever; };
  until.enough = [&] {
    return context.line.stop_after && context.clock.SteadyNow() - began >= *context.line.stop_after;
  };
  Worker worker({[&] { return engine.database->Connect(); }, engine.lease, engine.lanes,
                 engine.stores, context.clock, engine.progress},
                engine.options);
  if (worker.Run(until, context.stop) == Worker::End::kDrained) {
    log::Info("nothing left to do");
    return kExitDone;
  }
  const auto session = engine.database->Connect();
  for (const OpenRun& run : FindOpenRuns(*session, until.tasks)) {
    if (until.accepts(run)) InterruptRun(*session, run.run_id, engine.lease.worker_id());
  }
  return kExitStopped;
}

int Migrate(const CommandContext& context) {
  const auto database = Database::Open(context.config);
  fmt::print("the database schema is up to date\n");
  return kExitDone;
}

}  // namespace ferry
