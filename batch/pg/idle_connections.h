// IdleConnections: connections that sessions are done with, for the sessions that come next. A new
// one costs the server a process, and that process each table's description once more: in a run
// that has nothing to do, more than what is asked.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"

namespace ferry::pg {

namespace internal {
struct Connection;
}

// Of one database, all by the same ConnectOptions. Thread-safe.
class IdleConnections {
 public:
  // `clock` outlives this object and the sessions that use it.
  explicit IdleConnections(Clock& clock);
  ~IdleConnections();
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  // nullptr: there is none that would do. One that its server has closed is never given out, as far
  // as that can be known here.
  std::unique_ptr<internal::Connection> Take();

  // Keeps it where it is of use, else closes it. A few are kept, and nobody closes them before the
  // next session comes or goes.
  void Keep(std::unique_ptr<internal::Connection> connection) noexcept;

 private:
  struct Idle {
    std::unique_ptr<internal::Connection> connection;
    SteadyTime since;
  };

  Clock& clock_;
  Mutex mutex_;
  std::vector<Idle> idle_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry::pg
