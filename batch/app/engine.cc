#include "batch/app/engine.h"

#include <algorithm>

#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/queue/job_queue.h"

namespace ferry {

namespace {

// What is due downstream at the end of a command is tried for so long; then it is the next run's.
constexpr std::chrono::seconds kSignalPatience{30};
// Whoever ends has waited for the database before, where it was worth it.
constexpr std::chrono::milliseconds kLastWordsPatience{3000};

bool RaiseSignals(const std::vector<const TaskConfig*>& tasks) {
  return !PlanOfRun(tasks).empty() || std::any_of(tasks.begin(), tasks.end(), [](const auto* task) {
    return task->refresh_every.count() > 0;
  });
}

WorkerOptions OptionsOf(const Config& config) {
  WorkerOptions options = WorkerOptionsOf(config.transfer);
  options.deletes = DeletePoliciesOf(config);
  return options;
}

// And has it look at what only a database can say of the configuration.
std::unique_ptr<Database> OpenDatabase(const Config& config) {
  std::unique_ptr<Database> database = Database::Open(config);
  CheckTimeZones(config, *database);
  return database;
}

}  // namespace

Engine::Engine(const CommandContext& context)
    : context_(context),
      database_(OpenDatabase(context.config)),
      stores_(context.config, context.environment, context.clock),
      report_(stores_, context.clock),
      options_(OptionsOf(context.config)),
      listings_(LaneCount(), options_.ring_bytes, stores_, context.clock),
      terms_([this] { return database_->Connect(); }, context.clock,
             {context.config.transfer.lease,
              [this](pg::Session& session, std::int64_t id) { Beat(session, id); }},
             context.config.transfer.outage_patience),
      progress_(context.clock,
                [this](const std::string& task) { return stores_.hours().Closed(task); }) {
  if (!RaiseSignals(context.tasks)) return;
  downstream_.emplace(Downstream::Parts{[this] { return database_->Connect(); }, context.config,
                                        context.environment, context.clock},
                      PlanOfRun(context.tasks), Downstream::Asked::kHere);
}

Engine::~Engine() {
  try {
    NewPatientSession(kLastWordsPatience, {}).Do([this](pg::Session& session) {
      report_.End(session);
    });
  } catch (const Error& error) {
    log::Warn("could not write down the last of what this process counted",
              {{"error", error.what()}});
  }
}

// What travels with the lease. How many requests there may be is worth more than what there was.
void Engine::Beat(pg::Session& session, std::int64_t worker_id) {
  stores_.hours().Ask(session, worker_id);
  stores_.ShareThrottles(session);
  report_.Write(session);
}

Worker::End Engine::Work(const Worker::Until& until) {
  while (true) {
    std::shared_ptr<const Term> term;
    try {
      term = terms_.Current(context_.stop);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kStopped) return Worker::End::kStopped;
      throw;
    }
    // Lanes of its own for each term: what a lost one has in flight ends with them.
    LanePool lanes(LaneCount(), options_.ring_bytes, stores_, context_.clock,
                   [term] { return term->Trusted(); });
    {
      MutexLock lock(mutex_);
      lanes_ = &lanes;
    }
    const auto open_queue = [&] {
      return std::make_unique<JobQueue>(database_->Connect(), term->worker_id(),
                                        options_.attempts_max);
    };
    Worker worker({open_queue, *term, lanes, context_.clock, progress_, stores_, stores_.hours()},
                  options_);
    std::optional<Error> problem;
    Worker::End end = Worker::End::kLeaseLost;
    try {
      end = worker.Run(until, context_.stop);
    } catch (const Error& error) {
      problem = error;
    }
    {
      MutexLock lock(mutex_);
      lanes_ = nullptr;
    }
    if (problem) throw *problem;
    if (end != Worker::End::kLeaseLost) return end;
  }
}

void Engine::WakeWorker() {
  MutexLock lock(mutex_);
  if (lanes_ != nullptr) lanes_->Wake();
}

void Engine::Watch(const TaskConfig& task, std::int64_t run_id) {
  progress_.Watch(task.name, run_id);
  if (downstream_) downstream_->Watch(task, run_id);
}

void Engine::FinishSignals() {
  if (!downstream_ || downstream_->Finish(kSignalPatience, context_.stop)) return;
  log::Warn(
      context_.stop.stop_requested()
          ? "stopped before downstream knew of everything: the next run of the task tries again"
          : "downstream does not know of everything yet: the next run of the task tries again");
}

PlannerSession Engine::NewPlannerSession() {
  return PlannerSession({[this] { return database_->Connect(); }, [this] { return WorkerId(); },
                         context_.clock, context_.config.transfer.outage_patience, halted()});
}

pg::PatientSession Engine::NewPatientSession(std::chrono::milliseconds patience,
                                             std::stop_token stop) {
  return pg::PatientSession([this] { return database_->Connect(); }, context_.clock, patience,
                            std::move(stop));
}

}  // namespace ferry
