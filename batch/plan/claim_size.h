// ClaimSize: how many objects of a run a worker claims at a time.
//
// A claim costs the database a few milliseconds and a commit, however many rows it takes, so it
// should last for a while. But what one worker holds no other one can take, so not for long: as
// many as ended lately in kLasts. Large objects are claimed few at a time by that, small ones many.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "batch/base/clock.h"

namespace ferry {

class ClaimSize {
 public:
  static constexpr std::chrono::milliseconds kLasts{250};
  static constexpr std::int64_t kMost = 1024;

  // Of the next claim. `ended`: how much of the run has ended so far, parts and openings of uploads
  // too; no claim is smaller than `least`, unless that is more than kMost.
  std::int64_t Next(SteadyTime now, std::int64_t ended, std::int64_t least) {
    const std::chrono::duration<double> since = now - claimed_at_;
    const double rate = static_cast<double>(ended - ended_) / std::max(since.count(), 1e-6);
    claimed_at_ = now;
    ended_ = ended;
    const double lasting = rate * std::chrono::duration<double>(kLasts).count();
    if (lasting >= kMost) return kMost;
    return std::clamp(static_cast<std::int64_t>(lasting), std::min(least, kMost), kMost);
  }

 private:
  SteadyTime claimed_at_{};
  std::int64_t ended_ = 0;
};

}  // namespace ferry
