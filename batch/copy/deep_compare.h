// DeepCompare: reads many objects on both sides at once and says how each pair differs.
//
// Objects are cut into ranges, and ranges are spread over the lanes: one huge object takes as many
// streams as a thousand small ones. What is under way is bounded, and so is what is remembered:
// nothing of an object that was told about.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/copy/range_compare.h"

namespace ferry {

struct ObjectPair {
  Key source_key;
  Key destination_key;
  std::string source_etag;  // as listed
  std::string destination_etag;
  std::uint64_t size_bytes = 0;  // of both
};

struct PairFinding {
  enum class Outcome {
    kRead,     // `differences` say how; none: equal
    kChanged,  // while it was read: the source was overwritten and differs now, or is gone, or one
               // side never held still
    kFailed,   // `error` says why
  };
  Key source_key;
  Outcome outcome = Outcome::kRead;
  std::vector<std::string> differences;  // "bytes differ from byte 17 of 4096"
  std::optional<SideError> error;
};

struct DeepOptions {
  std::uint64_t range_bytes = 0;  // > 0; also the memory of one range, at most
  int ranges_max = 0;             // > 0; at a time
  // How long a side that does not answer, or throttles, is asked again.
  std::chrono::milliseconds patience{0};
};

// Belongs to one thread, which is none of the loops'.
class DeepCompare {
 public:
  // Called on the owner's thread, within Add and Finish. `idle` is called at least once a second
  // while they wait; what it throws leaves them.
  struct Listener {
    std::function<void(const PairFinding&)> found;
    std::function<void()> idle;
  };
  // One entry of `lanes` a loop; what they refer to outlives this object.
  DeepCompare(std::vector<Ends> lanes, DeepOptions options, Listener listener);
  // Waits for what is under way.
  ~DeepCompare();
  DeepCompare(const DeepCompare&) = delete;
  DeepCompare& operator=(const DeepCompare&) = delete;

  // Returns when all of the pair is under way. Throws Error{kStopped} when a loop stops.
  void Add(ObjectPair pair);
  // Returns when all pairs have been told about.
  void Finish();

  std::uint64_t read_bytes() const { return read_bytes_; }  // of both sides

 private:
  struct Reading;  // one pair under way
  struct Answer;   // what came back from a loop

  void HandOut();
  void StartRange(Reading& reading);
  void StartLook(Reading& reading);
  void Post(std::shared_ptr<Answer> answer);
  void Settle(Answer& answer);
  void SettleRange(Answer& answer);
  void SettleLook(Answer& answer);
  void Conclude(Reading& reading);
  void Tell(Reading& reading);
  std::shared_ptr<Answer> Wait(const std::function<void()>& idle);
  void Deliver(std::shared_ptr<Answer> answer);

  // On a loop's thread.
  Task<Unit> Ask(Ends ends, Answer& answer);
  Task<Unit> LookAgain(Ends ends, Answer& answer);
  Task<Unit> ReadRange(Ends ends, Answer& answer);
  Task<RangeComparison> Compare(Ends ends, Answer& answer);

  const std::vector<Ends> lanes_;
  const DeepOptions options_;
  const Listener listener_;
  std::list<Reading> readings_;
  std::deque<Reading*> to_start_;  // with ranges that nobody reads yet
  std::size_t next_lane_ = 0;
  int under_way_ = 0;

  std::atomic<std::uint64_t> read_bytes_{0};
  std::atomic<bool> over_{false};  // nobody waits for answers any more

  Mutex mutex_;
  Condition arrived_;
  std::deque<std::shared_ptr<Answer>> answers_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
