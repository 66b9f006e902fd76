// Engine: everything of this process that plans and copies, wired together; and the working under
// one term after another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/progress.h"
#include "batch/app/stores.h"
#include "batch/base/mutex.h"
#include "batch/copy/lane_pool.h"
#include "batch/copy/worker.h"
#include "batch/queue/planner_session.h"
#include "batch/queue/terms.h"

namespace ferry {

class Engine {
 public:
  // Connects, migrates, registers a worker. `context` outlives this object. Throws Error.
  explicit Engine(const CommandContext& context);

  Stores& stores() { return stores_; }
  Progress& progress() { return progress_; }

  // Works until `until` says so, under a new term whenever one was lost. Throws Error when the
  // database is away for longer than outage_patience, or refuses.
  Worker::End Work(const Worker::Until& until);
  // From any thread: what `until` asks may have changed.
  void WakeWorker();

  // The id of the current term; waits for a new one. Thread-safe. Throws Error.
  std::int64_t WorkerId() { return terms_.Current(context_.stop)->worker_id(); }

  // The id of the latest term, over or not.
  std::int64_t LatestWorkerId() const { return terms_.LatestId(); }

  // For one planner's thread.
  PlannerSession NewPlannerSession();
  // A session that waits for the database; `stop` ends the waiting.
  pg::PatientSession NewPatientSession(std::chrono::milliseconds patience, std::stop_token stop);

  // Loops for listings. They go on when a term ends.
  EventLoop& ListingLoop(std::int64_t index) {
    return listings_.loop(static_cast<std::size_t>(index));
  }
  void StopListings() { listings_.Stop(); }

 private:
  const CommandContext& context_;
  const std::unique_ptr<Database> database_;
  Stores stores_;
  const WorkerOptions options_;
  LanePool listings_;
  Terms terms_;
  Progress progress_;

  Mutex mutex_;
  Lanes* lanes_ FERRY_GUARDED_BY(mutex_) = nullptr;  // of the current term
};

}  // namespace ferry
