#include "batch/app/event_runs.h"

#include <algorithm>

#include "batch/app/plan_events.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/queue/event_table.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{500};
// Each has a thread and a connection to the database. Keys of more tasks wait.
constexpr std::int64_t kRunsMax = 32;
// After a run that failed.
constexpr milliseconds kPauseMin{2'000};
constexpr milliseconds kPauseMax{300'000};
constexpr int kDoublingsMax = 10;

milliseconds PauseAfter(int failures) {
  return std::min(kPauseMin * (1 << std::min(failures, kDoublingsMax)), kPauseMax);
}

}  // namespace

EventRuns::EventRuns(const CommandContext& context, Engine& engine)
    : context_(context), engine_(engine) {
  for (const TaskConfig* task : context.tasks) watched_[task->name].task = task;
  thread_ = std::jthread([this] { Run(); });
}

EventRuns::~EventRuns() = default;

std::optional<Error> EventRuns::lost() {
  const MutexLock lock(mutex_);
  return lost_;
}

void EventRuns::Run() {
  auto database =
      engine_.NewPatientSession(context_.config.transfer.outage_patience, engine_.halted());
  try {
    do {
      LookOnce(database);
    } while (context_.clock.SleepFor(kLookEvery, engine_.halted()));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) return;
    const MutexLock lock(mutex_);
    lost_ = error;
  }
}

void EventRuns::LookOnce(pg::PatientSession& database) {
  std::int64_t current = 0;
  std::vector<std::string> free;
  for (auto& [name, watched] : watched_) {
    if (watched.current && watched.current->planned) Conclude(watched, database);
    if (watched.current) {
      current += 1;
    } else if (context_.clock.SteadyNow() >= watched.next_try) {
      free.push_back(name);
    }
  }
  if (free.empty() || current >= kRunsMax) return;
  auto with_events =
      database.Do([&](pg::Session& session) { return FindEventTasks(session, free); });
  // Whoever waits longest first, or there were tasks that never had a turn.
  std::ranges::stable_sort(with_events, {},
                           [&](const std::string& name) { return watched_.at(name).began; });
  for (const std::string& name : with_events) {
    if (current++ >= kRunsMax) return;
    Begin(watched_.at(name));
  }
}

void EventRuns::Begin(Watched& watched) {
  watched.current = std::make_unique<Current>();
  watched.began = context_.clock.SteadyNow();
  Current& current = *watched.current;
  current.plan.task = watched.task;
  current.planner = std::jthread([this, &current] {
    CarryOutPlan(context_, engine_, RunKind::kEvent, PlanByEvents, current.plan);
    current.planned = true;
    engine_.WakeWorker();
  });
}

// A run that could not be planned, or that others closed.
void EventRuns::ConcludeFailed(Watched& watched) {
  const Plan& plan = watched.current->plan;
  const milliseconds pause = PauseAfter(watched.failures++);
  watched.next_try = context_.clock.SteadyNow() + pause;
  if (plan.error && plan.error->kind() != ErrorKind::kStopped) {
    log::Warn("events of the task cannot be seen to; they wait",
              {{"task", watched.task->name},
               {"again_in", std::chrono::duration_cast<std::chrono::seconds>(pause).count()},
               {"error", EscapeBytes(plan.error->what())}});
  }
  watched.current.reset();
}

void EventRuns::Conclude(Watched& watched, pg::PatientSession& database) {
  const Plan& plan = watched.current->plan;
  if (plan.error) return ConcludeFailed(watched);
  if (plan.run_id == 0) {  // another run goes on, or was faster
    watched.next_try = context_.clock.SteadyNow() + std::chrono::seconds(1);
    watched.current.reset();
    return;
  }
  const RunState run =
      database.Do([&](pg::Session& session) { return ReadRun(session, plan.begun.run_id); });
  if (!IsClosed(run.state)) return;
  log::Info("run of events ended", {{"task", watched.task->name},
                                    {"run", run.run_id},
                                    {"state", run.state},
                                    {"done", run.totals.done},
                                    {"deleted", run.totals.deleted},
                                    {"dead", run.totals.dead}});
  if (run.state == "failed") return ConcludeFailed(watched);
  watched.failures = 0;
  watched.current.reset();
}

}  // namespace ferry
