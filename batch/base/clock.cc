#include "batch/base/clock.h"

#include <time.h>

#include <condition_variable>
#include <mutex>

namespace ferry {
namespace {

std::chrono::nanoseconds Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

SteadyTime SystemClock::SteadyNow() const { return SteadyTime(Read(CLOCK_BOOTTIME)); }

WallTime SystemClock::WallNow() const {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Read(CLOCK_REALTIME)));
}

bool SystemClock::SleepFor(std::chrono::milliseconds delay, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace ferry
