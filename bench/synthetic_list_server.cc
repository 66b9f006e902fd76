// An S3 server of buckets that nobody stores, for listings of any length: see SyntheticBucket.
//
//   synthetic_list_server --port P --keys N [--etag-seed S] [--changed PERCENT] [--prefix-dirs D]
//                         [--address A] [--inventory SOURCE]
//
// Listens on A, 127.0.0.1 unless given (port 0: any free one), and prints "listening on A:PORT".
// --inventory: every bucket also has an inventory/manifest.json, a report that says it is of the
// bucket SOURCE. Every bucket name exists and holds the same keys; every signature is accepted.
// Answers ListObjects, ListObjectsV2, ListMultipartUploads (none), GetBucketLocation, GET and HEAD
// of objects with one byte range, GetObjectTagging (none); 501 for all else, so nothing is ever
// taken for stored. `GET /?requests` says how many other requests came so far. Plain HTTP/1.1 with
// keep-alive, one thread a connection: a load generator, not a server to trust.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "bench/synthetic_bucket.h"
#include "bench/synthetic_inventory.h"

namespace ferry::bench {
namespace {

constexpr std::size_t kHeadBytesMax = 64 * 1024;

std::atomic<std::uint64_t> requests_answered{0};

struct Request {
  std::string method;
  std::string path;  // as sent, without the query
  std::map<std::string, std::string> query;
  std::string range;
  std::uint64_t body_bytes = 0;
  bool keep_alive = true;
};

struct Response {
  int status = 200;
  std::string headers;  // beyond Content-Length and Connection
  std::string body;
};

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Takes the text up to `separator` (and the separator) off the front of `rest`.
std::string_view TakeUntil(std::string_view separator, std::string_view& rest) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + separator.size(), rest.size()));
  return taken;
}

std::optional<Request> ParseHead(std::string_view head) {
  Request request;
  std::string_view line = TakeUntil("\r\n", head);
  request.method = TakeUntil(" ", line);
  std::string_view target = TakeUntil(" ", line);
  if (!line.starts_with("HTTP/1.") || !target.starts_with('/')) return std::nullopt;
  request.keep_alive = line != "HTTP/1.0";
  request.path = TakeUntil("?", target);
  while (!target.empty()) {
    std::string_view pair = TakeUntil("&", target);
    const std::string name = PercentDecode(TakeUntil("=", pair));
    request.query[name] = PercentDecode(pair);
  }
  while (!head.empty()) {
    std::string_view value = TakeUntil("\r\n", head);
    const std::string name = Lower(TakeUntil(":", value));
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (name == "content-length" && !ParseNumber(value, request.body_bytes)) return std::nullopt;
    if (name == "transfer-encoding") return std::nullopt;
    if (name == "connection" && Lower(value) == "close") request.keep_alive = false;
    if (name == "range") request.range = value;
  }
  return request;
}

Response Xml(std::string body) {
  return {200, "Content-Type: application/xml\r\n", std::move(body)};
}

Response Failure(int status, std::string_view code, std::string_view resource) {
  Response response;
  response.status = status;
  response.headers = "Content-Type: application/xml\r\n";
  response.body.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>").append(code);
  response.body.append("</Code><Resource>")
      .append(EscapeXml(resource))
      .append("</Resource></Error>");
  return response;
}

std::string Parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

Response ListAnswer(const SyntheticBucket& objects, const Request& request, std::string bucket) {
  ListQuery query;
  query.bucket = std::move(bucket);
  query.v2 = Parameter(request, "list-type") == "2";
  query.prefix = Parameter(request, "prefix");
  query.delimiter = Parameter(request, "delimiter");
  query.start_after = Parameter(request, query.v2 ? "start-after" : "marker");
  query.continuation_token = Parameter(request, "continuation-token");
  query.url_encoded = Parameter(request, "encoding-type") == "url";
  const std::string keys_max = Parameter(request, "max-keys");
  if (!keys_max.empty() && !ParseNumber(keys_max, query.keys_max)) {
    return Failure(400, "InvalidArgument", request.path);
  }
  std::optional<std::string> page = objects.List(query);
  if (!page) return Failure(400, "InvalidArgument", request.path);
  return Xml(*std::move(page));
}

// "bytes=first-last" or "bytes=first-", cut to the object; nullopt: not satisfiable, or not one
// range.
std::optional<std::pair<std::size_t, std::size_t>> ParseRange(std::string_view range) {
  if (!range.starts_with("bytes=")) return std::nullopt;
  range.remove_prefix(6);
  std::size_t first = 0;
  std::size_t last = SyntheticBucket::kObjectBytes - 1;
  if (!ParseNumber(TakeUntil("-", range), first)) return std::nullopt;
  if (!range.empty() && !ParseNumber(range, last)) return std::nullopt;
  last = std::min(last, SyntheticBucket::kObjectBytes - 1);
  if (first > last) return std::nullopt;
  return std::pair(first, last);
}

Response ReportAnswer(const std::string& body) {
  Response response;
  response.headers = "Content-Type: application/octet-stream\r\nETag: \"" + Md5Text(body) +
                     "\"\r\nLast-Modified: Sat, 01 Aug 2026 00:00:00 GMT\r\n";
  response.body = body;
  return response;
}

Response ObjectAnswer(const SyntheticBucket& objects, const Request& request,
                      std::string_view key) {
  const std::optional<std::uint64_t> index = objects.Find(key);
  if (!index) return Failure(404, "NoSuchKey", request.path);
  Response response;
  response.headers = "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nETag: \"";
  response.headers.append(objects.EtagHex(*index)).append("\"\r\nLast-Modified: ");
  response.headers.append(objects.LastModifiedHttp(*index)).append("\r\n");
  response.body = objects.Body(*index);
  if (!request.range.empty()) {
    const auto range = ParseRange(request.range);
    if (!range) return Failure(416, "InvalidRange", request.path);
    const auto [first, last] = *range;
    response.status = 206;
    response.headers.append("Content-Range: bytes ").append(std::to_string(first)).append("-");
    response.headers.append(std::to_string(last)).append("/");
    response.headers.append(std::to_string(SyntheticBucket::kObjectBytes)).append("\r\n");
    response.body = response.body.substr(first, last - first + 1);
  }
  return response;
}

struct Served {
  const SyntheticBucket& objects;
  const SyntheticInventory* inventory;  // null: there is none
};

Response Answer(const Served& served, const Request& request) {
  const SyntheticBucket& objects = served.objects;
  std::string_view path = std::string_view(request.path).substr(1);
  std::string bucket = PercentDecode(TakeUntil("/", path));
  const std::string key = PercentDecode(path);
  if (bucket.empty() && request.query.contains("requests")) {
    return {200, "Content-Type: text/plain\r\n", std::to_string(requests_answered) + "\n"};
  }
  requests_answered += 1;
  if (request.method != "GET" && request.method != "HEAD") {
    return Failure(501, "NotImplemented", request.path);
  }
  if (bucket.empty()) return Failure(501, "NotImplemented", request.path);
  if (!key.empty()) {
    if (request.query.contains("tagging")) return Xml("<Tagging><TagSet></TagSet></Tagging>");
    const std::string* const report = served.inventory ? served.inventory->Find(key) : nullptr;
    if (report != nullptr) return ReportAnswer(*report);
    return ObjectAnswer(objects, request, key);
  }
  if (request.method == "HEAD") return {};
  if (request.query.contains("location")) return Xml("<LocationConstraint></LocationConstraint>");
  if (request.query.contains("uploads")) {
    return Xml(
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>"
        "</ListMultipartUploadsResult>");
  }
  if (request.query.contains("versioning")) {
    return Xml("<VersioningConfiguration></VersioningConfiguration>");
  }
  return ListAnswer(objects, request, std::move(bucket));
}

std::string_view Reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 416: return "Range Not Satisfiable";
    default: return "Not Implemented";
  }
}

// One client, until it goes or says something that is not HTTP.
class Connection {
 public:
  Connection(int socket, const Served& served) : socket_(socket), served_(served) {}
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Serve() {
    while (true) {
      std::size_t end;
      while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (buffer_.size() > kHeadBytesMax || !Receive()) return;
      }
      const std::optional<Request> request =
          ParseHead(std::string_view(buffer_).substr(0, end + 2));
      if (!request) return;
      buffer_.erase(0, end + 4);
      Response response = Answer(served_, *request);
      // A body that comes is not for us: answer, and leave rather than read it.
      const bool keep_alive = request->keep_alive && request->body_bytes == 0;
      if (!Send(response, request->method == "HEAD", keep_alive) || !keep_alive) return;
    }
  }

 private:
  bool Receive() {
    char piece[16 * 1024];
    ssize_t got;
    do {
      got = ::recv(socket_, piece, sizeof piece, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(got));
    return true;
  }

  bool Send(Response& response, bool head_only, bool keep_alive) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head.append(Reason(response.status)).append("\r\nServer: synthetic\r\n");
    head.append(response.headers).append("Content-Length: ");
    head.append(std::to_string(response.body.size()));
    head.append(keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
    iovec pieces[2] = {{head.data(), head.size()},
                       {response.body.data(), head_only ? 0 : response.body.size()}};
    std::size_t left = pieces[0].iov_len + pieces[1].iov_len;
    while (left > 0) {
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = 2;
      const ssize_t result = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
      if (result < 0 && errno == EINTR) continue;
      if (result <= 0) return false;
      std::size_t sent = static_cast<std::size_t>(result);
      left -= sent;
      for (iovec& piece : pieces) {
        const std::size_t taken = std::min(sent, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + taken;
        piece.iov_len -= taken;
        sent -= taken;
      }
    }
    return true;
  }

  const int socket_;
  const Served& served_;
  std::string buffer_;
};

int Fail(const char* what) {
  std::fprintf(stderr, "synthetic_list_server: %s: %s\n", what, std::strerror(errno));
  return 1;
}

int Listen(const in_addr& ip, std::uint16_t port, const Served& served) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return Fail("socket");
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = ip;
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0) return Fail("bind");
  if (::listen(listener, SOMAXCONN) != 0) return Fail("listen");
  if (::getsockname(listener, generic, &size) != 0) return Fail("getsockname");
  std::printf("listening on %s:%d\n", ::inet_ntoa(ip), ntohs(address.sin_port));
  std::fflush(stdout);
  while (true) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return Fail("accept");
    }
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
      std::thread([client, &served] { Connection(client, served).Serve(); }).detach();
    } catch (const std::system_error&) {
      ::close(client);  // too many threads: this client tries again
    }
  }
}

int Usage() {
  std::fprintf(stderr,
               "usage: synthetic_list_server --port P --keys N [--etag-seed S] [--changed PERCENT] "
               "[--prefix-dirs D] [--address A] [--inventory SOURCE]\n");
  return 2;
}

int Main(int argc, char** argv) {
  std::map<std::string, std::uint64_t> options = {
      {"--port", 0}, {"--keys", 0}, {"--etag-seed", 0}, {"--changed", 0}, {"--prefix-dirs", 0}};
  in_addr ip{htonl(INADDR_LOOPBACK)};
  std::string source;  // of an inventory; empty: there is none
  for (int i = 1; i < argc; i += 2) {
    if (std::string_view(argv[i]) == "--address" && i + 1 < argc) {
      if (::inet_aton(argv[i + 1], &ip) == 0) return Usage();
      continue;
    }
    if (std::string_view(argv[i]) == "--inventory" && i + 1 < argc) {
      source = argv[i + 1];
      continue;
    }
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc || !ParseNumber(argv[i + 1], option->second)) {
      return Usage();
    }
  }
  // What fits the fixed widths of the keys.
  if (options["--port"] > 65535 || options["--keys"] > 9'999'999'999 ||
      options["--prefix-dirs"] > 1'000'000 || options["--changed"] > 100) {
    return Usage();
  }
  const SyntheticBucket objects(options["--keys"], options["--prefix-dirs"], options["--etag-seed"],
                                options["--changed"]);
  std::optional<SyntheticInventory> inventory;
  if (!source.empty()) inventory.emplace(objects, options["--keys"], source);
  const Served served{objects, inventory ? &*inventory : nullptr};
  return Listen(ip, static_cast<std::uint16_t>(options["--port"]), served);
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) { return ferry::bench::Main(argc, argv); }
