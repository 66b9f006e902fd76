// RetryBudget: how many retries an endpoint gets. Every request earns a tenth of one, and so does
// every tenth of a second; what is saved up is bounded. So retries are at most a tenth of the
// requests and one a second, beyond a small store, and a dead endpoint is not hammered by requests
// that all try four times.
//
// Any thread. Earning costs nothing while the budget is full.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"

namespace ferry {

class RetryBudget {
 public:
  static constexpr std::int64_t kSavedMax = 50;  // retries
  static constexpr std::int64_t kRequestsPerRetry = 10;
  static constexpr std::int64_t kPerSecond = 1;

  // A request is sent for the first time.
  void Earn() { Add(kUnit / kRequestsPerRetry); }

  // Whether one more retry may be made; it is spent.
  bool Take(SteadyTime now) {
    Refill(now);
    std::int64_t saved = saved_.load(std::memory_order_relaxed);
    while (saved >= kUnit) {
      if (saved_.compare_exchange_weak(saved, saved - kUnit, std::memory_order_relaxed))
        return true;
    }
    return false;
  }

 private:
  static constexpr std::int64_t kUnit = 1000;

  void Add(std::int64_t earned) {
    constexpr std::int64_t kFull = kSavedMax * kUnit;
    std::int64_t saved = saved_.load(std::memory_order_relaxed);
    while (saved < kFull && !saved_.compare_exchange_weak(saved, std::min(saved + earned, kFull),
                                                          std::memory_order_relaxed)) {
    }
  }

  void Refill(SteadyTime now) {
    const MutexLock lock(mutex_);
    if (refilled_at_ == SteadyTime{}) refilled_at_ = now;
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - refilled_at_);
    if (passed.count() <= 0) return;
    refilled_at_ = now;
    Add(passed.count() * kPerSecond * kUnit / 1000);
  }

  std::atomic<std::int64_t> saved_{kSavedMax * kUnit};
  Mutex mutex_;
  SteadyTime refilled_at_ FERRY_GUARDED_BY(mutex_){};
};

}  // namespace ferry
