// Worker: claims jobs and parts of open runs, has them carried out by Lanes, and records what
// became of them. One thread decides: it starts what fits, reaps what ended, writes it down.
//
// A worker acts under one term. While the database is away nothing new is started, what is in
// flight goes on, and what is to be written waits; when the term ends before the database is back,
// the worker ends too, and its rows go to others.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/copy/failure.h"
#include "batch/copy/lane_pool.h"
#include "batch/copy/run_work.h"
#include "batch/copy/task_limits.h"
#include "batch/plan/backoff.h"
#include "batch/plan/in_flight_limit.h"
#include "batch/queue/work_queue.h"
#include "batch/queue/worker_lease.h"

namespace ferry {

struct WorkerOptions {
  int concurrency = 32;            // objects and parts in flight
  int concurrency_max = 0;         // as many where each takes long (InFlightLimit); 0: as few
  std::uint64_t memory_bytes = 0;  // of all their bodies
  int parts_max = 0;               // of parts; 0: as of objects
  int parts_max_far = 0;           // on a long way
  std::size_t ring_bytes = std::size_t{1} << 20;
  std::uint64_t part_bytes = 0;
  std::uint64_t multipart_threshold = 0;
  int attempts_max = 5;
  std::chrono::milliseconds outage_patience{0};
  // Which tasks may delete, and what: the answer of this process's configuration. A delete that it
  // does not allow is not carried out, whoever planned it.
  std::map<std::string, DeletePolicy> deletes;
  // After a stop was asked for: what is in flight may finish for so long.
  std::chrono::milliseconds grace{20000};
  BackoffOptions retry_backoff = {};  // of an object after a failed attempt
};

// What a person is told while work goes on. Called on the worker's thread.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OnDone(const std::string& task, const Key& key, const DoneJob& job) = 0;
  virtual void OnRetry(const std::string& task, const Key& key, const std::string& error) = 0;
  virtual void OnDead(const std::string& task, const Key& key, const std::string& error) = 0;
  virtual void OnVerdict(const std::string& task, const Key& key, const JobVerdict& verdict) = 0;
  // Nothing of this run can succeed here. It was closed as `failed`, unless others work on it.
  virtual void OnRunGivenUp(const std::string& task, std::int64_t run_id, const std::string& error,
                            bool closed) = 0;
  // About once a second.
  virtual void OnTick(WorkQueue& queue) = 0;
};

class Worker {
 public:
  // All outlive this object.
  struct Parts {
    // A queue for the term, over a new connection; asked again after a failure. Throws Error.
    std::function<std::unique_ptr<WorkQueue>()> open_queue;
    const Term& term;
    Lanes& lanes;
    Clock& clock;
    RunObserver& observer;
    StoreFigures& figures;
    TaskLimits& limits = NoLimits();
  };

  Worker(Parts parts, WorkerOptions options);
  ~Worker();

  struct Until {
    std::vector<std::string> tasks;
    // Which of the open runs of these tasks are ours to work on.
    std::function<bool(const OpenRun&)> accepts;
    // Whether to go on although no such run is open: planners are still starting, or for ever.
    std::function<bool()> more_may_come;
    std::function<bool()> enough;  // stop claiming, as for a stop request (--for)
  };
  enum class End {
    kDrained,
    kStopped,
    kWithdrawn,  // of a run that others go on with, nothing can succeed here: what is in flight
                 // ended
    kLeaseLost,  // results that come in now are nobody's; whoever owns the lanes stops them
  };

  // Throws Error when the database was away for longer than outage_patience, or refuses.
  End Run(const Until& until, const std::stop_token& stop);

  // One round of Run, which never waits but for the database's answers. nullopt: there is more.
  std::optional<End> Step(const Until& until, bool stop);
  // What this process wrote may have made something claimable, or ended a plan: the next round asks
  // the database, and not when it would have done so anyway.
  void LookAtOnce();

 private:
  std::optional<End> StepWithDatabase(const Until& until, SteadyTime now);
  std::optional<End> StepToTheStop(SteadyTime now);
  void BeginToStop(SteadyTime now);
  End StoppedEnd() const { return withdrawn_ ? End::kWithdrawn : End::kStopped; }
  std::optional<End> DatabaseFailed(const Error& error, SteadyTime now);

  // Claiming and starting.
  void RefreshRuns(const Until& until);
  void StartWhatFits();
  bool StartOne(RunWork& run);
  bool Fetch(RunWork& run);
  void Claim(RunWork& run);
  void ClaimNewJobs(RunWork& run, std::int64_t limit);
  std::vector<Job> ClaimElsewhere(RunWork& run);
  void Prepare(RunWork& run);
  bool IsLongWay(const std::string& task) const;
  int PartsMax(const std::string& task) const;
  WorkItem MakeItem(RunWork& run, const Job& job, const std::vector<KnownUpload>& uploads);

  // Runs outside their window: worker_window.cc.
  void KeepToWindows(SteadyTime now);
  void Rest(RunWork& run, const std::string& why, SteadyTime now);
  void GoOn(RunWork& run);

  // What became of it: worker_results.cc.
  void TakeResults(std::vector<WorkResult> results);
  void TakeResult(WorkResult result);
  void LearnTime(const WorkItem& item);
  static void TakeSettlement(RunWork& run, const WorkResult& result);
  void TakeFailure(RunWork& run, WorkResult& result);
  void TakeSuccess(RunWork& run, WorkResult& result);
  void TakeOpenedUpload(RunWork& run, WorkResult& result);
  static bool CostsAttempt(RunWork& run, std::int64_t job_id, Meaning meaning,
                           const WorkResult& result, SteadyTime now);
  std::chrono::milliseconds OutagePatience(const RunWork& run) const;
  void FailRunOnce(RunWork& run, const std::string& error);

  // Writing it down: worker_results.cc.
  void WriteDue(SteadyTime now, bool everything);
  void WriteUploads(RunWork& run);
  void WriteFailure(std::int64_t run_id, RunWork& run);
  void WriteOutcomes(RunWork& run);

  const Parts parts_;
  const WorkerOptions options_;
  std::unique_ptr<WorkQueue> queue_;  // null: to be opened again
  std::map<std::int64_t, std::unique_ptr<RunWork>> runs_;
  std::deque<std::int64_t> turn_;  // whose turn it is, over runs
  int in_flight_ = 0;
  int parts_in_flight_ = 0;
  InFlightLimit in_flight_limit_;
  std::uint64_t memory_in_use_ = 0;
  SteadyTime refreshed_{};
  bool told_ = false;  // of what is planned, by this process: it need not be looked for
  SteadyTime next_tick_{};
  std::uint64_t random_ = 0;

  // Since when the database is away, and when it is asked again.
  std::optional<SteadyTime> away_since_;
  SteadyTime next_database_try_{};
  int database_failures_ = 0;

  std::optional<SteadyTime> stopping_since_;
  bool lanes_stopped_ = false;
  bool withdrawn_ = false;
};

}  // namespace ferry
