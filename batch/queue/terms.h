// Terms: this process's right to act, one lease after another.
//
// A lease that was lost is never won back: whoever goes on after a database that was away for
// longer than the lease does so as another worker, with another id.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/mutex.h"
#include "batch/pg/session.h"
#include "batch/queue/worker_lease.h"

namespace ferry {

class Terms {
 public:
  using Connect = std::function<std::unique_ptr<pg::Session>()>;

  // Registers the first term. `patience`: how long a later one waits for the database; the first
  // waits 15 s at most.
  // Throws Error.
  Terms(Connect connect, Clock& clock, LeaseOptions options, std::chrono::milliseconds patience);

  // The term to act under; a new one when the last one is over. Throws Error{kStopped} when a stop
  // is requested meanwhile, and what the database says when patience is over: then for ever.
  // Thread-safe; those who ask together get the same one.
  std::shared_ptr<const Term> Current(const std::stop_token& stop);

  // The worker's id of the latest term, over or not. Thread-safe.
  std::int64_t LatestId() const { return latest_id_; }

 private:
  std::shared_ptr<const Term> Register();

  const Connect connect_;
  Clock& clock_;
  const LeaseOptions options_;
  const std::chrono::milliseconds patience_;
  std::atomic<std::int64_t> latest_id_{0};
  Mutex mutex_;
  std::shared_ptr<const Term> current_ FERRY_GUARDED_BY(mutex_);
  std::optional<Error> given_up_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
