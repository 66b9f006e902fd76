// SpareConnections: TCP connections to hosts far away, opened before there is anything to send. A
// handshake is a round trip, and each connection of a run waits for its own: the first one of each
// loop, then those of all parts.
//
// The first connection that turns out to be on a long way has a few opened beside it; the first of
// them that is of use has the others opened. Each is used for what libcurl opens to the same
// address, or closed soon: some servers answer a connection that says nothing with a refusal.
// Thread-safe; shared by all loops.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/store/round_trip.h"

namespace ferry {

class SpareConnections {
 public:
  static constexpr int kAtFirst = 4;
  static constexpr int kOnceOfUse = 28;
  static constexpr std::chrono::seconds kKeptFor{4};

  // `clock` outlives this object.
  explicit SpareConnections(Clock& clock, std::chrono::microseconds long_way = kLongWay)
      : clock_(clock), long_way_(long_way) {}
  ~SpareConnections();
  SpareConnections(const SpareConnections&) = delete;
  SpareConnections& operator=(const SpareConnections&) = delete;

  // `socket` is connected. Opens others beside it where that is of use; waits for nothing.
  void Connected(int socket);

  // A connected socket, which is the caller's from now on; -1: there is none.
  int Take(const sockaddr* address, socklen_t size);

  // Closes what nobody took in time. Cheap: to be called with each request.
  void CloseOld();

 private:
  using Address = std::string;  // the bytes of a sockaddr
  struct Host {
    std::vector<int> sockets;  // connected, or on their way to it
    SteadyTime until{};        // they are kept
    bool was_of_use = false;
  };

  void Open(const Address& address, Host& host, int count) FERRY_REQUIRES(mutex_);

  Clock& clock_;
  const std::chrono::microseconds long_way_;
  std::atomic<bool> any_ = false;
  Mutex mutex_;
  std::map<Address, Host> hosts_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
