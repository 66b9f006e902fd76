#include "batch/downstream/downstream.h"

#include <Poco/Runnable.h>

#include <algorithm>
#include <exception>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/downstream/notify_work.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{1000};
constexpr std::chrono::seconds kInterimEvery{15};
constexpr std::chrono::seconds kEndsEvery{10};
constexpr int kThreadsMax = 16;

}  // namespace

// One target called on a thread of the pool; deletes itself.
class Downstream::Errand final : public Poco::Runnable {
 public:
  Errand(Downstream& owner, std::string name, std::function<void(const std::stop_token&)> work)
      : owner_(owner), name_(std::move(name)), work_(std::move(work)) {}

  void run() override {
    const std::unique_ptr<Errand> self(this);
    try {
      work_(owner_.stop_.get_token());
    } catch (const std::exception& error) {
      if (!owner_.stop_.stop_requested()) {
        log::Warn("downstream: cannot go on for now", {{"for", name_}, {"error", error.what()}});
      }
    }
    MutexLock lock(owner_.mutex_);
    owner_.busy_.erase(name_);
    // The poller is not woken: where another process has the lease, each look would end here at
    // once.
    owner_.SomethingChanged();
  }

 private:
  Downstream& owner_;
  const std::string name_;
  const std::function<void(const std::stop_token&)> work_;
};

Downstream::Downstream(Parts parts, SignalPlan plan, Asked asked)
    : parts_(std::move(parts)),
      plan_(std::move(plan)),
      asked_(asked),
      work_{
          parts_.connect,
          parts_.config,
          parts_.clock,
          [this](const RefreshTarget& target) -> Call& { return *refresh_calls_.at(target.name); },
          [this](const NotifyTarget& target) -> Call& { return *notify_calls_.at(target.name); },
          [this] { return !closing_; }},
      threads_("downstream", 1, kThreadsMax) {
  for (const std::string& name : plan_.RefreshTargets()) {
    refresh_calls_[name] =
        MakeCall(*parts_.config.FindRefreshTarget(name), parts_.environment, parts_.clock);
  }
  for (const std::string& name : plan_.NotifyTargets()) {
    notify_calls_[name] =
        MakeCall(*parts_.config.FindNotifyTarget(name), parts_.environment, parts_.clock);
  }
  poller_ = std::thread([this] { Poll(stop_.get_token()); });
}

Downstream::~Downstream() {
  stop_.request_stop();
  Wake();
  poller_.join();
  threads_.joinAll();
}

void Downstream::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  look_.NotifyOne();
}

void Downstream::SomethingChanged() {
  open_.reset();
  ++changes_;
  changed_.NotifyAll();
}

void Downstream::Watch(const TaskConfig& task, std::int64_t run_id) {
  {
    MutexLock lock(mutex_);
    const auto [place, is_new] = watched_.try_emplace(run_id);
    if (!is_new) return;
    place->second.task = &task;
    SomethingChanged();
  }
  Wake();
}

bool Downstream::Finish(milliseconds patience, const std::stop_token& stop) {
  const SteadyTime deadline = parts_.clock.SteadyNow() + patience;
  MutexLock lock(mutex_);
  SomethingChanged();
  woken_ = true;
  look_.NotifyOne();
  while (!stop.stop_requested()) {
    if (busy_.empty() && open_ == 0) return true;
    // Somebody who is being called may take his time; no other one is called after him.
    const SteadyTime now = parts_.clock.SteadyNow();
    if (now >= deadline) closing_ = true;
    if (closing_ && busy_.empty()) return false;
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    changed_.WaitFor(mutex_, closing_ ? kLookEvery : std::min(left, kLookEvery));
  }
  return busy_.empty() && open_ == 0;
}

void Downstream::Poll(const std::stop_token& stop) {
  std::unique_ptr<pg::Session> session;
  bool away = false;
  while (!stop.stop_requested()) {
    try {
      if (!session) session = parts_.connect();
      LookAround(*session);
      if (away) log::Info("downstream: looking again");
      away = false;
    } catch (const std::exception& error) {
      session.reset();
      if (!away) log::Warn("downstream: cannot look for now", {{"error", error.what()}});
      away = true;
    }
    MutexLock lock(mutex_);
    if (!woken_ && !stop.stop_requested()) look_.WaitFor(mutex_, kLookEvery);
    woken_ = false;
  }
}

void Downstream::LookAround(pg::Session& session) {
  std::uint64_t changes_before = 0;
  {
    MutexLock lock(mutex_);
    changes_before = changes_;
  }
  if (asked_ == Asked::kHere) {
    FollowRuns(session);
    AskForOurselves(session);
  }
  if (!plan_.notify.empty() && parts_.clock.SteadyNow() >= next_ends_) {
    AnnounceEnds(session, plan_.NotifyTasks(), plan_.NotifyTargets());
    next_ends_ = parts_.clock.SteadyNow() + kEndsEvery;
  }
  for (const DueRefresh& due : FindDueRefreshes(session, plan_.RefreshPairs())) {
    const RefreshTarget* const target = parts_.config.FindRefreshTarget(due.target);
    FERRY_CHECK(target != nullptr);
    Start("refresh " + due.target,
          [this, target](const std::stop_token& stop) { RefreshDue(work_, plan_, *target, stop); });
  }
  for (const std::string& name :
       FindNotifyTargets(session, plan_.NotifyTasks(), plan_.NotifyTargets())) {
    const NotifyTarget* const target = parts_.config.FindNotifyTarget(name);
    FERRY_CHECK(target != nullptr);
    Start("notify " + name,
          [this, target](const std::stop_token& stop) { NotifyDue(work_, plan_, *target, stop); });
  }
  const std::int64_t open = CountOpen(session);
  MutexLock lock(mutex_);
  if (changes_ != changes_before) return;
  open_ = open;
  changed_.NotifyAll();
}

void Downstream::AskForOurselves(pg::Session& session) {
  const TaskTargets pairs = plan_.RefreshPairs();
  if (pairs.empty() || CountOpenRefreshes(session, pairs) == 0) return;
  session.Transact([&](pg::Transaction& tx) {
    for (const auto& [task, target] : pairs) RequestRefresh(tx, task, target);
  });
}

void Downstream::FollowRuns(pg::Session& session) {
  std::map<std::int64_t, Watched> watched;
  {
    MutexLock lock(mutex_);
    watched = watched_;
  }
  for (auto& [run_id, one] : watched) {
    if (one.ended) continue;
    FollowRun(session, run_id, one);
    MutexLock lock(mutex_);
    watched_[run_id] = one;
  }
}

void Downstream::FollowRun(pg::Session& session, std::int64_t run_id, Watched& watched) {
  const TaskConfig& task = *watched.task;
  const bool tells = std::ranges::find(plan_.notify, watched.task) != plan_.notify.end();
  watched.ended = session.Transact([&](pg::Transaction& tx) {
    const auto run = ReadRunFacts(tx, run_id);
    if (!run) return true;
    if (tells && !watched.announced) {
      AnnounceRun(tx, run_id, RunEvent::kStarted, task.name, task.notify);
    }
    if (tells && run->closed) AnnounceRun(tx, run_id, RunEvent::kEnded, task.name, task.notify);
    return run->closed;
  });
  watched.announced = true;
  const SteadyTime now = parts_.clock.SteadyNow();
  if (watched.ended || task.refresh_every.count() == 0 || now < watched.next_interim) return;
  watched.next_interim = now + kInterimEvery;
  if (RequireInterimRefresh(session, run_id, task.refresh_every)) {
    log::Info("refresh required while the run goes on", {{"task", task.name}, {"run", run_id}});
  }
}

std::int64_t Downstream::CountOpen(pg::Session& session) {
  std::vector<std::int64_t> runs;
  {
    MutexLock lock(mutex_);
    for (const auto& [run_id, watched] : watched_) runs.push_back(run_id);
  }
  const std::int64_t refreshes = CountOpenRefreshes(session, plan_.RefreshPairs());
  const std::int64_t waiting = CountWaitingNotifications(session, runs, plan_.NotifyTargets());
  if (waiting == 0) {
    MutexLock lock(mutex_);
    std::erase_if(watched_, [](const auto& one) { return one.second.ended; });
  }
  return refreshes + waiting;
}

void Downstream::Start(const std::string& name,
                       std::function<void(const std::stop_token&)> errand) {
  {
    MutexLock lock(mutex_);
    const bool full = busy_.size() >= static_cast<std::size_t>(kThreadsMax);
    if (closing_ || full || !busy_.insert(name).second) return;
  }
  try {
    auto work = std::make_unique<Errand>(*this, name, std::move(errand));
    threads_.start(*work);
    work.release();  // deletes itself
  } catch (const std::exception& error) {
    // No thread to be had, or the pool has not taken the last one back yet: at the next look.
    log::Debug("downstream: cannot begin now", {{"for", name}, {"error", error.what()}});
    MutexLock lock(mutex_);
    busy_.erase(name);
  }
}

}  // namespace ferry
