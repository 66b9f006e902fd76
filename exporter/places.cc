#include "exporter/places.h"

namespace ferry::exporter {

using std::chrono::milliseconds;

bool Places::Take(milliseconds patience) {
  const SystemClock clock;
  const SteadyTime until = clock.SteadyNow() + patience;
  MutexLock lock(mutex_);
  while (free_ == 0) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock.SteadyNow());
    if (left.count() <= 0) return false;
    freed_.WaitFor(mutex_, left);
  }
  --free_;
  return true;
}

void Places::GiveBack() {
  MutexLock lock(mutex_);
  ++free_;
  freed_.NotifyOne();
}

}  // namespace ferry::exporter
