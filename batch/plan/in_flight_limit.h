// InFlightLimit: how many objects to have in flight, by how long one takes at best.
//
// One core brings about a thousand small objects a second. Where an object takes a fraction of a
// second, most of it waiting for packets to cross the world, only as many at once as that get there
// (Little's law: in flight = rate x time). The best time is used, not the usual one: what waits for
// others at a store that is busy takes longer too, and more at once would make it worse.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace ferry {

class InFlightLimit {
 public:
  static constexpr std::chrono::microseconds kWorkAnObject{1000};

  // REQUIRES: 0 < least <= most.
  InFlightLimit(int least, int most) : least_(least), most_(most) {}

  // A small object was brought, or something else was done that takes requests and no time to move
  // bytes.
  void Took(std::chrono::microseconds time) {
    if (!best_ || time < *best_) best_ = time;
  }

  int limit() const {
    if (!best_) return least_;
    return static_cast<int>(std::clamp<std::int64_t>(*best_ / kWorkAnObject, least_, most_));
  }

 private:
  const int least_;
  const int most_;
  std::optional<std::chrono::microseconds> best_;
};

}  // namespace ferry
