// LoopRunner: an event loop on a thread of its own, for tests that wait for its tasks.
//
//   LoopRunner runner;
//   const ObjectHead head = runner.Await([&] { return store.Head(Key("a")); });
//
// What lives on the loop (CurlHttp, stores) is made before the first Await and destroyed after
// Stop().
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/task.h"
#include "batch/store/event_loop.h"

namespace ferry::test {

template <typename T>
struct TaskValue;
template <typename T>
struct TaskValue<Task<T>> {
  using Type = T;
};

class LoopRunner {
 public:
  LoopRunner() : loop_(clock_), thread_([this] { loop_.Run(); }) {}
  ~LoopRunner() { Stop(); }

  EventLoop& loop() { return loop_; }
  Clock& clock() { return clock_; }

  // Ends what runs as kStopped; the loop's thread is gone then.
  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
  }

  // Starts the task that `make` makes.
  template <typename Make>
  auto Start(Make make) {
    using T = typename TaskValue<std::invoke_result_t<Make&>>::Type;
    return loop_.Submit<T>(std::function<Task<T>()>(std::move(make)));
  }

  // Its value or its exception. A task that does not end is an exception too.
  template <typename Make>
  auto Await(Make make) {
    auto future = Start(std::move(make));
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
      throw std::runtime_error("the task did not end within a minute");
    }
    return future.get();
  }

 private:
  SystemClock clock_;
  EventLoop loop_;
  std::thread thread_;
};

// What `body` throws; nullopt when it throws nothing.
template <typename Body>
std::optional<Error> ErrorOf(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

// "not_found", and "none" when nothing is thrown: for comparing in one line.
template <typename Body>
std::string KindOf(Body body) {
  const std::optional<Error> error = ErrorOf(std::move(body));
  return error ? std::string(ToString(error->kind())) : "none";
}

}  // namespace ferry::test
