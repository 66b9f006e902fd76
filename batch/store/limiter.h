// Limiter: how many requests of one side of one bucket this process has under way, found out by
// what the store bears.
//
// Additive increase, multiplicative decrease, as TCP does it: an answer that means overload (503,
// 429, SlowDown, a time-out) makes the limit smaller by a third, once for all requests that were
// sent before the last decrease, since they are one burst; answers let it grow again, by one a
// round trip and kGrowthPerSecond at most, where it is in the way at all. With each decrease comes
// a pause, longer while no answer comes in between, and never shorter than Retry-After asks.
//
// One limiter serves all event loops. A bucket that is source and destination has a limiter for
// each: a copy holds a slot of the one while it waits for one of the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/base/task.h"
#include "batch/store/event_loop.h"

namespace ferry {

// What a limiter is for. Two stores at one endpoint have one limiter for a bucket.
struct LimitedPlace {
  std::string endpoint;
  std::string bucket;
  std::string side;  // "source" or "destination"

  friend auto operator<=>(const LimitedPlace&, const LimitedPlace&) = default;
};

// All functions may be called from any thread, but Take() on the thread of its loop.
class Limiter {
 public:
  static constexpr double kDecrease = 0.7;
  static constexpr double kGrowthPerSecond = 4;
  static constexpr std::chrono::milliseconds kPauseFirst{100};
  static constexpr std::chrono::milliseconds kPauseMax{10'000};

  // REQUIRES: ceiling > 0.
  Limiter(LimitedPlace place, int ceiling);
  ~Limiter();
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  // Whether a slot was free at once. Then, or after Take(), make a Slot.
  bool TryTake(SteadyTime now);
  // Waits for its turn and for the end of a pause. Throws Error{kStopped} when the loop stops.
  Task<Unit> Take(EventLoop& loop);

  // One request, from when it is sent; gives its slot back at its end.
  class Slot {
   public:
    Slot(Limiter& limiter, Clock& clock)
        : limiter_(limiter), clock_(clock), began_(clock.SteadyNow()) {}
    ~Slot() { limiter_.GiveBack(*this); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    // Neither: it ended for reasons that say nothing of the store's load.
    void Answered() { answered_ = true; }
    void Overloaded(std::chrono::milliseconds retry_after) {
      overloaded_ = true;
      retry_after_ = retry_after;
    }

   private:
    friend class Limiter;
    Limiter& limiter_;
    Clock& clock_;
    const SteadyTime began_;
    bool answered_ = false;
    bool overloaded_ = false;
    std::chrono::milliseconds retry_after_{0};
  };

  // What other processes met: no more than `share` here, and nothing for `pause`.
  void Heed(double share, std::chrono::milliseconds pause, SteadyTime now);

  struct Level {
    double limit = 0;            // by our own experience; the ceiling while nothing was met
    int requests_max = 0;        // what may be under way now, at least 1
    std::int64_t decreases = 0;  // since the start
    std::chrono::milliseconds pause{0};
  };
  Level level(SteadyTime now) const;
  const LimitedPlace& place() const { return place_; }

 private:
  struct Waiter;

  void GiveBack(const Slot& slot);
  void Grow(const Slot& slot, SteadyTime now) FERRY_REQUIRES(mutex_);
  void Shrink(const Slot& slot, SteadyTime now) FERRY_REQUIRES(mutex_);
  void PauseUntil(SteadyTime until) FERRY_REQUIRES(mutex_);
  int RequestsMax() const FERRY_REQUIRES(mutex_);
  std::shared_ptr<Waiter> Queue(EventLoop& loop);
  void Leave(const std::shared_ptr<Waiter>& waiter);
  std::chrono::milliseconds PauseLeft(SteadyTime now);
  // Hands free slots to those who wait longest, to be told once the lock is gone.
  std::deque<std::shared_ptr<Waiter>> HandOn() FERRY_REQUIRES(mutex_);
  static void Tell(const std::deque<std::shared_ptr<Waiter>>& granted);

  const LimitedPlace place_;
  const double ceiling_;
  mutable Mutex mutex_;
  double limit_ FERRY_GUARDED_BY(mutex_);
  double share_ FERRY_GUARDED_BY(mutex_);
  int under_way_ FERRY_GUARDED_BY(mutex_) = 0;
  int peak_ FERRY_GUARDED_BY(mutex_) = 0;  // of under_way_, since the last decrease
  int decreases_in_a_row_ FERRY_GUARDED_BY(mutex_) = 0;
  std::int64_t decreases_ FERRY_GUARDED_BY(mutex_) = 0;
  SteadyTime decreased_at_ FERRY_GUARDED_BY(mutex_){};
  SteadyTime grown_at_ FERRY_GUARDED_BY(mutex_){};
  SteadyTime paused_until_ FERRY_GUARDED_BY(mutex_){};
  std::deque<std::shared_ptr<Waiter>> waiting_ FERRY_GUARDED_BY(mutex_);
  std::minstd_rand random_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
