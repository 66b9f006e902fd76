#include "batch/store/waiting_http.h"

#include <fmt/format.h>

#include <thread>

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
                       const WaitLimits& limits, const std::stop_token& stop) {
  request.body_bytes_max = limits.answer_bytes_max;
  request.idle_timeout = std::chrono::ceil<std::chrono::seconds>(limits.timeout);
  CurlOptions options;
  options.connect_timeout = limits.connect_timeout;
  options.direct = limits.direct;
  LoopThread thread(clock);
  EventLoop& loop = thread.loop;
  std::future<HttpAnswer> answer =
      loop.Submit<HttpAnswer>([&] { return SendOn(loop, request, options); });
  const std::stop_callback stopping(stop, [&loop] { loop.Stop(); });
  const bool in_time = answer.wait_for(limits.timeout) == std::future_status::ready;
  if (!in_time) loop.Stop();
  try {
    return answer.get();
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

}  // namespace ferry
