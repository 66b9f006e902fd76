// EventRuns: begins a run of events for each task whose keys wait, one after another, and plans it
// beside those of other tasks. Who works the runs off is not its matter.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "batch/app/plan_task.h"
#include "batch/base/mutex.h"

namespace ferry {

class EventRuns {
 public:
  // Begins at once, on threads of its own. Both outlive this object. Of context.tasks.
  EventRuns(const CommandContext& context, Engine& engine);
  // Waits for the planners: halt the engine before. Their runs stay as they are: see InterruptAll.
  ~EventRuns();
  EventRuns(const EventRuns&) = delete;
  EventRuns& operator=(const EventRuns&) = delete;

  // Set: it goes on no more, since the database was away for too long. From any thread.
  std::optional<Error> lost();

 private:
  // One task's run, from its beginning to its end.
  struct Current {
    Plan plan;
    std::atomic<bool> planned{false};
    std::jthread planner;  // last: ends before the others go
  };
  struct Watched {
    const TaskConfig* task = nullptr;
    std::unique_ptr<Current> current;
    int failures = 0;  // in a row
    SteadyTime next_try{};
    SteadyTime began{};  // of the last one
  };

  void Run();
  void LookOnce(pg::PatientSession& database);
  void Conclude(Watched& watched, pg::PatientSession& database);
  void ConcludeFailed(Watched& watched);
  void Begin(Watched& watched);

  const CommandContext& context_;
  Engine& engine_;
  std::map<std::string, Watched> watched_;

  Mutex mutex_;
  std::optional<Error> lost_ FERRY_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace ferry
