// LoopbackListener: a port of 127.0.0.1 at which connections come in, and nothing is said.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace ferry::test {

class LoopbackListener {
 public:
  LoopbackListener() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* const any = reinterpret_cast<sockaddr*>(&address_);
    if (bind(listener_, any, size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, any, &size) != 0) {
      std::abort();
    }
  }
  ~LoopbackListener() {
    CloseAccepted();
    close(listener_);
  }
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static socklen_t address_size() { return sizeof(sockaddr_in); }

  // A connected socket, which is the caller's.
  int Connect() const {
    const int one = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(one, address(), address_size()) != 0) std::abort();
    return one;
  }

  // How many have come in so far. On the loopback a connection is there once connect() returns.
  std::size_t Accepted() {
    pollfd more{listener_, POLLIN, 0};
    while (poll(&more, 1, 0) == 1) accepted_.push_back(accept(listener_, nullptr, nullptr));
    return accepted_.size();
  }
  // Of those that came in, as Accepted() counts: they end at this side.
  void CloseAccepted() {
    for (const int one : accepted_) close(one);
    accepted_.clear();
  }
  // The other side has closed the connection that came in as that one, counted from 0.
  bool IsClosed(std::size_t which) const {
    char byte = 0;
    return recv(accepted_.at(which), &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address_{};
  std::vector<int> accepted_;
};

}  // namespace ferry::test
