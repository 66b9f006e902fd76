// What a worker does with runs whose window is closed: nothing but keep them.
#include "batch/base/log.h"
#include "batch/copy/worker.h"

namespace ferry {
namespace {

// A run that waits for its window is no run that is stuck: it comes forward all the same.
constexpr std::chrono::seconds kSayWaitingEvery{60};

}  // namespace

void Worker::KeepToWindows(SteadyTime now) {
  for (auto& [id, run] : runs_) {
    if (!run->MayStart()) continue;
    const std::string closed = parts_.limits.Closed(run->open.task_name);
    if (!closed.empty()) {
      Rest(*run, closed, now);
    } else if (run->rest) {
      GoOn(*run);
    }
  }
}

// What is in flight ends; what was claimed and not started goes back, for whoever is at work when
// the window opens.
void Worker::Rest(RunWork& run, const std::string& why, SteadyTime now) {
  const std::int64_t run_id = run.open.run_id;
  if (!run.rest) {
    run.rest.emplace();
    log::Info("nothing new is started: " + why,
              {{"task", run.open.task_name}, {"run", run_id}, {"in_flight", run.in_flight}});
  }
  run.StartNothingMore();
  if (!run.rest->gave_back && run.HoldsNothing()) {
    queue_->ReleaseAll(run_id);
    run.rest->gave_back = true;
  }
  if (now >= run.rest->next_word) {
    queue_->SayWaiting(run_id);
    run.rest->next_word = now + kSayWaitingEvery;
  }
}

void Worker::GoOn(RunWork& run) {
  log::Info("its window is open: going on",
            {{"task", run.open.task_name}, {"run", run.open.run_id}});
  run.rest.reset();
  run.next_poll = {};
  // What a store did before the pause says nothing of how long it has been away.
  run.outage = {};
}

}  // namespace ferry
