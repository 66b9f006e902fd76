// A schema with a task whose runs are opened and closed as a test says, and targets that are only
// written down.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "batch/base/error.h"
#include "batch/downstream/refresh_work.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {

// A target that keeps what it was called with, and answers as a test says.
class RecordingCall final : public Call {
 public:
  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds,
                      const std::stop_token& stop) override {
    const int others = ++under_way_;
    if (others > 1) overlapped = true;
    std::function<RefreshOutcome(const Occasion&, const std::stop_token&)> answer;
    {
      MutexLock lock(mutex_);
      made_.push_back(occasion);
      answer = answer_;
    }
    struct Leave {
      std::atomic<int>& count;
      ~Leave() { --count; }
    } const leave{under_way_};
    return answer ? answer(occasion, stop) : RefreshOutcome::kDone;
  }

  void AnswerWith(std::function<RefreshOutcome(const Occasion&, const std::stop_token&)> answer) {
    MutexLock lock(mutex_);
    answer_ = std::move(answer);
  }
  std::vector<Occasion> made() {
    MutexLock lock(mutex_);
    return made_;
  }

  std::atomic<bool> overlapped{false};

 private:
  Mutex mutex_;
  std::vector<Occasion> made_ FERRY_GUARDED_BY(mutex_);
  std::function<RefreshOutcome(const Occasion&, const std::stop_token&)> answer_
      FERRY_GUARDED_BY(mutex_);
  std::atomic<int> under_way_{0};
};

class DownstreamFixture : public QueueFixture {
 protected:
  DownstreamFixture() {
    TaskConfig task;
    task.name = "media";
    task.refresh = {"cdn"};
    task.notify = {"team"};
    config_.tasks = {task};
    config_.refresh_targets = {{"cdn", RcloneTarget{}}};
    config_.notify_targets = {{"team", WebhookTarget{}}};
  }

  SignalPlan Plan() const { return PlanOfHook(config_); }
  DownstreamParts Parts() {
    return {[this] { return std::make_unique<pg::Session>(database_.options()); }, config_, clock_,
            [this](const RefreshTarget& target) -> Call& { return refreshes_[target.name]; },
            [this](const NotifyTarget& target) -> Call& { return notices_[target.name]; }};
  }

  // A run that copied `jobs` objects and is complete.
  std::int64_t CompleteRun(int jobs) {
    const BegunRun run = QueueFixture::Plan(worker_, jobs);
    std::int64_t cursor = 0;
    JobQueue queue(session_, worker_, 3);
    Outcomes outcomes;
    for (const Job& job : queue.ClaimJobs(run.run_id, cursor, 1000)) {
      outcomes.done.push_back(Done(job));
    }
    if (jobs > 0) queue.Record(run.run_id, run.task_id, outcomes);
    return run.run_id;
  }
  // A run that has copied one of two objects and goes on.
  BegunRun HalfARun() {
    const BegunRun run = QueueFixture::Plan(worker_, 2);
    std::int64_t cursor = 0;
    JobQueue queue(session_, worker_, 3);
    Outcomes outcomes;
    outcomes.done = {Done(queue.ClaimJobs(run.run_id, cursor, 1).at(0))};
    queue.Record(run.run_id, run.task_id, outcomes);
    return run;
  }
  void Ask(const std::string& target = "cdn") {
    session_.Transact([&](pg::Transaction& tx) { RequestRefresh(tx, "media", target); });
  }
  template <typename T = std::int64_t>
  T OfRefresh(const std::string& what, const std::string& target = "cdn") {
    return QueueFixture::Ask<T>(
        ("select " + what + " as v from bucketferry.refresh where target = $1").c_str(), target);
  }
  void Refresh(const std::string& target = "cdn") {
    RefreshDue(Parts(), Plan(), *config_.FindRefreshTarget(target), stop_.get_token());
  }

  Config config_;
  SystemClock clock_;
  std::stop_source stop_;
  std::map<std::string, RecordingCall> refreshes_;
  std::map<std::string, RecordingCall> notices_;
  const std::int64_t worker_ = NewWorker();
};

}  // namespace ferry
