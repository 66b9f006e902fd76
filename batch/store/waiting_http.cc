#include "batch/store/waiting_http.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/store/curl_http.h"
#include "batch/store/event_loop.h"

namespace ferry {
namespace {

// `request` and `loop` outlive the task: the caller waits for it.
Task<HttpAnswer> SendOn(EventLoop& loop, HttpRequest& request, CurlOptions options) {
  CurlHttp http(loop, std::move(options));
  co_return co_await http.Send(request);
}

}  // namespace

// A loop on a thread of its own.
class WaitingHttp::LoopThread {
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

WaitingHttp::WaitingHttp(Clock& clock) : clock_(clock) {}
WaitingHttp::~WaitingHttp() = default;

HttpAnswer WaitingHttp::Send(const std::string& what, HttpRequest request, const WaitLimits& limits,
                             const std::stop_token& stop) {
  request.body_bytes_max = limits.answer_bytes_max;
  request.idle_timeout = std::chrono::ceil<std::chrono::seconds>(limits.timeout);
  CurlOptions options;
  options.connect_timeout = limits.connect_timeout;
  options.direct = limits.direct;
  std::unique_ptr<LoopThread> thread = std::move(thread_);
  if (!thread) thread = std::make_unique<LoopThread>(clock_);
  EventLoop& loop = thread->loop;
  std::future<HttpAnswer> answer =
      loop.Submit<HttpAnswer>([&] { return SendOn(loop, request, options); });
  std::optional<std::stop_callback<std::function<void()>>> stopping;
  stopping.emplace(stop, [&loop] { loop.Stop(); });
  const bool in_time = answer.wait_for(limits.timeout) == std::future_status::ready;
  if (!in_time) loop.Stop();
  try {
    HttpAnswer came = answer.get();
    stopping.reset();
    // A loop that was stopped does nothing more.
    if (in_time && !stop.stop_requested()) thread_ = std::move(thread);
    return came;
  } catch (const Error& error) {
    if (stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    if (!in_time) {
      throw Error(ErrorKind::kUnavailable,
                  fmt::format("{}: no answer within {}", what,
                              HumanTime(std::chrono::duration<double>(limits.timeout).count())));
    }
    throw Error(error.kind(), what + ": " + error.what(), error.code());
  }
}

HttpAnswer SendAndWait(const std::string& what, HttpRequest request, Clock& clock,
                       const WaitLimits& limits, const std::stop_token& stop) {
  return WaitingHttp(clock).Send(what, std::move(request), limits, stop);
}

}  // namespace ferry
