// Time as a dependency.
//
// Code that decides something by the time asks a Clock; it never calls std::chrono::*::now()
// itself (tests/tidy bans it outside batch/base). All implementations may be used from several
// threads at once.
#pragma once

#include <chrono>
#include <stop_token>

namespace ferry {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;

  // For deadlines and durations. Never goes back, and counts the time a host sleeps: a lease
  // must run out then too.
  virtual SteadyTime SteadyNow() const = 0;

  // For values a person or another server reads: log lines, x-amz-date. Never for deadlines.
  virtual WallTime WallNow() const = 0;

  // False: a stop was requested before `delay` had passed.
  virtual bool SleepFor(std::chrono::milliseconds delay, std::stop_token stop) = 0;
};

// The one real clock: CLOCK_BOOTTIME and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override;
  WallTime WallNow() const override;
  bool SleepFor(std::chrono::milliseconds delay, std::stop_token stop) override;
};

}  // namespace ferry
