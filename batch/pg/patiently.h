// Patiently: a piece of work on the database that waits for one that is away.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/session.h"

namespace ferry::pg {

// Away, busy, or gone while it committed: later it may answer.
inline bool MayPass(const Error& error) {
  return IsRetryable(error.kind()) || error.kind() == ErrorKind::kInDoubt;
}

// One thread at a time.
class PatientSession {
 public:
  using Connect = std::function<std::unique_ptr<Session>()>;

  // `clock` outlives this object. `patience`: how long one piece of work may fail.
  PatientSession(Connect connect, Clock& clock, std::chrono::milliseconds patience,
                 std::stop_token stop)
      : connect_(std::move(connect)), clock_(clock), patience_(patience), stop_(std::move(stop)) {}

  // Runs body(session) until it succeeds. It must be safe to repeat, also when it may have been
  // committed. Throws what the body throws when patience ends or waiting cannot help;
  // Error{kStopped} when a stop is requested meanwhile.
  template <typename Body>
  auto Do(Body body) {
    std::optional<SteadyTime> since;
    for (std::chrono::milliseconds pause{250};; pause = std::min(pause * 2, kPauseMax)) {
      try {
        if (!session_) session_ = connect_();
        return body(*session_);
      } catch (const Error& error) {
        if (!MayPass(error)) throw;
        session_.reset();
        const SteadyTime now = clock_.SteadyNow();
        if (!since) since = now;
        if (now - *since > patience_) throw;
        log::Warn("the database is away, waiting", {{"error", error.what()}});
      }
      if (!clock_.SleepFor(pause, stop_)) {
        throw Error(ErrorKind::kStopped, "stopped while the database was away");
      }
    }
  }

 private:
  static constexpr std::chrono::milliseconds kPauseMax{5000};

  const Connect connect_;
  Clock& clock_;
  const std::chrono::milliseconds patience_;
  const std::stop_token stop_;
  std::unique_ptr<Session> session_;
};

}  // namespace ferry::pg
