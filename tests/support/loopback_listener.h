// LoopbackListener: a port of 127.0.0.1 at which connections come in, and nothing is said.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
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
    for (const int one : accepted_) close(one);
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

  // Waits until that many have come in, all together. False: they did not within ten seconds.
  bool Await(std::size_t count) {
    while (accepted_.size() < count && Becomes(listener_, POLLIN)) {
      accepted_.push_back(accept(listener_, nullptr, nullptr));
    }
    return accepted_.size() >= count;
  }
  // Whether nothing came in but what was waited for: the next connection to come in is one from
  // here. Not to be called twice.
  bool NothingElseCame() {
    const int marker = Connect();
    sockaddr_in ours{};
    sockaddr_in next{};
    socklen_t size = sizeof ours;
    getsockname(marker, reinterpret_cast<sockaddr*>(&ours), &size);
    const bool came = Becomes(listener_, POLLIN);
    if (came) {
      accepted_.push_back(accept(listener_, reinterpret_cast<sockaddr*>(&next), &size));
    }
    close(marker);
    return came && next.sin_port == ours.sin_port;
  }
  // Says to all that came in that nothing more will come from here, and waits until they know.
  void EndAccepted() {
    for (const int one : accepted_) {
      shutdown(one, SHUT_WR);
      tcp_info info{};
      socklen_t size = sizeof info;
      while (getsockopt(one, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
             info.tcpi_state == TCP_FIN_WAIT1) {
        std::this_thread::yield();
      }
    }
  }
  // Whether the other side closes the connection that came in as that one, counted from 0, within
  // ten seconds.
  bool Closes(std::size_t which) const {
    char byte = 0;
    return Becomes(accepted_.at(which), POLLIN) && recv(accepted_.at(which), &byte, 1, 0) == 0;
  }

 private:
  static bool Becomes(int socket, short event) {
    pollfd waiting{socket, event, 0};
    return poll(&waiting, 1, 10'000) == 1;
  }

  const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address_{};
  std::vector<int> accepted_;
};

}  // namespace ferry::test
