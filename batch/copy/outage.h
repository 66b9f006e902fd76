// Outage: tells the failure of an object from the failure of an endpoint.
//
// Several failures in a row, of whatever objects, with nothing succeeding in between, mean that the
// endpoint is away: then failures cost the objects nothing, and only now and then is something
// tried, until patience ends.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "batch/base/clock.h"

namespace ferry {

class Outage {
 public:
  static constexpr int kFailuresInARow = 8;
  static constexpr std::chrono::milliseconds kPauseMax{30000};

  void Succeeded() {
    failures_ = 0;
    pause_ = std::chrono::milliseconds(500);
    since_.reset();
    next_try_.reset();
  }

  void Failed(SteadyTime now) {
    if (failures_ == 0) since_ = now;
    failures_ += 1;
    if (!IsOut() || (next_try_ && now < *next_try_)) return;
    next_try_ = now + pause_;
    pause_ = std::min(pause_ * 2, kPauseMax);
  }

  bool IsOut() const { return failures_ >= kFailuresInARow; }

  // Whether something may be started now; while out, one thing at the end of each pause.
  bool MayTry(SteadyTime now) const { return !IsOut() || !next_try_ || now >= *next_try_; }

  std::chrono::milliseconds LastedFor(SteadyTime now) const {
    if (!since_ || !IsOut()) return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - *since_);
  }

 private:
  int failures_ = 0;
  std::chrono::milliseconds pause_{500};
  std::optional<SteadyTime> since_;
  std::optional<SteadyTime> next_try_;
};

}  // namespace ferry
