// Servers within the test: a Proxy that notes and holds requests, and one that speaks HTML.
#pragma once

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/URI.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ferry::test {

// A port of 127.0.0.1 that refuses connections for as long as this lives.
class ClosedPort {
 public:
  ClosedPort() { socket_.bind(Poco::Net::SocketAddress("127.0.0.1", 0)); }
  std::string address() const { return socket_.address().toString(); }

 private:
  Poco::Net::ServerSocket socket_;
};

// A thread for each connection.
class Listener {
 public:
  using Serve = std::function<void(Poco::Net::StreamSocket&, std::stop_token)>;

  explicit Listener(Serve serve)
      : serve_(std::move(serve)), socket_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
    acceptor_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
  }
  ~Listener() {
    acceptor_.request_stop();
    acceptor_.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string address() const { return socket_.address().toString(); }

 private:
  void Accept(const std::stop_token& stop) {
    std::vector<std::jthread> connections;  // told to stop and joined at the end
    while (!stop.stop_requested()) {
      if (!socket_.poll(Poco::Timespan(0, 50000), Poco::Net::Socket::SELECT_READ)) continue;
      connections.emplace_back(
          [this, socket = socket_.acceptConnection()](const std::stop_token& over) mutable {
            try {
              serve_(socket, over);
            } catch (const Poco::Exception&) {
              // One side has gone; the other sees it, too.
            }
            socket.close();
          });
    }
    for (std::jthread& connection : connections) connection.request_stop();
  }

  const Serve serve_;
  Poco::Net::ServerSocket socket_;
  std::jthread acceptor_;
};

// Answers everything as a web page.
inline void ServeHtml(Poco::Net::StreamSocket& socket, const std::stop_token& stop) {
  std::string request;
  std::array<char, 4096> buffer;
  while (request.find("\r\n\r\n") == std::string::npos && !stop.stop_requested()) {
    if (!socket.poll(Poco::Timespan(0, 50000), Poco::Net::Socket::SELECT_READ)) continue;
    const int count = socket.receiveBytes(buffer.data(), buffer.size());
    if (count <= 0) return;
    request.append(buffer.data(), static_cast<std::size_t>(count));
  }
  const std::string body =
      "<!doctype html>\n<html><body><p>Welcome to the intranet<br></body></html>";
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  socket.sendBytes(answer.data(), static_cast<int>(answer.size()));
  socket.shutdownSend();
}

// Stands before an S3 server. Bytes pass unchanged (the Host header is signed), each request's
// first line is noted, and requests can be made to wait before the server sees them.
class Proxy {
 public:
  explicit Proxy(const std::string& endpoint)
      : server_(Poco::URI(endpoint).getAuthority()),
        listener_([this](Poco::Net::StreamSocket& client, const std::stop_token& stop) {
          Forward(client, stop);
        }) {}

  std::string endpoint() const { return "http://" + listener_.address(); }

  // "PUT /bucket/key?partNumber=1&uploadId=x HTTP/1.1": those that were passed on.
  std::vector<std::string> Passed(const std::string& containing) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const std::string& line : passed_) {
      if (line.find(containing) != std::string::npos) found.push_back(line);
    }
    return found;
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    passed_.clear();
  }

  // Of the requests that contain this text so many pass; the others wait for Release().
  void Hold(const std::string& containing, int allowed) {
    const std::lock_guard lock(mutex_);
    held_text_ = containing;
    allowed_ = allowed;
  }
  void Release() { Hold("", 0); }
  // Of the requests that contain this text so many reach the server, and nobody hears its answer:
  // the connection is closed when it comes, or stays silent until Disconnect().
  enum class Lost { kCut, kSilent };
  void LoseAnswers(const std::string& containing, int count, Lost how) {
    const std::lock_guard lock(mutex_);
    lost_text_ = containing;
    lost_left_ = count;
    lost_how_ = how;
  }
  // Of the requests that contain this text so many never reach the server: the answer is that it
  // has too much to do. For requests without a body.
  void Throttle(const std::string& containing, int count) {
    const std::lock_guard lock(mutex_);
    throttled_text_ = containing;
    throttles_left_ = count;
  }
  // Closes the connections that there are, with what waits on them. (A client that was killed with
  // its send buffer full cannot be seen to have gone.)
  void Disconnect() { generation_ += 1; }
  // As if the server had gone: connections, also those there are, are closed.
  void Refuse(bool refuse) { refuse_ = refuse; }
  int refused() const { return refused_; }
  // Each request waits for so long.
  void Delay(std::chrono::milliseconds delay) { delay_ = delay; }

 private:
  // Finds where requests begin in what a client sends.
  struct Scanner {
    int generation = 0;  // of the connection
    std::string head;    // of the request that is coming in
    std::uint64_t body_left = 0;
    std::optional<Lost> lost;  // the answer of the request that came last
  };

  void Forward(Poco::Net::StreamSocket& client, const std::stop_token& stop) {
    if (refuse_) {
      refused_ += 1;
      return;
    }
    Poco::Net::StreamSocket server{Poco::Net::SocketAddress(server_)};
    client.setNoDelay(true);
    server.setNoDelay(true);
    Scanner scanner;
    scanner.generation = generation_;
    std::vector<char> buffer(64 * 1024);
    while (!stop.stop_requested() && !refuse_ && scanner.generation == generation_) {
      std::array<pollfd, 2> ready{pollfd{client.impl()->sockfd(), POLLIN, 0},
                                  pollfd{server.impl()->sockfd(), POLLIN, 0}};
      poll(ready.data(), ready.size(), 50);
      if (ready[1].revents != 0 && scanner.lost) {
        if (*scanner.lost == Lost::kCut || !Swallow(server, buffer)) return;
      } else if (ready[1].revents != 0 && !Pass(server, client, buffer)) {
        return;
      }
      if (ready[0].revents == 0) continue;
      const int count = client.receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
      if (count <= 0 ||
          !Take(scanner, {buffer.data(), static_cast<std::size_t>(count)}, client, server, stop)) {
        return;
      }
    }
  }

  static bool Pass(Poco::Net::StreamSocket& from, Poco::Net::StreamSocket& to,
                   std::vector<char>& buffer) {
    const int count = from.receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
    if (count > 0) Send(to, {buffer.data(), static_cast<std::size_t>(count)});
    return count > 0;
  }

  static bool Swallow(Poco::Net::StreamSocket& from, std::vector<char>& buffer) {
    return from.receiveBytes(buffer.data(), static_cast<int>(buffer.size())) > 0;
  }

  static void Send(Poco::Net::StreamSocket& to, std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = to.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
      bytes.remove_prefix(static_cast<std::size_t>(std::max(sent, 0)));
    }
  }

  // False: nobody waits for an answer any more.
  bool Take(Scanner& scanner, std::string_view bytes, Poco::Net::StreamSocket& client,
            Poco::Net::StreamSocket& server, const std::stop_token& stop) {
    while (!bytes.empty()) {
      if (scanner.body_left > 0) {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(scanner.body_left, bytes.size()));
        Send(server, bytes.substr(0, count));
        scanner.body_left -= count;
        bytes.remove_prefix(count);
        continue;
      }
      const std::size_t before = scanner.head.size();
      scanner.head += bytes;
      const std::size_t end = scanner.head.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      scanner.head.resize(end + 4);
      bytes.remove_prefix(scanner.head.size() - before);
      if (TakesThrottle(scanner.head)) {
        Send(client, kSlowDown);
        return false;
      }
      if (!Admit(scanner, client, stop)) return false;
      Send(server, scanner.head);
      scanner.body_left = ContentLength(scanner.head);
      scanner.head.clear();
    }
    return true;
  }

  bool TakesThrottle(const std::string& head) {
    const std::lock_guard lock(mutex_);
    if (throttles_left_ == 0) return false;
    if (head.substr(0, head.find('\r')).find(throttled_text_) == std::string::npos) return false;
    throttles_left_ -= 1;
    return true;
  }

  static std::uint64_t ContentLength(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string name = "\r\ncontent-length:";
    const std::size_t at = head.find(name);
    return at == std::string::npos ? 0 : std::stoull(head.substr(at + name.size()));
  }

  bool Admit(Scanner& scanner, const Poco::Net::StreamSocket& client, const std::stop_token& stop) {
    const std::string line = scanner.head.substr(0, scanner.head.find('\r'));
    if (delay_.load().count() > 0) std::this_thread::sleep_for(delay_.load());
    while (!stop.stop_requested() && scanner.generation == generation_) {
      pollfd gone{client.impl()->sockfd(), POLLRDHUP, 0};
      if (poll(&gone, 1, 0) > 0) return false;
      {
        const std::lock_guard lock(mutex_);
        const bool held = !held_text_.empty() && line.find(held_text_) != std::string::npos;
        if (!held || allowed_ > 0) {
          if (held) allowed_ -= 1;
          passed_.push_back(line);
          scanner.lost.reset();
          if (lost_left_ > 0 && line.find(lost_text_) != std::string::npos) {
            lost_left_ -= 1;
            scanner.lost = lost_how_;
          }
          return true;
        }
      }
      poll(&gone, 1, 20);  // until the client goes, for a while
    }
    return false;
  }

  static constexpr std::string_view kSlowDown =
      "HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: 36\r\n\r\n"
      "<Error><Code>SlowDown</Code></Error>";

  const std::string server_;
  mutable std::mutex mutex_;
  std::vector<std::string> passed_;
  std::string held_text_;
  int allowed_ = 0;
  std::string lost_text_;
  int lost_left_ = 0;
  std::string throttled_text_;
  int throttles_left_ = 0;
  Lost lost_how_ = Lost::kCut;
  std::atomic<int> generation_ = 0;
  std::atomic<bool> refuse_ = false;
  std::atomic<int> refused_ = 0;
  std::atomic<std::chrono::milliseconds> delay_{std::chrono::milliseconds(0)};
  Listener listener_;  // last: its threads use the others
};

}  // namespace ferry::test
