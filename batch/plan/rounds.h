// RoundsWatch: notices a sequence of cursors that goes round, with the memory of one.
//
// Brent's algorithm ("An improved Monte Carlo factorization algorithm", 1980, section 3): of a ring
// of N cursors it sees 3 N at most.
#pragma once

#include <cstdint>
#include <optional>

namespace ferry {

template <typename Cursor>
class RoundsWatch {
 public:
  // Whether the sequence, going on with `next`, is known to go round.
  bool GoesRound(const Cursor& next) {
    if (kept_ && *kept_ == next) return true;
    if (++since_kept_ < until_kept_) return false;
    kept_ = next;
    since_kept_ = 0;
    until_kept_ *= 2;
    return false;
  }

 private:
  std::optional<Cursor> kept_;
  std::int64_t since_kept_ = 0;
  std::int64_t until_kept_ = 1;
};

}  // namespace ferry
