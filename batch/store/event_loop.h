// EventLoop: one thread that drives many HTTP transfers (one curl_multi over epoll), timers, and
// the coroutines that wait for them.
//
// Run() belongs to one thread, the loop's thread. Post() and Stop() may be called from any thread;
// everything else only from the loop's thread. Coroutines resumed here must not block.
#pragma once

#include <curl/curl.h>

#include <coroutine>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/mutex.h"
#include "batch/base/task.h"

namespace ferry {

// A transfer that the loop drives. Its owner stays alive until OnDone.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual CURL* handle() = 0;
  // Last call for this transfer; the handle is no longer part of the loop.
  virtual void OnDone(CURLcode result) = 0;
};

class EventLoop {
 public:
  explicit EventLoop(Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Until Stop(): then every transfer, timer and parked wait that is left ends with "stopped", and
  // Run returns when nothing waits any more.
  void Run();
  void Stop();

  // Runs `work` on the loop's thread, soon, in the order of posting. False: the loop has ended, and
  // `work` is dropped.
  bool Post(std::function<void()> work);

  // Runs a task on the loop, from any other thread; the future gets its end.
  template <typename T>
  std::future<T> Submit(std::function<Task<T>()> make);

  void Start(Transfer& transfer);
  // Lets a paused transfer go on, once the callbacks that run now have returned (libcurl forbids
  // it inside them).
  void Unpause(Transfer& transfer);

  // co_await loop.Sleep(100ms); resumes early, false, when the loop stops.
  struct SleepAwaiter {
    EventLoop& loop;
    std::chrono::milliseconds delay;
    bool stopped = false;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter);
    bool await_resume() const noexcept { return !stopped; }
  };
  SleepAwaiter Sleep(std::chrono::milliseconds delay) { return SleepAwaiter{*this, delay}; }

  // A wait that something else ends, on whatever thread that happens: co_await parking; says true
  // after Resume(), and false when the loop stops. One waiter at a time.
  class Parking {
   public:
    explicit Parking(EventLoop& loop) : loop_(loop) {}
    Parking(const Parking&) = delete;
    Parking& operator=(const Parking&) = delete;

    // On the loop's thread: Post it from others. No effect when nobody waits.
    void Resume() { End(true); }

    auto operator co_await() noexcept {
      struct Awaiter {
        Parking* parking;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiter) const {
          parking->waiter_ = waiter;
          parking->loop_.parked_.insert(parking);
        }
        bool await_resume() const noexcept { return parking->resumed_; }
      };
      return Awaiter{this};
    }

   private:
    friend class EventLoop;
    void End(bool resumed);

    EventLoop& loop_;
    std::coroutine_handle<> waiter_;
    bool resumed_ = false;
  };

  // Sockets that were opened by transfers of this loop and not looked at since. Connections outlive
  // the transfers that began them, and the handles: so they are known here.
  void Opened(curl_socket_t socket) { fresh_.insert(socket); }
  void Closed(curl_socket_t socket) { fresh_.erase(socket); }
  // Those that `looked` returns true for are not asked for again.
  template <typename Looked>
  void LookAtFresh(Looked looked) {
    std::erase_if(fresh_, looked);
  }

  bool stopping() const { return stopping_; }
  Clock& clock() { return clock_; }

 private:
  struct Timer {
    std::coroutine_handle<> waiter;
    SleepAwaiter* awaiter;
  };

  static int OnSocket(CURL* handle, curl_socket_t socket, int what, void* self, void* socket_data);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);

  int NextTimeoutMs() const;
  void RunPosted();
  void RunTimers();
  void ReapTransfers();
  void RunUnpauses();
  void Finish(Transfer& transfer, CURLcode result);
  void CancelEverything();
  // Whether nothing waits any more; if so, nothing can be posted from now on.
  bool TryToEnd();

  Clock& clock_;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int wake_ = -1;  // eventfd
  bool stopping_ = false;
  std::optional<SteadyTime> curl_deadline_;
  std::multimap<SteadyTime, Timer> timers_;
  std::unordered_set<Transfer*> active_;
  std::unordered_set<Parking*> parked_;
  std::vector<Transfer*> unpause_;
  std::unordered_set<curl_socket_t> fresh_;

  Mutex mutex_;
  std::vector<std::function<void()>> posted_ FERRY_GUARDED_BY(mutex_);
  bool stop_requested_ FERRY_GUARDED_BY(mutex_) = false;
  bool ended_ FERRY_GUARDED_BY(mutex_) = false;
};

template <typename T>
std::future<T> EventLoop::Submit(std::function<Task<T>()> make) {
  auto promise = std::make_shared<std::promise<T>>();
  const bool posted = Post([promise, make = std::move(make)] {
    // `make` is copied into the closure of the end, because a coroutine lambda uses its captures
    // for as long as it runs.
    auto kept = std::make_shared<std::function<Task<T>()>>(make);
    Detach((*kept)(), [promise, kept](std::optional<T> value, std::exception_ptr error) {
      if (error) {
        promise->set_exception(error);
      } else {
        promise->set_value(std::move(*value));
      }
    });
  });
  if (!posted) {
    promise->set_exception(std::make_exception_ptr(Error(ErrorKind::kStopped, "stopped")));
  }
  return promise->get_future();
}

}  // namespace ferry
