#include "batch/store/spare_connections.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ferry {
namespace {

std::string BytesOf(const sockaddr* address, socklen_t size) {
  return {reinterpret_cast<const char*>(address), size};
}

// A server that closes a connection, or answers what it was never asked, makes it readable.
bool IsQuiet(int socket) {
  pollfd said{socket, POLLIN, 0};
  return poll(&said, 1, 0) == 0;
}

void CloseAll(std::vector<int>& sockets) {
  for (const int socket : sockets) close(socket);
  sockets.clear();
}

}  // namespace

SpareConnections::~SpareConnections() {
  MutexLock lock(mutex_);
  for (auto& [address, host] : hosts_) CloseAll(host.sockets);
}

void SpareConnections::Connected(int socket) {
  const auto round_trip = RoundTrip(socket);
  if (!round_trip || *round_trip < long_way_) return;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  Address address = BytesOf(reinterpret_cast<const sockaddr*>(&peer), size);
  MutexLock lock(mutex_);
  const auto [known, is_first] = hosts_.try_emplace(std::move(address));
  if (is_first) Open(known->first, known->second, kAtFirst);
}

void SpareConnections::Open(const Address& address, Host& host, int count) {
  const auto* const to = reinterpret_cast<const sockaddr*>(address.data());
  for (int i = 0; i < count; ++i) {
    const int one = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one < 0) break;
    if (connect(one, to, static_cast<socklen_t>(address.size())) != 0 && errno != EINPROGRESS) {
      close(one);
      break;
    }
    host.sockets.push_back(one);
  }
  host.until = clock_.SteadyNow() + kKeptFor;
  any_ = true;
}

int SpareConnections::Take(const sockaddr* address, socklen_t size) {
  if (!any_) return -1;
  CloseOld();
  MutexLock lock(mutex_);
  const auto known = hosts_.find(BytesOf(address, size));
  if (known == hosts_.end()) return -1;
  Host& host = known->second;
  while (!host.sockets.empty()) {
    const auto connected = std::ranges::find_if(
        host.sockets, [](int socket) { return RoundTrip(socket).has_value(); });
    if (connected == host.sockets.end()) return -1;
    const int socket = *connected;
    host.sockets.erase(connected);
    if (!IsQuiet(socket)) {
      close(socket);
      continue;
    }
    if (!host.was_of_use) Open(known->first, host, kOnceOfUse);
    host.was_of_use = true;
    return socket;
  }
  return -1;
}

void SpareConnections::CloseOld() {
  if (!any_) return;
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  bool any = false;
  for (auto& [address, host] : hosts_) {
    if (now > host.until) CloseAll(host.sockets);
    any = any || !host.sockets.empty();
  }
  any_ = any;
}

}  // namespace ferry
