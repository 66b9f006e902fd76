#include "batch/downstream/http_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/key.h"
#include "batch/store/curl_http.h"
#include "batch/store/event_loop.h"

namespace ferry {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
constexpr std::size_t kShownBytesMax = 200;

// `request` and `loop` outlive the task: the caller waits for it.
Task<HttpAnswer> SendOn(EventLoop& loop, HttpRequest& request) {
  CurlHttp http(loop, {});
  co_return co_await http.Send(request);
}

// In a URL's user a plus is a plus.
std::string DecodedUser(std::string_view user) {
  std::string text;
  for (const char c : user) text += c == '+' ? std::string("%2B") : std::string(1, c);
  return UriDecode(text);
}

// A loop on a thread of its own, for as long as one request takes.
class LoopThread {
 public:
  explicit LoopThread(Clock& clock) : loop(clock), thread_([this] { loop.Run(); }) {}
  ~LoopThread() {
    loop.Stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  EventLoop loop;

 private:
  std::thread thread_;
};

}  // namespace

HttpAnswer SendAndWait(const std::string& what, HttpRequest request, Clock& clock,
                       std::chrono::milliseconds timeout, const std::stop_token& stop) {
  request.body_bytes_max = kAnswerBytesMax;
  request.idle_timeout = std::chrono::ceil<std::chrono::seconds>(timeout);
  LoopThread thread(clock);
  EventLoop& loop = thread.loop;
  std::future<HttpAnswer> answer =
      loop.Submit<HttpAnswer>([&loop, &request] { return SendOn(loop, request); });
  const std::stop_callback stopping(stop, [&loop] { loop.Stop(); });
  const bool in_time = answer.wait_for(timeout) == std::future_status::ready;
  if (!in_time) loop.Stop();
  try {
    return answer.get();
  } catch (const Error& error) {
    if (stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    if (!in_time) {
      throw Error(ErrorKind::kUnavailable,
                  fmt::format("{}: no answer within {}", what,
                              HumanTime(std::chrono::duration<double>(timeout).count())));
    }
    throw Error(error.kind(), what + ": " + error.what(), error.code());
  }
}

void ExpectSuccess(const std::string& what, const HttpAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return;
  throw Error(ErrorKind::kUnavailable,
              fmt::format("{}: HTTP {}: {}", what, answer.status,
                          OneLine(std::string_view(answer.body).substr(0, kShownBytesMax))));
}

PlainUrl WithoutUser(std::string_view url) {
  PlainUrl plain;
  const std::size_t host = url.find("://") + 3;
  const std::size_t end = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  plain.url = url;
  if (at != std::string_view::npos && at >= host) {
    plain.authorization = "Basic " + ToBase64(DecodedUser(url.substr(host, at - host)));
    plain.url = std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
  }
  while (plain.url.ends_with('/')) plain.url.pop_back();
  return plain;
}

}  // namespace ferry
