// Where to divide a stretch of a key space that is only known from where its listing has come to,
// so that several requests can list it at once.
//
// Whatever the points, the pieces tile the stretch: a bad point costs a request that finds nothing,
// never a key. Good ones follow from what keys of a bucket have in common: at which depths they
// differ from one page to the next, and which bytes stand there.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

// What is left of a stretch: all keys behind `last`, up to and with `upto`. Keys are without what
// all keys of the listing begin with.
struct StretchLeft {
  std::string_view after;                // the point at which it began; empty: at the very start
  std::string_view first;                // the first key that it had
  std::size_t keys_read = 0;             // from there to `last`, with both
  std::string_view page_first;           // of the page that was read last
  std::string_view last;                 // the key that was read last
  std::optional<std::string_view> upto;  // nullopt: to the end of the listing
};

// What is known of the keys of a listing from a sample of them.
class KeyHabits {
 public:
  // REQUIRES: of one stretch, in order.
  void Learn(std::string_view key);
  // What is learnt next does not follow what was learnt last.
  void BeginStretch() { before_.clear(); }

  // The bytes that may stand at a depth, ascending, as far as is known: where only digits did, any
  // digit may; where keys never differed, what stood there; else any byte of any key.
  std::string BytesAt(std::size_t depth) const;
  std::string AllBytes() const;
  // Whether keys were seen that are alike above this depth and differ there.
  bool Differs(std::size_t depth) const { return depth < kDepths && differs_[depth]; }

  // The first key that was found behind a point of SplitPoints: there is one before it, too.
  void Found(std::string_view point, std::string_view key);
  // A stretch that began at a point of SplitPoints was read to its end, or to where it was divided
  // again.
  void Tried(const StretchLeft& read, bool divided);
  // Whether there mostly were some.
  bool WorthTrying(std::size_t depth) const;
  // How many there usually are, where there are any; nullopt: nobody knows yet.
  std::optional<double> UsualKeys(std::size_t depth) const;

 private:
  static constexpr std::size_t kDepths = 128;  // deeper ones are all alike

  std::bitset<256> bytes_;
  std::array<std::bitset<256>, kDepths> at_depth_;
  std::bitset<kDepths> differs_;
  std::array<std::uint32_t, kDepths> found_{};
  std::array<std::uint32_t, kDepths> missed_{};
  std::array<double, kDepths> usual_{};  // smoothed
  std::string before_;
};

// At most `count` points strictly between `last` and `upto`, ascending; none at depths where there
// usually were fewer than `keys_worth` keys from one to the next. All of them are UTF-8 where
// `last` is: some stores refuse another marker.
std::vector<std::string> SplitPoints(const KeyHabits& habits, const StretchLeft& left,
                                     std::size_t count, double keys_worth);

// How many keys may be left, as if they were evenly spread. Infinity where nothing can be said.
double EstimateKeysLeft(const KeyHabits& habits, const StretchLeft& left);

}  // namespace ferry
