// How long to wait before trying again: exponential, with full jitter, capped.
#pragma once

#include <chrono>
#include <cstdint>

namespace ferry {

struct BackoffOptions {
  std::chrono::milliseconds base{500};
  std::chrono::milliseconds cap{60000};
};

// `attempt` counts failures so far, from 1; `random` is uniform over all its values. The result
// lies in [base/2, min(cap, base * 2^(attempt-1)) + base/2): never zero, so that a dead endpoint
// is not hammered, and spread, so that many waiters do not come back together.
constexpr std::chrono::milliseconds Backoff(int attempt, std::uint32_t random,
                                            BackoffOptions options = {}) {
  std::int64_t window = options.base.count();
  for (int i = 1; i < attempt && window < options.cap.count(); ++i) window *= 2;
  if (window > options.cap.count()) window = options.cap.count();
  const std::int64_t jitter = static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(random) * static_cast<std::uint64_t>(window)) >> 32);
  return std::chrono::milliseconds(options.base.count() / 2 + jitter);
}

}  // namespace ferry
