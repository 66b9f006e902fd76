#include "batch/store/spare_connections.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

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

}  // namespace

SpareConnections::~SpareConnections() {
  MutexLock lock(mutex_);
  for (auto& [address, host] : hosts_) {
    for (const Spare& spare : host.spares) close(spare.socket);
  }
}

void SpareConnections::Connected(int socket) noexcept {
  const auto round_trip = RoundTrip(socket);
  if (!round_trip || *round_trip < long_way_) return;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  Address address = BytesOf(reinterpret_cast<const sockaddr*>(&peer), size);
  MutexLock lock(mutex_);
  if (hosts_.size() >= kAddressesMax) return;
  const auto [known, is_first] = hosts_.try_emplace(std::move(address));
  if (is_first) Open(known->first, known->second, kAtFirst);
}

void SpareConnections::Open(const Address& address, Host& host, int count) {
  const auto* const to = reinterpret_cast<const sockaddr*>(address.data());
  const SteadyTime now = clock_.SteadyNow();
  for (int i = 0; i < count && open_ < kOpenMax; ++i) {
    const int one = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one < 0) return;
    // One that is connected at once is of no use, nor needed: see Take.
    if (connect(one, to, static_cast<socklen_t>(address.size())) == 0 || errno != EINPROGRESS) {
      close(one);
      return;
    }
    host.spares.push_back({one, now});
    open_ += 1;
  }
}

// Nobody has asked the socket by connect() whether it is connected: libcurl 7.88 calls that in
// spite of CURL_SOCKOPT_ALREADY_CONNECTED (curl issue 10626), and Linux answers it with success
// once, then with EISCONN.
int SpareConnections::Take(const sockaddr* address, socklen_t size) noexcept {
  if (open_ == 0) return -1;
  MutexLock lock(mutex_);
  const auto known = hosts_.find(BytesOf(address, size));
  if (known == hosts_.end()) return -1;
  Host& host = known->second;
  CloseOldOf(host, clock_.SteadyNow());
  while (!host.spares.empty()) {
    const auto youngest =
        std::find_if(host.spares.rbegin(), host.spares.rend(),
                     [](const Spare& spare) { return RoundTrip(spare.socket).has_value(); });
    if (youngest == host.spares.rend()) return -1;
    const int socket = youngest->socket;
    host.spares.erase(std::next(youngest).base());
    open_ -= 1;
    if (!IsQuiet(socket)) {
      close(socket);
      continue;
    }
    if (!std::exchange(host.was_of_use, true)) Open(known->first, host, kOnceOfUse);
    return socket;
  }
  return -1;
}

void SpareConnections::CloseOld() noexcept {
  if (open_ == 0) return;
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  for (auto& [address, host] : hosts_) CloseOldOf(host, now);
}

void SpareConnections::CloseOldOf(Host& host, SteadyTime now) {
  std::erase_if(host.spares, [&](const Spare& spare) {
    if (now - spare.since <= kKeptFor) return false;
    close(spare.socket);
    open_ -= 1;
    return true;
  });
}

}  // namespace ferry
