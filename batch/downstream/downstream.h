// Downstream: looks what is due, and calls targets, each on a thread of the pool, none twice at a
// time.
//
// A hook acts on what Alertmanager asked for. A run whose tasks say `via: run` asks for itself, and
// tells of its own runs. Both may be at work on one database: leases and acknowledgements let each
// refresh be done once.
#pragma once

#include <Poco/ThreadPool.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/config/environment.h"
#include "batch/downstream/refresh_work.h"
#include "batch/downstream/signal_plan.h"

namespace ferry {

class Downstream {
 public:
  // Who asks for what is required: somebody else, who calls RequestRefresh and AnnounceRun; or this
  // object.
  enum class Asked { kElsewhere, kHere };

  struct Parts {
    std::function<std::unique_ptr<pg::Session>()> connect;  // thread-safe
    const Config& config;
    const Environment& environment;
    Clock& clock;
  };

  // All of `parts` outlives this object. Contacts nothing before its thread runs.
  Downstream(Parts parts, SignalPlan plan, Asked asked);
  // What is under way is told to stop, and waited for.
  ~Downstream();
  Downstream(const Downstream&) = delete;
  Downstream& operator=(const Downstream&) = delete;

  // There may be something new. From any thread.
  void Wake();

  // Asked::kHere: tells of this run, and has it require refreshes while it goes on
  // (`refresh_every`). From any thread; twice is once.
  void Watch(const TaskConfig& task, std::int64_t run_id);

  // Until nothing is open any more, or for so long; what is under way then may finish, and nothing
  // more is begun by this object. True: nothing is open.
  bool Finish(std::chrono::milliseconds patience, const std::stop_token& stop);

 private:
  struct Watched {
    const TaskConfig* task = nullptr;
    bool announced = false;  // its start
    bool ended = false;
    SteadyTime next_interim{};
  };
  class Errand;

  void SomethingChanged() FERRY_REQUIRES(mutex_);
  void Poll(const std::stop_token& stop);
  void LookAround(pg::Session& session);
  void AskForOurselves(pg::Session& session);
  void FollowRuns(pg::Session& session);
  void FollowRun(pg::Session& session, std::int64_t run_id, Watched& watched);
  std::int64_t CountOpen(pg::Session& session);
  void Start(const std::string& name, std::function<void(const std::stop_token&)> errand);

  const Parts parts_;
  const SignalPlan plan_;
  const Asked asked_;
  DownstreamParts work_;
  std::map<std::string, std::unique_ptr<Call>> refresh_calls_;  // as they are after construction
  std::map<std::string, std::unique_ptr<Call>> notify_calls_;
  std::stop_source stop_;
  std::atomic<bool> closing_{false};
  SteadyTime next_ends_{};  // the poller's

  Mutex mutex_;
  Condition look_;     // for the poller
  Condition changed_;  // for Finish
  bool woken_ FERRY_GUARDED_BY(mutex_) = false;
  std::set<std::string> busy_ FERRY_GUARDED_BY(mutex_);
  std::map<std::int64_t, Watched> watched_ FERRY_GUARDED_BY(mutex_);
  // What the last look found to be open; nothing when something changed since that look began.
  std::optional<std::int64_t> open_ FERRY_GUARDED_BY(mutex_);
  std::uint64_t changes_ FERRY_GUARDED_BY(mutex_) = 0;

  Poco::ThreadPool threads_;
  std::thread poller_;
};

}  // namespace ferry
