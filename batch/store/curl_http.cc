#include "batch/store/curl_http.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "batch/base/error.h"
#include "batch/base/version.h"
#include "batch/store/body.h"
#include "batch/store/classify.h"

namespace ferry {
namespace {

constexpr std::size_t kHeaderBytesMax = 64 << 10;
constexpr long kReceiveBufferBytes = 128 << 10;
constexpr long kSendBufferBytes = 128 << 10;
constexpr long kSmallBufferBytes = 16 << 10;

// A body that flows slower than this for as long as idle_timeout does not flow. (libcurl does not
// count while a transfer is paused.)
constexpr long kFlowBytesPerSecondMin = 128;
// Servers close idle connections after a minute or so (RGW's beast: 65 s); one that is found
// closed costs a retry.
constexpr long kIdleConnectionSecondsMax = 30;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

std::string_view ToString(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPut: return "PUT";
    case Method::kPost: return "POST";
    case Method::kDelete: return "DELETE";
  }
  return "GET";
}

std::string_view FindHeader(const Headers& headers, std::string_view lower_case_name) {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// One request while it runs; lives in the frame of Send.
class CurlHttp::Exchange final : public Transfer {
 public:
  Exchange(CurlHttp& http, HttpRequest& request)
      : http_(http), request_(request), handle_(http.TakeHandle()) {
    Configure();
  }
  ~Exchange() override {
    if (request_.source != nullptr) request_.source->WakeReaderBy({});
    if (request_.sink != nullptr) request_.sink->WakeWriterBy({});
    curl_slist_free_all(header_list_);
    http_.GiveBack(handle_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  CURL* handle() override { return handle_; }
  void OnDone(CURLcode result) override {
    result_ = result;
    done_.Set();
  }

  Event& End() { return done_; }

  // A 417 before anything of the body was taken.
  bool RefusedExpect() const {
    return result_ == CURLE_OK && answer_.status == 417 && Expects() && sent_ == 0;
  }

  HttpAnswer Take() {
    if (error_) std::rethrow_exception(error_);
    // libcurl takes an answer that was cut within its headers for a whole one.
    if (result_ == CURLE_OK && !head_complete_) {
      throw Error(ErrorKind::kUnavailable, "the answer was cut within its headers",
                  std::string(kDisconnected));
    }
    if (result_ == CURLE_OK) return std::move(answer_);
    if (result_ == CURLE_ABORTED_BY_CALLBACK && http_.loop_.stopping()) {
      throw Error(ErrorKind::kStopped, "stopped");
    }
    const char* detail = error_text_[0] != '\0' ? error_text_ : curl_easy_strerror(result_);
    const ErrorKind kind = ClassifyCurl(result_);
    std::string_view code;
    if (kind == ErrorKind::kUnavailable) code = kDisconnected;
    if (result_ == CURLE_OPERATION_TIMEDOUT) code = kTimedOut;
    throw Error(kind, detail, std::string(code));
  }

 private:
  template <typename Value>
  void Set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(handle_, option, value);
    if (code != CURLE_OK) throw Error(ErrorKind::kInvalid, curl_easy_strerror(code));
  }

  bool Expects() const { return request_.expect_continue && http_.expects_; }

  void Configure() {
    // Everything is set anew for each request: options linger on a reused handle (a DELETE verb
    // stays on the next GET).
    curl_easy_reset(handle_);
    Set(CURLOPT_URL, request_.url.c_str());
    Set(CURLOPT_PATH_AS_IS, 1L);  // or "/a/../b" is sent as "/b"
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_FOLLOWLOCATION, 0L);  // libcurl would carry x-amz-security-token to a foreign host
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_ERRORBUFFER, error_text_);
    Set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(http_.options_.connect_timeout.count()));
    const bool flows = request_.sink != nullptr || request_.source != nullptr;
    Set(CURLOPT_LOW_SPEED_LIMIT, flows ? kFlowBytesPerSecondMin : 1L);
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.idle_timeout.count()));
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    Set(CURLOPT_SHARE, http_.share_);
    // libcurl repeats a request by itself when a connection it used before closes without an answer
    // (lib/transfer.c, Curl_retry_request), and only then.
    if (request_.once) Set(CURLOPT_FRESH_CONNECT, 1L);
    Set(CURLOPT_MAXAGE_CONN, kIdleConnectionSecondsMax);
    if (http_.options_.direct) Set(CURLOPT_PROXY, "");
    if (!http_.options_.ca_file.empty()) Set(CURLOPT_CAINFO, http_.options_.ca_file.c_str());
    if (!http_.options_.proxy.empty()) {
      Set(CURLOPT_PROXY, http_.options_.proxy.c_str());
      Set(CURLOPT_NOPROXY, "");  // what is configured is meant, whatever the environment leaves out
    }
    Set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_BUFFERSIZE, request_.sink != nullptr ? kReceiveBufferBytes : kSmallBufferBytes);
    SetVerb();
    SetHeaders();
    WatchSockets();
    if (request_.sink != nullptr) {
      request_.sink->WakeWriterBy([this] { http_.loop_.Unpause(*this); });
    }
  }

  // Exactly one of HTTPGET, UPLOAD, POST, NOBODY, CUSTOMREQUEST; clearing one with 0 turns the
  // request into something else.
  void SetVerb() {
    switch (request_.method) {
      case Method::kGet: Set(CURLOPT_HTTPGET, 1L); return;
      case Method::kHead: Set(CURLOPT_NOBODY, 1L); return;
      case Method::kDelete: Set(CURLOPT_CUSTOMREQUEST, "DELETE"); return;
      case Method::kPost:
        Set(CURLOPT_POST, 1L);
        Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        Set(CURLOPT_POSTFIELDS, request_.body.data() == nullptr ? "" : request_.body.data());
        return;
      case Method::kPut:
        Set(CURLOPT_UPLOAD, 1L);
        Set(CURLOPT_READFUNCTION, &Exchange::OnRead);
        Set(CURLOPT_READDATA, this);
        Set(CURLOPT_SEEKFUNCTION, &Exchange::OnSeek);
        Set(CURLOPT_SEEKDATA, this);
        Set(CURLOPT_UPLOAD_BUFFERSIZE,
            request_.source != nullptr ? kSendBufferBytes : kSmallBufferBytes);
        const std::uint64_t bytes =
            request_.source != nullptr ? request_.source_bytes : request_.body.size();
        Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes));
        if (request_.source != nullptr) {
          request_.source->WakeReaderBy([this] { http_.loop_.Unpause(*this); });
        }

        return;
    }
  }

  void SetHeaders() {
    const auto append = [this](const std::string& line) {
      header_list_ = curl_slist_append(header_list_, line.c_str());
    };
    for (const auto& [name, value] : request_.headers) {
      // "name:" would drop the header; "name;" sends it empty.
      append(value.empty() ? name + ";" : name + ": " + value);
    }
    append("User-Agent: bucketferry/" + std::string(Version()));
    append("Accept:");
    if (!Expects()) append("Expect:");
    if (request_.method == Method::kPost && FindHeader(request_.headers, "content-type").empty()) {
      append("Content-Type:");  // or it becomes x-www-form-urlencoded, and on Create the object's
    }
    Set(CURLOPT_HTTPHEADER, header_list_);
  }

  // Runs a callback that may throw: exceptions may not pass through libcurl.
  template <typename Body>
  bool Guard(Body body) {
    try {
      body();
      return true;
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
  }

  // The round trip of a connection is known once there is one, and libcurl does not say which of
  // its sockets a request goes out on: so all are looked at that are new.
  void WatchSockets() {
    if (http_.options_.congestion_control == nullptr && http_.options_.spares == nullptr) return;
    if (http_.options_.spares != nullptr) {
      Set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::OnOpen);
      Set(CURLOPT_OPENSOCKETDATA, this);
    }
    Set(CURLOPT_SOCKOPTFUNCTION, &Exchange::OnOpened);
    Set(CURLOPT_SOCKOPTDATA, this);
    Set(CURLOPT_CLOSESOCKETFUNCTION, &Exchange::OnClosed);
    Set(CURLOPT_CLOSESOCKETDATA, &http_.loop_);
    Set(CURLOPT_PREREQFUNCTION, &Exchange::OnConnected);
    Set(CURLOPT_PREREQDATA, this);
  }

  static curl_socket_t OnOpen(void* self, curlsocktype, curl_sockaddr* to) {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.spare_ = -1;
    if (to->socktype == SOCK_STREAM) {
      exchange.spare_ = exchange.http_.options_.spares->Take(&to->addr, to->addrlen);
    }
    if (exchange.spare_ >= 0) return exchange.spare_;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  static int OnOpened(void* self, curl_socket_t socket, curlsocktype) {
    const auto& exchange = *static_cast<Exchange*>(self);
    exchange.http_.loop_.Opened(socket);
    return socket == exchange.spare_ ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
  }

  static int OnClosed(void* loop, curl_socket_t socket) {
    static_cast<EventLoop*>(loop)->Closed(socket);
    return close(socket);
  }

  // Before the request goes out, on a new or a known connection.
  static int OnConnected(void* self, char*, char*, int, int) {
    const auto& http = static_cast<Exchange*>(self)->http_;
    http.loop_.LookAtFresh([&](curl_socket_t socket) { return http.LookAt(socket); });
    if (http.options_.spares != nullptr) http.options_.spares->CloseOld();
    return CURL_PREREQFUNC_OK;
  }

  static std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.Guard([&] { exchange.TakeHeaderLine({data, size}); }) ? size : 0;
  }

  void TakeHeaderLine(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // also after a 100 Continue: the last answer counts
      answer_.headers.clear();
      header_bytes_ = 0;
      long status = 0;
      curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
      answer_.status = static_cast<int>(status);
      return;
    }
    header_bytes_ += line.size();
    if (header_bytes_ > kHeaderBytesMax) throw Error(ErrorKind::kCorrupt, "headers too large");
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty()) {
      if (answer_.status < 200) return;
      head_complete_ = true;
      if (request_.on_head) request_.on_head(answer_);
      return;
    }
    const std::size_t colon = trimmed.find(':');
    if (colon == std::string_view::npos) return;
    answer_.headers.push_back(
        {Lower(Trim(trimmed.substr(0, colon))), std::string(Trim(trimmed.substr(colon + 1)))});
  }

  static std::size_t OnBody(char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    std::size_t taken = size;
    const bool fine = exchange.Guard([&] { taken = exchange.TakeBody({data, size}); });
    return fine ? taken : 0;
  }

  std::size_t TakeBody(std::string_view bytes) {
    const bool to_sink =
        request_.sink != nullptr && (answer_.status == 200 || answer_.status == 206);
    if (to_sink) {
      switch (request_.sink->Push(bytes)) {
        case BodySink::Demand::kTaken: return bytes.size();
        case BodySink::Demand::kLater: return CURL_WRITEFUNC_PAUSE;
        case BodySink::Demand::kRefused:
          throw Error(ErrorKind::kUnavailable, "the receiving side gave up",
                      std::string(kBrokenOff));
      }
    }
    if (bytes.size() > request_.body_bytes_max - answer_.body.size()) {
      throw Error(ErrorKind::kCorrupt, "the answer is larger than any valid one");
    }
    answer_.body.append(bytes);
    return bytes.size();
  }

  static std::size_t OnRead(char* to, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.request_.source == nullptr) {
      const std::string_view rest = exchange.request_.body.substr(exchange.sent_);
      const std::size_t moved = std::min(size, rest.size());
      std::memcpy(to, rest.data(), moved);
      exchange.sent_ += moved;
      return moved;
    }
    const BodySource::Piece piece = exchange.request_.source->Pull(to, size);
    switch (piece.state) {
      case BodySource::Supply::kSome: exchange.sent_ += piece.bytes; return piece.bytes;
      case BodySource::Supply::kLater: return CURL_READFUNC_PAUSE;
      case BodySource::Supply::kEnd: return 0;
      case BodySource::Supply::kFailed: break;
    }
    exchange.error_ = std::make_exception_ptr(
        Error(ErrorKind::kUnavailable, "the sending side gave up", std::string(kBrokenOff)));
    return CURL_READFUNC_ABORT;
  }

  // A body in memory can be sent again from its start (a reused connection was found closed); one
  // that flows cannot once it began, and the request fails as retryable.
  static int OnSeek(void* self, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<Exchange*>(self);
    const bool began = exchange.request_.source != nullptr && exchange.sent_ > 0;
    if (began || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    exchange.sent_ = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }

  CurlHttp& http_;
  HttpRequest& request_;
  CURL* const handle_;
  curl_socket_t spare_ = -1;  // that libcurl was last given; -1: it got a new socket
  curl_slist* header_list_ = nullptr;
  char error_text_[CURL_ERROR_SIZE] = "";
  HttpAnswer answer_;
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false;
  std::size_t sent_ = 0;
  std::exception_ptr error_;
  CURLcode result_ = CURLE_OK;
  Event done_;
};

CurlHttp::CurlHttp(EventLoop& loop, CurlOptions options)
    : loop_(loop), options_(std::move(options)), share_(curl_share_init()) {
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlHttp::~CurlHttp() {
  for (CURL* handle : idle_) curl_easy_cleanup(handle);
  curl_share_cleanup(share_);
}

CURL* CurlHttp::TakeHandle() {
  if (idle_.empty()) return curl_easy_init();
  CURL* handle = idle_.back();
  idle_.pop_back();
  return handle;
}

void CurlHttp::GiveBack(CURL* handle) { idle_.push_back(handle); }

bool CurlHttp::LookAt(curl_socket_t socket) const {
  if (!RoundTrip(socket)) return false;
  if (options_.congestion_control != nullptr) options_.congestion_control->Apply(socket);
  if (options_.spares != nullptr) options_.spares->Connected(socket);
  return true;
}

Task<HttpAnswer> CurlHttp::Send(HttpRequest& request) {
  {
    Exchange exchange(*this, request);
    loop_.Start(exchange);
    co_await exchange.End();
    if (!exchange.RefusedExpect()) co_return exchange.Take();
  }
  // RFC 9110 section 10.1.1: to be repeated without. It is not sent to this server again.
  expects_ = false;
  Exchange again(*this, request);
  loop_.Start(again);
  co_await again.End();
  co_return again.Take();
}

}  // namespace ferry
