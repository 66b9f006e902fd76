#include "batch/store/limiter.h"

#include <algorithm>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/store/s3_values.h"

namespace ferry {

using std::chrono::milliseconds;

struct Limiter::Waiter {
  explicit Waiter(EventLoop& its_loop) : loop(its_loop), parking(its_loop) {}
  EventLoop& loop;
  EventLoop::Parking parking;
  bool granted = false;  // under the limiter's lock
};

Limiter::Limiter(LimitedPlace place, int ceiling)
    : place_(std::move(place)), ceiling_(ceiling), limit_(ceiling), share_(ceiling) {}

Limiter::~Limiter() = default;

bool Limiter::TryTake(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (under_way_ >= RequestsMax() || now < paused_until_ || !waiting_.empty()) return false;
  under_way_ += 1;
  peak_ = std::max(peak_, under_way_);
  return true;
}

Task<Unit> Limiter::Take(EventLoop& loop) {
  const std::shared_ptr<Waiter> waiter = Queue(loop);
  if (waiter) {
    const bool granted = co_await waiter->parking;
    if (!granted) {
      Leave(waiter);
      throw Error(ErrorKind::kStopped, "stopped");
    }
  }
  while (true) {
    const milliseconds left = PauseLeft(loop.clock().SteadyNow());
    if (left.count() == 0) co_return Unit{};
    const bool slept = co_await loop.Sleep(left);
    if (!slept) break;
  }
  const Slot unused(*this, loop.clock());
  throw Error(ErrorKind::kStopped, "stopped");
}

// Null: a slot was free, and is taken.
std::shared_ptr<Limiter::Waiter> Limiter::Queue(EventLoop& loop) {
  const MutexLock lock(mutex_);
  if (under_way_ < RequestsMax() && waiting_.empty()) {
    under_way_ += 1;
    peak_ = std::max(peak_, under_way_);
    return nullptr;
  }
  waiting_.push_back(std::make_shared<Waiter>(loop));
  return waiting_.back();
}

// Its loop stops: perhaps just when it was given a slot.
void Limiter::Leave(const std::shared_ptr<Waiter>& waiter) {
  std::deque<std::shared_ptr<Waiter>> granted;
  {
    const MutexLock lock(mutex_);
    if (waiter->granted) under_way_ -= 1;
    std::erase(waiting_, waiter);
    granted = HandOn();
  }
  Tell(granted);
}

void Limiter::GiveBack(const Slot& slot) {
  const SteadyTime now = slot.clock_.SteadyNow();
  std::deque<std::shared_ptr<Waiter>> granted;
  {
    const MutexLock lock(mutex_);
    if (slot.overloaded_) Shrink(slot, now);
    if (slot.answered_) Grow(slot, now);
    under_way_ -= 1;
    granted = HandOn();
  }
  Tell(granted);
}

void Limiter::Grow(const Slot& slot, SteadyTime now) {
  if (slot.began_ < decreased_at_) return;  // speaks of the time before
  decreases_in_a_row_ = 0;
  // A limit that nobody came near was not tried.
  if (limit_ >= ceiling_ || under_way_ < RequestsMax()) return;
  const std::chrono::duration<double> since = now - std::max(grown_at_, decreased_at_);
  limit_ = std::min(ceiling_, limit_ + std::min(1 / limit_, since.count() * kGrowthPerSecond));
  grown_at_ = now;
}

void Limiter::Shrink(const Slot& slot, SteadyTime now) {
  if (slot.retry_after_.count() > 0) {
    PauseUntil(now + slot.retry_after_);
  }
  if (slot.began_ < decreased_at_) return;  // of the burst that made the limit smaller
  const log::Level level = limit_ >= ceiling_ ? log::Level::kInfo : log::Level::kDebug;
  limit_ = std::max(1.0, std::min<double>(limit_, peak_) * kDecrease);
  peak_ = under_way_;
  decreased_at_ = now;
  decreases_ += 1;
  const milliseconds pause = kPauseFirst * (std::int64_t{1} << std::min(decreases_in_a_row_, 20));
  PauseUntil(now + std::min(pause, kPauseMax));
  decreases_in_a_row_ += 1;
  if (!log::Enabled(level)) return;
  log::Write(level, "the store is overloaded: fewer requests at a time",
             {{"endpoint", place_.endpoint},
              {"bucket", place_.bucket},
              {"side", place_.side},
              {"requests_max", RequestsMax()}});
}

void Limiter::PauseUntil(SteadyTime until) { paused_until_ = std::max(paused_until_, until); }

// Those who were held back by one pause do not come back at one moment.
milliseconds Limiter::PauseLeft(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (now >= paused_until_) return milliseconds(0);
  const auto left = std::chrono::ceil<milliseconds>(paused_until_ - now);
  return left + milliseconds(random_() % static_cast<std::uint64_t>(left.count() / 4 + 1));
}

int Limiter::RequestsMax() const {
  return static_cast<int>(std::max(1.0, std::min(limit_, share_)));
}

std::deque<std::shared_ptr<Limiter::Waiter>> Limiter::HandOn() {
  std::deque<std::shared_ptr<Waiter>> granted;
  while (!waiting_.empty() && under_way_ < RequestsMax()) {
    under_way_ += 1;
    peak_ = std::max(peak_, under_way_);
    waiting_.front()->granted = true;
    granted.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return granted;
}

// Never resumed here: each on its own loop, and whoever gives back is in the middle of its own end.
// A loop that has ended has ended this wait too, and Leave() gave the slot back.
void Limiter::Tell(const std::deque<std::shared_ptr<Waiter>>& granted) {
  for (const std::shared_ptr<Waiter>& waiter : granted) {
    waiter->loop.Post([waiter] { waiter->parking.Resume(); });
  }
}

void Limiter::Heed(double share, milliseconds pause, SteadyTime now) {
  std::deque<std::shared_ptr<Waiter>> granted;
  {
    const MutexLock lock(mutex_);
    share_ = std::clamp(share, 1.0, ceiling_);
    PauseUntil(now + std::min(pause, kRetryAfterMax));
    granted = HandOn();
  }
  Tell(granted);
}

Limiter::Level Limiter::level(SteadyTime now) const {
  const MutexLock lock(mutex_);
  Level level;
  level.limit = limit_;
  level.requests_max = RequestsMax();
  level.decreases = decreases_;
  if (now < paused_until_) level.pause = std::chrono::ceil<milliseconds>(paused_until_ - now);
  return level;
}

}  // namespace ferry
