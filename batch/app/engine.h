// Engine: everything of this process that plans and copies, wired together; and the working under
// one term after another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/process_report.h"
#include "batch/app/progress.h"
#include "batch/app/stores.h"
#include "batch/base/mutex.h"
#include "batch/copy/lane_pool.h"
#include "batch/copy/worker.h"
#include "batch/downstream/downstream.h"
#include "batch/queue/planner_session.h"
#include "batch/queue/terms.h"

namespace ferry {

class Engine {
 public:
  // Connects, migrates, registers a worker. `context` outlives this object. Throws Error.
  explicit Engine(const CommandContext& context);
  // Writes down what this process counted, when the database can be reached.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Stores& stores() { return stores_; }
  Progress& progress() { return progress_; }

  // Works until `until` says so, under a new term whenever one was lost. Throws Error when the
  // database is away for longer than outage_patience, or refuses.
  Worker::End Work(const Worker::Until& until);
  // From any thread: what `until` asks may have changed.
  void WakeWorker();

  // This process is at work on a run: people are told of it, and downstream is refreshed, where its
  // task leaves that to the run. From any thread; twice is once.
  void Watch(const TaskConfig& task, std::int64_t run_id);
  // At the end of a command, after its runs were closed: what is due downstream is done, or said
  // not to be.
  void FinishSignals();

  // The id of the current term; waits for a new one until halted. Thread-safe. Throws Error.
  std::int64_t WorkerId() { return terms_.Current(halted())->worker_id(); }

  // The id of the latest term, over or not.
  std::int64_t LatestWorkerId() const { return terms_.LatestId(); }

  // For one planner's thread.
  PlannerSession NewPlannerSession();
  // One that does not. From any thread. Throws Error.
  std::unique_ptr<pg::Session> Connect() { return database_->Connect(); }
  // A session that waits for the database; `stop` ends the waiting.
  pg::PatientSession NewPatientSession(std::chrono::milliseconds patience, std::stop_token stop);

  // Loops for listings. They go on when a term ends.
  LanePool& listings() { return listings_; }
  // Planners and listings of this process end soon; a stop of the whole process does it too.
  void Halt() {
    halt_.request_stop();
    listings_.Stop();
  }
  std::stop_token halted() const { return halt_.get_token(); }

 private:
  void Beat(pg::Session& session, std::int64_t worker_id);

  const CommandContext& context_;
  const std::unique_ptr<Database> database_;
  Stores stores_;
  ProcessReport report_;
  const WorkerOptions options_;
  LanePool listings_;
  Terms terms_;
  Progress progress_;
  std::optional<Downstream> downstream_;

  std::stop_source halt_;
  const std::stop_callback<std::function<void()>> halt_at_stop_{context_.stop,
                                                                [this] { halt_.request_stop(); }};

  Mutex mutex_;
  Lanes* lanes_ FERRY_GUARDED_BY(mutex_) = nullptr;  // of the current term
};

}  // namespace ferry
