#include "tests/support/scripted_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "batch/base/check.h"

namespace ferry::test {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr int kConnectionsMax = 16;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

// False: the other side has gone, or nothing came.
bool Receive(int fd, std::string& buffer) {
  pollfd wait{fd, POLLIN, 0};
  if (poll(&wait, 1, kPatienceMs) <= 0) return false;
  char piece[65536];
  const ssize_t got = recv(fd, piece, sizeof piece, 0);
  if (got <= 0) return false;
  buffer.append(piece, static_cast<std::size_t>(got));
  return true;
}

void Send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool ReadSized(int fd, std::string& buffer, std::size_t size, std::string& body) {
  while (buffer.size() < size) {
    if (!Receive(fd, buffer)) {
      body = std::exchange(buffer, {});
      return false;
    }
  }
  body = buffer.substr(0, size);
  buffer.erase(0, size);
  return true;
}

bool ReadChunked(int fd, std::string& buffer, std::string& body) {
  while (true) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n")) == std::string::npos) {
      if (!Receive(fd, buffer)) return false;
    }
    const std::size_t size = std::stoul(buffer.substr(0, end), nullptr, 16);
    buffer.erase(0, end + 2);
    std::string chunk;
    if (!ReadSized(fd, buffer, size + 2, chunk)) return false;
    body += chunk.substr(0, size);
    if (size == 0) return true;
  }
}

SeenRequest ParseHead(const std::string& head) {
  SeenRequest request;
  request.head = head;
  const std::size_t first = head.find(' ');
  const std::size_t second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  return request;
}

}  // namespace

bool SeenRequest::Has(std::string_view lower_case_name) const {
  return Lower(head).find("\r\n" + std::string(lower_case_name) + ":") != std::string::npos;
}

std::string SeenRequest::Header(std::string_view lower_case_name) const {
  const std::size_t at = Lower(head).find("\r\n" + std::string(lower_case_name) + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = head.find(':', at) + 1;
  std::string value = head.substr(begin, head.find("\r\n", begin) - begin);
  if (value.starts_with(' ')) value.erase(0, 1);
  return value;
}

std::string HttpText(int status, const NameValues& headers, std::string_view body) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (status != 204 && status != 304) {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + std::string(body);
}

std::string ChunkedText(int status, const NameValues& headers, std::string_view body,
                        std::size_t chunk_bytes) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  text += "Transfer-Encoding: chunked\r\n\r\n";
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, chunk_bytes);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    text += size + std::string(chunk) + "\r\n";
    body.remove_prefix(chunk.size());
  }
  return text + "0\r\n\r\n";
}

ScriptedHttpServer::ScriptedHttpServer() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  FERRY_CHECK(bind(listener_, any, size) == 0 && listen(listener_, 64) == 0);
  FERRY_CHECK(getsockname(listener_, any, &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : sockets_) shutdown(fd, SHUT_RDWR);
  }
  arrived_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

std::string ScriptedHttpServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void ScriptedHttpServer::Answer(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  script_.push_back(std::move(answer));
}

void ScriptedHttpServer::AnswerAlways(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  always_ = std::move(answer);
}

SeenRequest ScriptedHttpServer::Take() {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, std::chrono::milliseconds(kPatienceMs),
                    [this] { return !requests_.empty(); });
  if (requests_.empty()) throw std::runtime_error("no request came");
  SeenRequest request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

std::size_t ScriptedHttpServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

int ScriptedHttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(threads_.size());
}

void ScriptedHttpServer::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (fd < 0 || stopping_ || threads_.size() >= kConnectionsMax) {
      if (fd >= 0) close(fd);
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockets_.push_back(fd);
    const int number = static_cast<int>(threads_.size()) + 1;
    threads_.emplace_back([this, fd, number] { Serve(fd, number); });
  }
}

void ScriptedHttpServer::Serve(int fd, int number) {
  std::string buffer;
  while (ServeOne(fd, number, buffer)) {
  }
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, fd);
  close(fd);
}

// False: the connection is over.
bool ScriptedHttpServer::ServeOne(int fd, int number, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive(fd, buffer)) return false;
  }
  SeenRequest request = ParseHead(buffer.substr(0, end + 2));
  request.connection = number;
  buffer.erase(0, end + 4);
  const ScriptedAnswer answer = NextAnswer();
  const bool early = answer.when == ScriptedAnswer::When::kAfterHead;
  if (answer.continue_first) Send(fd, "HTTP/1.1 100 Continue\r\n\r\n");
  const auto reply = [&] {
    std::this_thread::sleep_for(answer.delay);
    Send(fd, answer.bytes);
    for (const std::string& piece : answer.pieces) {
      std::this_thread::sleep_for(answer.piece_delay);
      Send(fd, piece);
    }
  };
  if (early) reply();
  bool whole = true;
  if (Lower(request.Header("transfer-encoding")) == "chunked") {
    whole = ReadChunked(fd, buffer, request.body);
  } else if (const std::string size = request.Header("content-length");
             !size.empty() && request.method != "GET" && request.method != "HEAD") {
    whole = ReadSized(fd, buffer, std::stoul(size), request.body);
  }
  Keep(std::move(request));
  if (!early) reply();
  if (answer.then == ScriptedAnswer::Then::kReset) {
    const linger hard{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  return whole && answer.then == ScriptedAnswer::Then::kKeepOpen;
}

ScriptedAnswer ScriptedHttpServer::NextAnswer() {
  const std::lock_guard lock(mutex_);
  if (script_.empty()) {
    if (always_) return *always_;
    return {.bytes = HttpText(500, {}, "the script has no more answers"),
            .then = ScriptedAnswer::Then::kClose};
  }
  ScriptedAnswer answer = std::move(script_.front());
  script_.pop_front();
  return answer;
}

void ScriptedHttpServer::Keep(SeenRequest request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  seen_ += 1;
  arrived_.notify_all();
}

}  // namespace ferry::test
