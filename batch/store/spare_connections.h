// SpareConnections: TCP connections to hosts far away, opened before there is anything to send. A
// handshake is a round trip, and each connection of a run waits for its own: the first one of each
// loop, then those of all parts.
//
// The first connection to an address that turns out to be on a long way has a few opened beside it;
// the first of them that is of use has the others opened. Once in the life of a process. Each is
// used for what libcurl opens to the same address, or closed with the next request after a few
// seconds: some servers answer a connection that says nothing with a refusal.
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
  static constexpr std::size_t kOpenMax = 64;       // of all addresses together
  static constexpr std::size_t kAddressesMax = 64;  // a name may have many
  static constexpr std::chrono::seconds kKeptFor{4};

  // `clock` outlives this object.
  explicit SpareConnections(Clock& clock, std::chrono::microseconds long_way = kLongWay)
      : clock_(clock), long_way_(long_way) {}
  ~SpareConnections();
  SpareConnections(const SpareConnections&) = delete;
  SpareConnections& operator=(const SpareConnections&) = delete;

  // `socket` is connected. Opens others beside it where that is of use; waits for nothing.
  void Connected(int socket) noexcept;

  // A connected socket, which is the caller's from now on; -1: there is none.
  int Take(const sockaddr* address, socklen_t size) noexcept;

  // Closes what nobody took in time. Cheap: to be called with each request.
  void CloseOld() noexcept;

 private:
  using Address = std::string;  // the bytes of a sockaddr
  struct Spare {
    int socket = -1;  // connected, or on its way to it
    SteadyTime since{};
  };
  struct Host {
    std::vector<Spare> spares;  // the oldest first
    bool was_of_use = false;
  };

  void Open(const Address& address, Host& host, int count) FERRY_REQUIRES(mutex_);
  void CloseOldOf(Host& host, SteadyTime now) FERRY_REQUIRES(mutex_);

  Clock& clock_;
  const std::chrono::microseconds long_way_;
  std::atomic<std::size_t> open_ = 0;
  Mutex mutex_;
  std::map<Address, Host> hosts_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
