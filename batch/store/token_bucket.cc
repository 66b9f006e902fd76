#include "batch/store/token_bucket.h"

#include <algorithm>
#include <limits>

namespace ferry {
namespace {

using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr double kPieceBytesMin = 1024;

}  // namespace

// What passed until now was paid at the rate that held until now.
void TokenBucket::Advance(SteadyTime now) {
  const auto asked = static_cast<double>(asked_);
  if (rate_) {
    // Another thread may have been here with a later `now`.
    const double seconds = std::max(0.0, Seconds(now - looked_at_).count());
    const double saved_max = *rate_ * Seconds(kSaved).count();
    paid_ = std::min(paid_ + *rate_ * seconds, asked + saved_max);
  }
  looked_at_ = std::max(looked_at_, now);
  rate_ = ask_rate_(now);
  if (!rate_) paid_ = std::max(paid_, asked);
}

std::uint64_t TokenBucket::TakePlace(std::uint64_t bytes, SteadyTime now) {
  const MutexLock lock(mutex_);
  Advance(now);
  const std::uint64_t place = asked_;
  asked_ += bytes;
  return place;
}

milliseconds TokenBucket::Wait(std::uint64_t place, SteadyTime now) {
  const MutexLock lock(mutex_);
  Advance(now);
  const double missing = static_cast<double>(place) - paid_;
  if (!rate_ || missing <= 0) return milliseconds(0);
  const auto wait = std::chrono::ceil<milliseconds>(
      Seconds(std::min(missing / *rate_, Seconds(kLookAgain).count())));
  return std::max(wait, milliseconds(1));
}

bool TokenBucket::HasSpare(SteadyTime now) {
  constexpr double kNearlyAll = 0.75;
  const MutexLock lock(mutex_);
  Advance(now);
  if (!rate_) return true;
  const double saved = paid_ - static_cast<double>(asked_);
  return saved >= kNearlyAll * *rate_ * Seconds(kSaved).count();
}

std::size_t TokenBucket::PieceBytes(SteadyTime now) {
  const MutexLock lock(mutex_);
  Advance(now);
  if (!rate_) return std::numeric_limits<std::size_t>::max();
  const double piece = std::max(kPieceBytesMin, *rate_ * Seconds(kSaved).count());
  return static_cast<std::size_t>(std::min(piece, 1e9));
}

}  // namespace ferry
