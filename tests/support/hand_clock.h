// A clock that a test moves.
#pragma once

#include <atomic>
#include <chrono>

#include "batch/base/clock.h"

namespace ferry::test {

class HandMovedClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return SteadyTime(std::chrono::milliseconds(now_ms_)); }
  WallTime WallNow() const override { return WallTime(std::chrono::milliseconds(now_ms_)); }
  bool SleepFor(std::chrono::milliseconds delay, std::stop_token stop) override {
    Advance(delay);
    return !stop.stop_requested();
  }
  void Advance(std::chrono::milliseconds time) { now_ms_ += time.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{1'000'000};
};

}  // namespace ferry::test
