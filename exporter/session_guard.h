// SessionGuard: breaks a session's connection at a deadline, or at a stop.
//
// The server keeps its own time-outs; this is for a server, or a network, that no longer answers.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

#include "batch/base/clock.h"
#include "batch/pg/session.h"

namespace ferry::exporter {

class SessionGuard {
 public:
  // All must outlive this object.
  SessionGuard(pg::Session& session, Clock& clock, SteadyTime deadline, const std::stop_token& stop)
      : at_stop_(stop, [&session] { session.Abort(); }),
        at_deadline_([&session, &clock, deadline](const std::stop_token& over) {
          // The server's own time-out comes first and says more.
          const auto left =
              std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.SteadyNow()) +
              kGrace;
          if (clock.SleepFor(left, over)) session.Abort();
        }) {}

 private:
  static constexpr std::chrono::milliseconds kGrace{200};

  const std::stop_callback<std::function<void()>> at_stop_;
  const std::jthread at_deadline_;
};

}  // namespace ferry::exporter
