// LanePool: the threads that move bytes. Each lane is one event loop with its own connections; work
// goes in as values and comes back as values, through one queue.
#pragma once

#include <Poco/Runnable.h>
#include <Poco/ThreadPool.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/copy/delete_extra.h"
#include "batch/copy/object_copy.h"
#include "batch/queue/job_queue.h"
#include "batch/store/classify.h"
#include "batch/store/event_loop.h"
#include "batch/store/request_stats.h"

namespace ferry {

// What the requests of a task came to. Shared by all its lanes.
struct RequestCounters {
  // Sent, and tried again, since somebody last asked: for the sums of the run.
  std::atomic<std::int64_t> source{0};
  std::atomic<std::int64_t> destination{0};
  std::atomic<std::int64_t> retries{0};

  // Since the process began. Objects that are tried again are among the retries here; in the sums
  // of the run they are counted where their rows are written.
  RequestStats source_stats;
  RequestStats destination_stats;
  RetryStats retry_stats;

  // A request or a part is about to be tried again.
  void Retry(const Error& error) {
    retries += 1;
    retry_stats.Add(ReasonToRetry(error));
  }
};

// The stores of one task on one loop.
class TaskEnds {
 public:
  virtual ~TaskEnds() = default;
  virtual Ends ends() = 0;
  // Whether a request of that side that failed may be sent again at once: paid from the endpoint's
  // RetryBudget. Thread-safe.
  virtual bool MayRetry(Side /*side*/) { return true; }
};

// What the stores of a task tell of themselves. `task` is a name this process serves. Thread-safe.
class StoreFigures {
 public:
  virtual ~StoreFigures() = default;
  virtual RequestCounters& Counters(const std::string& task) = 0;
  // How many objects and parts of a task may be in flight now for what its stores bear.
  virtual int InFlightMax(const std::string& /*task*/) { return std::numeric_limits<int>::max(); }
  // Whether both sides of a task have ever answered this process.
  virtual bool HaveAnswered(const std::string& /*task*/) { return true; }
};

// Makes them; the one place that knows configuration and libcurl is behind it. Thread-safe.
class EndsFactory : public StoreFigures {
 public:
  virtual std::unique_ptr<TaskEnds> Make(EventLoop& loop, const std::string& task) = 0;
};

struct WorkItem {
  enum class Kind { kWhole, kCompare, kSplit, kPart, kComplete, kDelete };

  Kind kind = Kind::kWhole;
  std::string task;
  std::int64_t task_id = 0;
  Job job;       // all kinds but kPart
  PartJob part;  // kPart
  ObjectToCopy object;
  std::optional<OpenUpload> open;  // kSplit: from before; kComplete: with all its parts
  std::uint64_t part_bytes = 0;    // kSplit
  std::string nonce;               // kSplit: of the upload that may be begun
  std::vector<Intent> intents;     // kSplit: see SplitOptions
  std::vector<std::string> recorded_ids;
  DeleteTarget target;           // kDelete
  std::size_t memory_bytes = 0;  // what it holds while it runs
  std::uint64_t body_bytes = 0;  // BodyAtOnce
  SteadyTime started_at{};
  bool in_outage = false;  // when it fails, its side is asked whether it answers at all

  std::int64_t run_id() const { return kind == Kind::kPart ? part.run_id : job.run_id; }
};

// How many bytes of the source this reads. See TaskLimits.
std::uint64_t BodyAtOnce(const WorkItem& item);

struct WorkResult {
  WorkItem item;
  std::optional<Error> error;
  std::optional<Side> failed_side;
  bool side_answers = false;  // of one that was in_outage: something else than it
  Copied copied;              // kWhole, kCompare (unless differs), kComplete
  bool differs = false;       // kCompare
  OpenUpload upload;          // kSplit
  Settlement settlement;      // kSplit, also when it failed
  DonePart part;              // kPart
  // kSplit that needs no parts: the store copied the object itself, and `copied` says so.
  bool copied_by_store = false;
  // kComplete that failed: what is to be sent again, and not the whole object.
  std::vector<std::uint32_t> lost_parts;
  DeleteOutcome deletion = DeleteOutcome::kChanged;  // kDelete
  Traffic traffic;
};

// Where work items are carried out, as the worker sees it. One thread asks.
class Lanes {
 public:
  virtual ~Lanes() = default;

  virtual void Start(WorkItem item) = 0;
  // All results since it was last asked.
  virtual std::vector<WorkResult> Reap() = 0;
  // Until there is a result, Wake() was called, or `patience` is over. Returns whether it was
  // called.
  virtual bool Wait(std::chrono::milliseconds patience) = 0;
  virtual void Wake() = 0;  // from any thread
  // Everything that runs ends soon, as kStopped. Reap() still returns the results.
  virtual void Stop() = 0;
};

class LanePool final : public Lanes {
 public:
  // `factory` and `clock` outlive this object. `may_act` is asked before anything is deleted, on a
  // lane's thread.
  LanePool(
      int lanes, std::size_t ring_bytes, EndsFactory& factory, Clock& clock,
      std::function<bool()> may_act = [] { return true; });
  // Stops: what still runs ends as kStopped.
  ~LanePool() override;
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;

  // The lane with the least to do takes it.
  void Start(WorkItem item) override;
  std::vector<WorkResult> Reap() override;
  bool Wait(std::chrono::milliseconds patience) override;
  void Wake() override;

  // A loop for listings and other requests of the process.
  EventLoop& loop(std::size_t index = 0) { return lanes_[index % lanes_.size()]->loop; }
  std::size_t size() const { return lanes_.size(); }

  void Stop() override;

 private:
  struct Lane final : Poco::Runnable {
    Lane(LanePool& owner, Clock& clock) : pool(owner), loop(clock) {}
    void run() override { loop.Run(); }
    TaskEnds& EndsOf(const std::string& task);

    LanePool& pool;
    EventLoop loop;
    std::map<std::string, std::unique_ptr<TaskEnds>> ends;  // on the loop's thread
    std::atomic<int> load{0};
  };

  static Task<Unit> Execute(Lane& lane, WorkResult& result);
  static Task<Unit> ExecuteAndAsk(Lane& lane, WorkResult& result);
  static Task<Unit> Split(Ends ends, WorkResult& result);
  static Task<DonePart> CopyPartPatiently(Lane& lane, Ends ends, WorkResult& result);
  void Deliver(WorkResult result);

  const std::size_t ring_bytes_;
  EndsFactory& factory_;
  Clock& clock_;
  const std::function<bool()> may_act_;
  Poco::ThreadPool threads_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  Mutex mutex_;
  Condition arrived_;
  std::deque<WorkResult> results_ FERRY_GUARDED_BY(mutex_);
  bool woken_ FERRY_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry
