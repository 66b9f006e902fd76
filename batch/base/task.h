// Coroutines for work on an event loop: code that waits reads like code that does not.
//
// Task<T> is lazy: it runs when it is awaited, on the thread that awaits it, and hands back its
// value or its exception. Started<T> runs a task at once and is awaited later; it must be awaited
// (or Done) before it goes out of scope, because the task may use what stands above it.
// Nothing here locks: a task, and what it awaits, live on one thread.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "batch/base/check.h"

namespace ferry {

// The value of work that has none.
struct Unit {};

template <typename T>
class Task;

namespace internal {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    const std::coroutine_handle<> next = finished.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() { error = std::current_exception(); }

  std::coroutine_handle<> continuation;
  std::exception_ptr error;
};

template <typename T>
struct Promise : PromiseBase {
  Task<T> get_return_object();
  void return_value(T result) { value = std::move(result); }
  T Take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
  std::optional<T> value;
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void Take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() const { return handle.promise().Take(); }
    };
    return Awaiter{handle_};
  }

 private:
  Handle handle_;
};

template <typename T>
Task<T> internal::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> internal::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// Something that happens once and resumes at most one waiter. Set() from the loop's thread.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() {
    set_ = true;
    if (waiter_) std::exchange(waiter_, {}).resume();
  }
  bool IsSet() const { return set_; }

  // A value of its own is awaited, never the event: g++ 12 copies an awaitable that a function
  // returned by reference, and would wait on the copy.
  auto operator co_await() noexcept {
    struct Awaiter {
      Event* event;
      bool await_ready() const noexcept { return event->set_; }
      void await_suspend(std::coroutine_handle<> waiter) const noexcept { event->waiter_ = waiter; }
      void await_resume() const noexcept {}
    };
    return Awaiter{this};
  }

 private:
  bool set_ = false;
  std::coroutine_handle<> waiter_;
};

namespace internal {

// Runs on its own and frees itself at its end. Must not throw.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Started {
 public:
  explicit Started(Task<T> task) { Drive(this, std::move(task)); }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() { FERRY_CHECK(done_.IsSet()); }

  bool Done() const { return done_.IsSet(); }

  // Waits for the end, whichever it is. Does not throw.
  Event& End() { return done_; }

  // The value, or the exception. REQUIRES: Done().
  T Take() {
    if (error_) std::rethrow_exception(error_);
    return std::move(*value_);
  }

 private:
  static internal::Detached Drive(Started* self, Task<T> task) {
    try {
      self->value_.emplace(co_await std::move(task));
    } catch (...) {
      self->error_ = std::current_exception();
    }
    self->done_.Set();
  }

  Event done_;
  std::optional<T> value_;
  std::exception_ptr error_;
};

// Runs `task` now, on its own; `then` gets its end. `then` must not throw.
template <typename T, typename Then>
internal::Detached Detach(Task<T> task, Then then) {
  std::optional<T> value;
  std::exception_ptr error;
  try {
    value.emplace(co_await std::move(task));
  } catch (...) {
    error = std::current_exception();
  }
  then(std::move(value), error);
}

}  // namespace ferry
