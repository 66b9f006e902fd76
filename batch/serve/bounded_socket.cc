#include "batch/serve/bounded_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

using Poco::Net::SocketAddress;

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Connections that the kernel has for us: enough for all scrapers of a site at once.
constexpr int kConnectionsPendingMax = 128;
// What the kernel keeps of an answer that is not taken.
constexpr int kSendBufferBytes = 256 * 1024;

class BoundedConnection final : public Poco::Net::StreamSocketImpl {
 public:
  BoundedConnection(poco_socket_t socket, const ConnectionBounds& bounds)
      : StreamSocketImpl(socket),
        bounds_(bounds),
        read_until_(SystemClock().SteadyNow() + bounds.request_time),
        bytes_left_(bounds.request_bytes) {
    setSendBufferSize(kSendBufferBytes);
  }

  // 0: the end, as if the client had closed.
  int receiveBytes(void* buffer, int length, int flags) override {
    const auto left =
        std::chrono::duration_cast<microseconds>(read_until_ - SystemClock().SteadyNow());
    if (bytes_left_ <= 0 || left.count() <= 0) return 0;
    setReceiveTimeout(Poco::Timespan(left.count()));
    const int count = StreamSocketImpl::receiveBytes(buffer, std::min(length, bytes_left_), flags);
    if (count > 0) bytes_left_ -= count;
    return count;
  }

  // All of it, or throws. A time-out of the socket would begin anew with every byte that is taken.
  int sendBytes(const void* buffer, int length, int flags) override {
    if (!send_until_) send_until_ = SystemClock().SteadyNow() + bounds_.answer_time;
    const char* const bytes = static_cast<const char*>(buffer);
    for (int sent = 0; sent < length;) {
      const auto count = ::send(sockfd(), bytes + sent, static_cast<std::size_t>(length - sent),
                                flags | MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) {
        sent += static_cast<int>(count);
      } else if (errno == EAGAIN) {
        AwaitRoom();
      } else if (errno != EINTR) {
        error();
      }
    }
    return length;
  }

 private:
  void AwaitRoom() const {
    const auto left = std::chrono::ceil<milliseconds>(*send_until_ - SystemClock().SteadyNow());
    pollfd room{sockfd(), POLLOUT, 0};
    if (left.count() <= 0 || ::poll(&room, 1, static_cast<int>(left.count())) == 0) {
      throw Poco::TimeoutException("the client does not take the answer");
    }
  }

  const ConnectionBounds bounds_;
  const SteadyTime read_until_;
  int bytes_left_;
  std::optional<SteadyTime> send_until_;
};

class BoundedListener final : public Poco::Net::ServerSocketImpl {
 public:
  explicit BoundedListener(const ConnectionBounds& bounds) : bounds_(bounds) {}

  // Closed in children: the embedded server outlives this process, and must not hold its port.
  Poco::Net::SocketImpl* acceptConnection(SocketAddress& client) override {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    const int socket =
        accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC);
    if (socket < 0) error();
    client = SocketAddress(reinterpret_cast<sockaddr*>(&address), length);
    return new BoundedConnection(socket, bounds_);  // Poco counts references
  }

  void CloseInChildren() const { ::fcntl(sockfd(), F_SETFD, FD_CLOEXEC); }

 private:
  const ConnectionBounds bounds_;
};

class BoundedServerSocket final : public Poco::Net::ServerSocket {
 public:
  explicit BoundedServerSocket(BoundedListener* listener) : ServerSocket(listener, true) {}
};

[[noreturn]] void Malformed(const std::string& address, const std::string& what) {
  throw Error(ErrorKind::kConfig, "--listen " + EscapeBytes(address) + ": " + what);
}

}  // namespace

SocketAddress ParseListen(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) Malformed(address, "expected HOST:PORT");
  std::string host = address.substr(0, colon);
  if (host.empty()) host = "0.0.0.0";
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    Malformed(address, "an IPv6 address stands in brackets, as [::1]:9847");
  }
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    Malformed(address, "the port is a number from 0 to 65535");
  }
  try {
    return SocketAddress(host, port);
  } catch (const Poco::Exception&) {
    Malformed(address, "no address for this host");
  }
}

Poco::Net::ServerSocket ListenBounded(const std::string& address, const ConnectionBounds& bounds) {
  const SocketAddress parsed = ParseListen(address);
  auto* const listener = new BoundedListener(bounds);  // Poco counts references
  BoundedServerSocket socket(listener);
  try {
    // Not the port: SO_REUSEPORT would let a second exporter take every other request.
    socket.bind(parsed, /*reuseAddress=*/true, /*reusePort=*/false);
    listener->CloseInChildren();
    socket.listen(kConnectionsPendingMax);
  } catch (const Poco::Exception& error) {
    const std::string reason = error.code() != 0 ? std::generic_category().message(error.code())
                                                 : EscapeBytes(error.displayText());
    throw Error(ErrorKind::kUnavailable,
                "cannot listen on " + EscapeBytes(address) + ": " + reason);
  }
  return socket;
}

}  // namespace ferry
