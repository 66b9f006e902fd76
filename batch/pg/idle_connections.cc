#include "batch/pg/idle_connections.h"

#include <poll.h>

#include <utility>

#include "batch/pg/connection.h"

namespace ferry::pg {
namespace {

// Between the parts of one command. What is older may have been forgotten on the way.
constexpr std::chrono::seconds kUsefulFor{5};
// A server has not many to give.
constexpr std::size_t kKept = 2;

// A server that ends a connection says so, or closes it: both can be read.
bool IsFit(const internal::Connection& connection) {
  if (connection.IsLost() || PQtransactionStatus(connection.raw) != PQTRANS_IDLE) return false;
  pollfd said{PQsocket(connection.raw), POLLIN, 0};
  return poll(&said, 1, 0) == 0;
}

}  // namespace

IdleConnections::IdleConnections(Clock& clock) : clock_(clock) {}
IdleConnections::~IdleConnections() = default;

std::unique_ptr<internal::Connection> IdleConnections::Take() {
  std::vector<Idle> unfit;  // closed without the lock
  MutexLock lock(mutex_);
  while (!idle_.empty()) {
    Idle latest = std::move(idle_.back());
    idle_.pop_back();
    if (clock_.SteadyNow() - latest.since <= kUsefulFor && IsFit(*latest.connection)) {
      return std::move(latest.connection);
    }
    unfit.push_back(std::move(latest));
  }
  return nullptr;
}

void IdleConnections::Keep(std::unique_ptr<internal::Connection> connection) noexcept {
  if (!IsFit(*connection)) return;
  std::unique_ptr<internal::Connection> oldest;  // closed without the lock
  MutexLock lock(mutex_);
  if (idle_.size() == kKept) {
    oldest = std::move(idle_.front().connection);
    idle_.erase(idle_.begin());
  }
  idle_.push_back({std::move(connection), clock_.SteadyNow()});
}

}  // namespace ferry::pg
