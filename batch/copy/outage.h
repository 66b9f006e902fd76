// Outage: tells the failure of an object from the failure of an endpoint.
//
// Several failures in a row, of whatever objects, with nothing succeeding in between, mean that the
// endpoint is away: then failures cost the objects nothing, and only now and then is something
// tried, until patience ends. Unless the endpoint answers when it is asked for something else:
// where only objects are left that fail always, nothing succeeds in between either.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>

#include "batch/base/clock.h"

namespace ferry {

class Outage {
 public:
  static constexpr int kFailuresInARow = 8;
  static constexpr std::chrono::milliseconds kPauseMax{30000};
  static constexpr std::size_t kFewObjects = 2;  // so many may be bad, and nothing else left

  void Succeeded() {
    failures_ = 0;
    pause_ = std::chrono::milliseconds(500);
    since_.reset();
    next_try_.reset();
    jobs_.clear();
  }

  void Failed(SteadyTime now, std::int64_t job_id) {
    if (failures_ == 0) since_ = now;
    failures_ += 1;
    if (jobs_.size() <= kFewObjects) jobs_.insert(job_id);
    if (!IsOut() || (next_try_ && now < *next_try_)) return;
    next_try_ = now + pause_;
    pause_ = std::min(pause_ * 2, kPauseMax);
  }

  bool IsOut() const { return failures_ >= kFailuresInARow; }

  // Whether all the failures in a row are of very few objects.
  bool OfFewObjects() const { return jobs_.size() <= kFewObjects; }

  // The endpoint answered otherwise: it is not for the endpoint that we wait.
  void Answered(SteadyTime now) { since_ = now; }

  // Whether something may be started now; while out, one thing at the end of each pause.
  bool MayTry(SteadyTime now) const { return !IsOut() || !next_try_ || now >= *next_try_; }

  std::chrono::milliseconds LastedFor(SteadyTime now) const {
    if (!since_ || !IsOut()) return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - *since_);
  }

 private:
  int failures_ = 0;
  std::chrono::milliseconds pause_{500};
  std::optional<SteadyTime> since_;
  std::optional<SteadyTime> next_try_;
  std::set<std::int64_t> jobs_;  // that failed in a row, as far as it matters
};

}  // namespace ferry
