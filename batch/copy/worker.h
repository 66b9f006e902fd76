// Worker: claims jobs and parts of open runs, has them carried out by a LanePool, and records what
// became of them. One thread decides: it starts what fits, reaps what ended, writes it down.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/copy/failure.h"
#include "batch/copy/lane_pool.h"
#include "batch/copy/outage.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/run_table.h"
#include "batch/queue/worker_lease.h"

namespace ferry {

struct WorkerOptions {
  int concurrency = 32;            // objects and parts in flight
  std::uint64_t memory_bytes = 0;  // of all their bodies
  std::size_t ring_bytes = std::size_t{1} << 20;
  std::uint64_t part_bytes = 0;
  std::uint64_t multipart_threshold = 0;
  int attempts_max = 5;
  std::chrono::milliseconds outage_patience{0};
  // After a stop was asked for: what is in flight may finish for so long.
  std::chrono::milliseconds grace{20000};
};

// What a person is told while work goes on. Called on the worker's thread.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OnDone(const std::string& task, const Key& key, const DoneJob& job) = 0;
  virtual void OnRetry(const std::string& task, const Key& key, const std::string& error) = 0;
  virtual void OnDead(const std::string& task, const Key& key, const std::string& error) = 0;
  virtual void OnVerdict(const std::string& task, const Key& key, const JobVerdict& verdict) = 0;
  // About once a second.
  virtual void OnTick(pg::Session& session) = 0;
};

class Worker {
 public:
  struct Parts {
    std::function<std::unique_ptr<pg::Session>()> connect;
    WorkerLease& lease;
    LanePool& lanes;
    EndsFactory& factory;
    Clock& clock;
    RunObserver& observer;
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
  enum class End { kDrained, kStopped };

  // Throws Error when the database was lost for longer than outage_patience, or the lease.
  End Run(const Until& until, const std::stop_token& stop);

 private:
  struct RunWork;

  void Connect();
  void RefreshRuns(const Until& until);
  bool Fetch(RunWork& run);
  bool ClaimInto(RunWork& run);
  void Enqueue(RunWork& run, std::vector<Job> jobs);
  WorkItem MakeItem(RunWork& run, Job job, const std::vector<KnownUpload>& uploads);
  void StartWhatFits();
  bool StartOne(RunWork& run);
  void TakeResults(std::vector<WorkResult> results);
  void TakeResult(WorkResult result);
  void TakeFailure(RunWork& run, WorkResult& result);
  void TakeSuccess(RunWork& run, WorkResult& result);
  void RecordAll(bool everything);
  void RecordRun(RunWork& run);
  static bool CostsAttempt(RunWork& run, std::int64_t job_id, Meaning meaning, ErrorKind kind);
  void FailRunOnce(RunWork& run, const std::string& error);
  void LetFinish();
  // Runs `body`, a piece of work on the database, again until it succeeds or patience ends; whoever
  // asked us to stop is not kept waiting for a database that is away.
  void WithDatabase(const std::function<void()>& body);

  const Parts parts_;
  const WorkerOptions options_;
  std::unique_ptr<pg::Session> session_;
  std::unique_ptr<JobQueue> queue_;
  std::map<std::int64_t, std::unique_ptr<RunWork>> runs_;
  std::deque<std::int64_t> turn_;  // whose turn it is, over runs
  int in_flight_ = 0;
  std::stop_token stop_;
  std::uint64_t memory_in_use_ = 0;
  SteadyTime refreshed_{};
  std::uint64_t random_ = 0;
};

}  // namespace ferry
