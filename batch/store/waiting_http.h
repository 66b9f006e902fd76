// HTTP requests of a thread that waits for each answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
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

// Requests one after the other, over connections that stay open between them, as long as all goes
// well. Of one thread at a time.
class WaitingHttp {
 public:
  // `clock` outlives this object.
  explicit WaitingHttp(Clock& clock);
  ~WaitingHttp();
  WaitingHttp(const WaitingHttp&) = delete;
  WaitingHttp& operator=(const WaitingHttp&) = delete;

  // Throws Error{kUnavailable} when no whole answer came within the time-out, kCorrupt for one that
  // is too large, kStopped at a stop. `what` names the target: its URL may be its secret and is not
  // shown.
  HttpAnswer Send(const std::string& what, HttpRequest request, const WaitLimits& limits,
                  const std::stop_token& stop);

 private:
  class LoopThread;

  Clock& clock_;
  std::unique_ptr<LoopThread> thread_;  // none before the first request and after a failure
};

// A single request: WaitingHttp::Send.
HttpAnswer SendAndWait(const std::string& what, HttpRequest request, Clock& clock,
                       const WaitLimits& limits, const std::stop_token& stop);

}  // namespace ferry
