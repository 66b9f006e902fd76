// TokenBucket: how fast the bodies of a task may flow, whatever loop they flow on.
//
// Who wants to move bytes takes a place in one line, and moves them once all that stand before it
// have been paid for at the rate. So nobody starves, and the average over any time is the rate.
// What was not used is kept for kSaved at most: after a pause no more than that comes at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"

namespace ferry {

// All functions may be called from any thread. `now` of one call is never long before that of
// another: all are asked of one clock.
class TokenBucket {
 public:
  static constexpr std::chrono::milliseconds kSaved{250};
  // Who waits looks again so often: the rate may be another one by then.
  static constexpr std::chrono::milliseconds kLookAgain{250};

  // Bytes a second, more than 0; nullopt: no limit. Called with each look, on any thread.
  using Rate = std::function<std::optional<double>(SteadyTime now)>;

  explicit TokenBucket(Rate rate) : ask_rate_(std::move(rate)) {}

  // A place in line for so many bytes, which are paid for by it whether they come or not.
  std::uint64_t TakePlace(std::uint64_t bytes, SteadyTime now);

  // How long until it is that place's turn, at most kLookAgain; 0: it is.
  std::chrono::milliseconds Wait(std::uint64_t place, SteadyTime now);

  // How many bytes are worth a place: at a low rate few, so that they come often. A side that hears
  // nothing for long gives up.
  std::size_t PieceBytes(SteadyTime now);

  // Whether nobody waits, and nearly all is saved that can be: the rate is not used up.
  bool HasSpare(SteadyTime now);

 private:
  void Advance(SteadyTime now) FERRY_REQUIRES(mutex_);

  const Rate ask_rate_;
  Mutex mutex_;
  std::optional<double> rate_ FERRY_GUARDED_BY(mutex_);
  SteadyTime looked_at_ FERRY_GUARDED_BY(mutex_){};
  std::uint64_t asked_ FERRY_GUARDED_BY(mutex_) = 0;  // bytes that places were taken for
  double paid_ FERRY_GUARDED_BY(mutex_) = 0;          // bytes; ahead of asked_ by what is saved
};

}  // namespace ferry
