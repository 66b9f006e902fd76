// One HTTP request of a thread that waits for the answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/store/http.h"

namespace ferry {

struct WaitLimits {
  std::chrono::milliseconds timeout{60'000};  // of the whole request
  std::chrono::seconds connect_timeout{10};
  std::size_t answer_bytes_max = std::size_t{1} << 20;
  // Never through a proxy, whatever the environment names: for what is only to be had here.
  bool direct = false;
};

// Throws Error{kUnavailable} when no whole answer came within the time-out, kCorrupt for one that
// is too large, kStopped at a stop. `what` names the target: its URL may be its secret and is not
// shown.
HttpAnswer SendAndWait(const std::string& what, HttpRequest request, Clock& clock,
                       const WaitLimits& limits, const std::stop_token& stop);

}  // namespace ferry
