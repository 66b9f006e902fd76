#include "batch/store/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "batch/base/check.h"

namespace ferry {
namespace {

constexpr int kEventsPerWait = 64;
// Idle connections kept for reuse, per loop. More than any loop has transfers.
constexpr long kIdleConnectionsMax = 512;

void InitialiseCurlOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  FERRY_CHECK(result == CURLE_OK);
}

}  // namespace

EventLoop::EventLoop(Clock& clock) : clock_(clock) {
  InitialiseCurlOnce();
  multi_ = curl_multi_init();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  FERRY_CHECK(multi_ != nullptr && epoll_ >= 0 && wake_ >= 0);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &EventLoop::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &EventLoop::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

EventLoop::~EventLoop() {
  FERRY_CHECK(active_.empty());
  curl_multi_cleanup(multi_);
  close(wake_);
  close(epoll_);
}

void EventLoop::Run() {
  std::array<epoll_event, kEventsPerWait> events{};
  int running = 0;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), kEventsPerWait, NextTimeoutMs());
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake_) {
        std::uint64_t ignored = 0;
        [[maybe_unused]] const auto n = read(wake_, &ignored, sizeof ignored);
        continue;
      }
      const unsigned bits = event.events;
      const int mask = ((bits & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                       ((bits & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                       ((bits & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi_, event.data.fd, mask, &running);
    }
    if (curl_deadline_ && clock_.SteadyNow() >= *curl_deadline_) {
      curl_deadline_.reset();
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    ReapTransfers();
    RunTimers();
    RunPosted();
    RunUnpauses();
    ReapTransfers();
    if (stopping_) {
      CancelEverything();
      if (TryToEnd()) return;
    }
  }
}

void EventLoop::Stop() {
  {
    MutexLock lock(mutex_);
    stop_requested_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(wake_, &one, sizeof one);
}

bool EventLoop::Post(std::function<void()> work) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    if (ended_) return false;
    first = posted_.empty();
    posted_.push_back(std::move(work));
  }
  if (!first) return true;  // the wake-up that is on its way serves this one too
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(wake_, &one, sizeof one);
  return true;
}

void EventLoop::Start(Transfer& transfer) {
  active_.insert(&transfer);
  curl_easy_setopt(transfer.handle(), CURLOPT_PRIVATE, &transfer);
  if (stopping_) return;  // CancelEverything ends it, outside of its own call of Start
  FERRY_CHECK(curl_multi_add_handle(multi_, transfer.handle()) == CURLM_OK);
}

void EventLoop::Unpause(Transfer& transfer) {
  if (std::find(unpause_.begin(), unpause_.end(), &transfer) == unpause_.end()) {
    unpause_.push_back(&transfer);
  }
}

void EventLoop::SleepAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  loop.timers_.emplace(loop.clock_.SteadyNow() + delay, Timer{waiter, this});
}

void EventLoop::Parking::End(bool resumed) {
  if (!waiter_) return;
  loop_.parked_.erase(this);
  resumed_ = resumed;
  std::exchange(waiter_, {}).resume();
}

int EventLoop::OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* socket_data) {
  auto& loop = *static_cast<EventLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    curl_multi_assign(loop.multi_, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0U);
  event.data.fd = socket;
  // libcurl's note on the socket says whether epoll knows it already.
  const bool known = socket_data != nullptr;
  epoll_ctl(loop.epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
  if (!known) curl_multi_assign(loop.multi_, socket, &loop);
  return 0;
}

int EventLoop::OnTimer(CURLM*, long timeout_ms, void* self) {
  auto& loop = *static_cast<EventLoop*>(self);
  if (timeout_ms < 0) {
    loop.curl_deadline_.reset();
  } else {
    loop.curl_deadline_ = loop.clock_.SteadyNow() + std::chrono::milliseconds(timeout_ms);
  }
  return 0;
}

int EventLoop::NextTimeoutMs() const {
  if (!unpause_.empty() || stopping_) return 0;
  std::optional<SteadyTime> next = curl_deadline_;
  if (!timers_.empty() && (!next || timers_.begin()->first < *next)) next = timers_.begin()->first;
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - clock_.SteadyNow());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60000));
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> work;
  {
    MutexLock lock(mutex_);
    work.swap(posted_);
    stopping_ = stop_requested_;
  }
  for (auto& one : work) one();
}

void EventLoop::RunTimers() {
  const SteadyTime now = clock_.SteadyNow();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Timer timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer.waiter.resume();
  }
}

void EventLoop::ReapTransfers() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    Finish(*transfer, result);
  }
}

void EventLoop::RunUnpauses() {
  std::vector<Transfer*> batch;
  batch.swap(unpause_);
  for (Transfer* transfer : batch) {
    if (!active_.contains(transfer)) continue;
    // What was held back is delivered now. When its taker refuses, libcurl says so here and never
    // again: the transfer would not be reported as done.
    const CURLcode code = curl_easy_pause(transfer->handle(), CURLPAUSE_CONT);
    if (code != CURLE_OK) Finish(*transfer, code);
  }
}

void EventLoop::Finish(Transfer& transfer, CURLcode result) {
  curl_multi_remove_handle(multi_, transfer.handle());
  active_.erase(&transfer);
  std::erase(unpause_, &transfer);
  transfer.OnDone(result);
}

void EventLoop::CancelEverything() {
  while (!active_.empty()) Finish(**active_.begin(), CURLE_ABORTED_BY_CALLBACK);
  while (!timers_.empty()) {
    const Timer timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer.awaiter->stopped = true;
    timer.waiter.resume();
  }
  while (!parked_.empty()) (*parked_.begin())->End(false);
}

bool EventLoop::TryToEnd() {
  MutexLock lock(mutex_);
  ended_ = posted_.empty() && active_.empty() && timers_.empty() && parked_.empty();
  return ended_;
}

}  // namespace ferry
