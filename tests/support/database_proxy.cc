#include "tests/support/database_proxy.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "batch/base/check.h"

namespace ferry::test {
namespace {

constexpr int kPollMs = 50;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) { FERRY_CHECK(fd >= 0); }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }
  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Empty: the other side has gone.
  std::string Receive() const {
    std::array<char, 65536> buffer;
    const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
    return count <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(count));
  }

 private:
  const int fd_;
};

std::uint32_t Length(std::string_view bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return ntohl(value);
}

// Cuts a stream of PostgreSQL's messages into messages.
class Messages {
 public:
  explicit Messages(bool begins_with_startup) : startup_(begins_with_startup) {}

  void Add(std::string_view bytes) { buffer_ += bytes; }
  // With its type and length; empty: it is not there as a whole yet.
  std::string Next() {
    const std::size_t head = startup_ ? 0 : 1;
    if (buffer_.size() < head + 4) return "";
    const std::size_t size = head + Length(std::string_view(buffer_).substr(head));
    if (buffer_.size() < size) return "";
    std::string message = buffer_.substr(0, size);
    buffer_.erase(0, size);
    startup_ = false;
    return message;
  }

 private:
  bool startup_;
  std::string buffer_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address LocalAddress(const std::string& host, const std::string& port) {
  Address address;
  if (host.starts_with('/')) {
    auto* const unix_address = reinterpret_cast<sockaddr_un*>(&address.storage);
    unix_address->sun_family = AF_UNIX;
    const std::string path = host + "/.s.PGSQL." + port;
    FERRY_CHECK(path.size() < sizeof unix_address->sun_path);
    std::memcpy(unix_address->sun_path, path.c_str(), path.size() + 1);
    address.size = sizeof *unix_address;
  } else {
    auto* const internet = reinterpret_cast<sockaddr_in*>(&address.storage);
    internet->sin_family = AF_INET;
    internet->sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    internet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.size = sizeof *internet;
  }
  return address;
}

}  // namespace

struct DatabaseProxy::State {
  explicit State(const std::string& uri)
      : listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    PQconninfoOption* const all = PQconninfoParse(uri.c_str(), nullptr);
    FERRY_CHECK(all != nullptr);
    std::string host = "127.0.0.1";
    std::string server_port = "5432";
    for (const PQconninfoOption* one = all; one->keyword != nullptr; ++one) {
      if (one->val == nullptr) continue;
      if (std::string_view(one->keyword) == "host") host = one->val;
      if (std::string_view(one->keyword) == "port") server_port = one->val;
    }
    PQconninfoFree(all);
    server = LocalAddress(host, server_port);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    FERRY_CHECK(bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    FERRY_CHECK(listen(listener.fd(), 16) == 0);
    getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    acceptor = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
  }

  void Accept(const std::stop_token& stop) {
    std::vector<std::jthread> connections;
    while (!stop.stop_requested()) {
      pollfd ready{listener.fd(), POLLIN, 0};
      if (poll(&ready, 1, kPollMs) != 1) continue;
      const int fd = accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      connections.emplace_back([this, fd](const std::stop_token& over) { Forward(fd, over); });
    }
    for (std::jthread& connection : connections) connection.request_stop();
  }

  void Forward(int fd, const std::stop_token& stop) {
    const Socket client(fd);
    const Socket upstream(socket(server.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(upstream.fd(), reinterpret_cast<const sockaddr*>(&server.storage), server.size) !=
        0) {
      return;
    }
    Messages questions(/*begins_with_startup=*/true);
    while (!stop.stop_requested()) {
      std::array<pollfd, 2> ready{pollfd{client.fd(), POLLIN, 0}, pollfd{upstream.fd(), POLLIN, 0}};
      poll(ready.data(), ready.size(), kPollMs);
      if (ready[1].revents != 0) {
        const std::string bytes = upstream.Receive();
        if (bytes.empty() || !client.Send(bytes)) return;
      }
      if (ready[0].revents != 0) {
        const std::string bytes = client.Receive();
        questions.Add(bytes);
        if (bytes.empty() || !PassOn(questions, upstream)) return;
      }
    }
  }

  // False: cut here.
  bool PassOn(Messages& questions, const Socket& upstream) {
    for (std::string message = questions.Next(); !message.empty(); message = questions.Next()) {
      const bool is_commit =
          message.front() == 'Q' && std::string_view(message).substr(5).starts_with("commit");
      const Cut now = is_commit ? TakeCut() : Cut::kNone;
      if (now == Cut::kBefore) return false;
      if (!upstream.Send(message)) return false;
      if (now == Cut::kAfter) {
        WaitUntilReady(upstream);
        return false;
      }
    }
    return true;
  }

  static void WaitUntilReady(const Socket& upstream) {
    Messages answers(/*begins_with_startup=*/false);
    while (true) {
      const std::string bytes = upstream.Receive();
      if (bytes.empty()) return;
      answers.Add(bytes);
      for (std::string one = answers.Next(); !one.empty(); one = answers.Next()) {
        if (one.front() == 'Z') return;
      }
    }
  }

  Cut TakeCut() {
    const std::lock_guard lock(mutex);
    commits += 1;
    if (cut == Cut::kNone || passing-- > 0) return Cut::kNone;
    return std::exchange(cut, Cut::kNone);
  }

  Socket listener;
  Address server;
  int port = 0;
  std::mutex mutex;
  Cut cut = Cut::kNone;
  int passing = 0;
  int commits = 0;
  std::jthread acceptor;  // last: it uses the others
};

DatabaseProxy::DatabaseProxy(const std::string& uri) : state_(std::make_unique<State>(uri)) {}
DatabaseProxy::~DatabaseProxy() = default;

pg::ConnectOptions DatabaseProxy::Through(pg::ConnectOptions options) const {
  PQconninfoOption* const all = PQconninfoParse(options.uri.c_str(), nullptr);
  FERRY_CHECK(all != nullptr);
  std::string text =
      "host=127.0.0.1 port=" + std::to_string(state_->port) + " sslmode=disable gssencmode=disable";
  for (const PQconninfoOption* one = all; one->keyword != nullptr; ++one) {
    const std::string_view name = one->keyword;
    if (one->val == nullptr || (name != "user" && name != "dbname" && name != "password")) continue;
    text += " " + std::string(name) + "='" + one->val + "'";
  }
  PQconninfoFree(all);
  options.uri = text;
  return options;
}

int DatabaseProxy::port() const { return state_->port; }

void DatabaseProxy::CutCommit(Cut cut, int passing) {
  const std::lock_guard lock(state_->mutex);
  state_->cut = cut;
  state_->passing = passing;
}

int DatabaseProxy::commits() const {
  const std::lock_guard lock(state_->mutex);
  return state_->commits;
}

}  // namespace ferry::test
