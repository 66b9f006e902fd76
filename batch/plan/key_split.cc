#include "batch/plan/key_split.h"

#include <algorithm>
#include <limits>

#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr int kNone = -1;
constexpr int kBehindAll = 256;
// Of a position: enough to tell one page from the next in any bucket.
constexpr int kDigits = 8;
// With fewer requests none is spent on depths where keys were never seen to differ.
constexpr std::size_t kPointsToExplore = 8;

// A depth whose bytes are mostly not there.
constexpr std::uint32_t kMissesAFind = 4;

constexpr std::string_view kDecimal = "0123456789";
constexpr std::string_view kHexadecimal = "0123456789abcdef";

int ByteAt(std::string_view text, std::size_t depth) {
  return depth < text.size() ? static_cast<unsigned char>(text[depth]) : kNone;
}

std::size_t CommonPrefix(std::string_view one, std::string_view other) {
  const auto ends =
      std::mismatch(one.begin(), one.begin() + std::min(one.size(), other.size()), other.begin());
  return static_cast<std::size_t>(ends.first - one.begin());
}

bool AllAmong(const std::bitset<256>& bytes, std::string_view some) {
  std::size_t found = 0;
  for (const char byte : some) found += bytes[static_cast<unsigned char>(byte)] ? 1 : 0;
  return found == bytes.count();
}

std::string Listed(const std::bitset<256>& bytes) {
  std::string listed;
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    if (bytes[byte]) listed.push_back(static_cast<char>(byte));
  }
  return listed;
}

// At most `count` of them, evenly spaced.
template <typename Sequence>
Sequence Thin(const Sequence& all, std::size_t count) {
  if (all.size() <= count) return all;
  Sequence chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[i * all.size() / count]);
  return chosen;
}

// A point that ends within a character is completed by the least bytes that may follow.
std::optional<std::string> Completed(const std::string& point) {
  constexpr std::string_view kTails[] = {"",     "\x80",     "\x80\x80", "\x80\x80\x80",
                                         "\xA0", "\xA0\x80", "\x90\x80", "\x90\x80\x80"};
  for (const std::string_view tail : kTails) {
    std::string whole = point + std::string(tail);
    if (IsUtf8(whole)) return whole;
  }
  return std::nullopt;
}

class Splitter {
 public:
  Splitter(const KeyHabits& habits, const StretchLeft& left, double keys_worth)
      : habits_(habits),
        keys_worth_(keys_worth),
        left_(left),
        utf8_(IsUtf8(left.last)),
        top_(left.upto ? CommonPrefix(left.last, *left.upto) : 0),
        // What differs within a page need not be divided.
        bottom_(std::max(top_, CommonPrefix(left.page_first, left.last))) {}

  // At the shallowest depth where keys are known to differ, the stretch is divided by all bytes. At
  // others only what follows at once is tried, and mostly found empty.
  std::vector<std::string> Points(std::size_t count) {
    std::optional<std::size_t> fan;
    std::vector<std::size_t> known, unknown;
    for (std::size_t depth = top_; depth <= bottom_; ++depth) {
      if (!IsWorth(depth) || BytesAt(depth).empty()) continue;
      if (!habits_.Differs(depth)) {
        unknown.push_back(depth);
      } else if (!fan) {
        fan = depth;
      } else {
        known.push_back(depth);
      }
    }
    std::vector<std::size_t> depths = fan ? known : unknown;
    if (count >= kPointsToExplore) {
      depths = known;
      depths.insert(depths.end(), unknown.begin(), unknown.end());
    }
    for (const std::size_t depth : Thin(depths, fan ? count / 2 : count)) {
      Add(depth, BytesAt(depth).front());
    }
    if (fan) {
      for (const char byte : Thin(BytesAt(*fan), count - points_.size())) Add(*fan, byte);
    }
    std::sort(points_.begin(), points_.end());
    points_.erase(std::unique(points_.begin(), points_.end()), points_.end());
    return std::move(points_);
  }

 private:
  bool IsWorth(std::size_t depth) const {
    const std::optional<double> usual = habits_.UsualKeys(depth);
    return habits_.WorthTrying(depth) && (!usual || *usual >= keys_worth_);
  }

  // Those that may come after that of `last`.
  std::string BytesAt(std::size_t depth) const {
    const bool bounded = left_.upto && depth == top_;
    int high = bounded ? ByteAt(*left_.upto, depth) : kBehindAll;
    // Of a bound that goes on below this depth the byte itself is a point before it.
    if (bounded && left_.upto->size() > depth + 1) high += 1;
    const int low = ByteAt(left_.last, depth);
    const auto outside = [low, high](char one) {
      const auto byte = static_cast<unsigned char>(one);
      return byte <= low || byte >= high;
    };
    std::string bytes = habits_.BytesAt(depth);
    std::erase_if(bytes, outside);
    if (!bytes.empty() || habits_.Differs(depth)) return bytes;
    bytes = habits_.AllBytes();
    std::erase_if(bytes, outside);
    return bytes;
  }

  void Add(std::size_t depth, char byte) {
    std::string point(left_.last.substr(0, depth));
    point += byte;
    if (utf8_) {
      const std::optional<std::string> whole = Completed(point);
      if (!whole) return;
      point = *whole;
    }
    if (point <= left_.last || (left_.upto && point >= *left_.upto)) return;
    points_.push_back(std::move(point));
  }

  const KeyHabits& habits_;
  const double keys_worth_;
  const StretchLeft& left_;
  const bool utf8_;
  const std::size_t top_;
  const std::size_t bottom_;
  std::vector<std::string> points_;
};

// A key as a fraction, its bytes from `depth` on being digits: each of its own base, how many bytes
// may stand there.
double Position(const KeyHabits& habits, std::string_view key, std::size_t depth) {
  double unit = 1;
  double position = 0;
  int digits = 0;
  for (std::size_t i = depth; i < key.size() && digits < kDigits; ++i) {
    const std::string bytes = habits.BytesAt(i);
    const auto byte = static_cast<unsigned char>(key[i]);
    const auto rank = std::count_if(bytes.begin(), bytes.end(), [byte](char one) {
      return static_cast<unsigned char>(one) < byte;
    });
    // Where one byte only may stand, another one is before or behind all of them.
    if (bytes.size() == 1 && bytes.front() != key[i]) {
      return position + unit * static_cast<double>(rank);
    }
    if (bytes.size() <= 1) continue;
    unit /= static_cast<double>(bytes.size());
    position += unit * static_cast<double>(rank);
    digits += 1;
  }
  return position;
}

// Whether no point of a division by the last byte of `after` lies between the two.
bool IsOneSubtree(const KeyHabits& habits, std::string_view after, std::string_view upto) {
  if (after.empty()) return false;
  const std::size_t depth = after.size() - 1;
  if (CommonPrefix(after, upto) < std::min(depth, upto.size() - 1)) return false;
  const int low = ByteAt(after, depth);
  const int high = upto.size() > depth ? ByteAt(upto, depth) : kBehindAll;
  const std::string bytes = habits.BytesAt(depth);
  return std::none_of(bytes.begin(), bytes.end(), [low, high](char one) {
    const auto byte = static_cast<unsigned char>(one);
    return byte > low && byte < high;
  });
}

}  // namespace

void KeyHabits::Learn(std::string_view key) {
  for (const char byte : key) bytes_.set(static_cast<unsigned char>(byte));
  for (std::size_t depth = 0; depth < std::min(key.size(), kDepths); ++depth) {
    at_depth_[depth].set(static_cast<unsigned char>(key[depth]));
  }
  if (!before_.empty()) {
    const std::size_t depth = CommonPrefix(before_, key);
    if (depth < kDepths) differs_.set(depth);
  }
  before_ = key;
}

void KeyHabits::Found(std::string_view point, std::string_view key) {
  if (point.empty() || point.size() > kDepths) return;
  if (CommonPrefix(point, key) + 1 >= point.size()) differs_.set(point.size() - 1);
}

void KeyHabits::Tried(const StretchLeft& read, bool divided) {
  if (read.after.empty() || read.after.size() > kDepths) return;
  const std::size_t depth = read.after.size() - 1;
  if (read.keys_read == 0) {
    missed_[depth] += 1;
    return;
  }
  found_[depth] += 1;
  // Only the next point of that depth tells how much there was to it.
  if (divided || !read.upto || !IsOneSubtree(*this, read.after, *read.upto)) return;
  const auto some = static_cast<double>(read.keys_read);
  usual_[depth] = usual_[depth] == 0 ? some : (usual_[depth] * 3 + some) / 4;
}

std::optional<double> KeyHabits::UsualKeys(std::size_t depth) const {
  if (depth >= kDepths || usual_[depth] == 0) return std::nullopt;
  return usual_[depth];
}

bool KeyHabits::WorthTrying(std::size_t depth) const {
  constexpr std::uint32_t kMissesAtFirst = 2;
  if (depth >= kDepths) return true;
  return missed_[depth] < std::max(kMissesAtFirst, kMissesAFind * found_[depth]);
}

std::string KeyHabits::BytesAt(std::size_t depth) const {
  const std::bitset<256>& seen = depth < kDepths ? at_depth_[depth] : bytes_;
  if (seen.any() && AllAmong(seen, kDecimal)) return std::string(kDecimal);
  if (seen.any() && AllAmong(seen, kHexadecimal)) return std::string(kHexadecimal);
  return Listed(seen.any() && !Differs(depth) ? seen : bytes_);
}

std::string KeyHabits::AllBytes() const { return Listed(bytes_); }

std::vector<std::string> SplitPoints(const KeyHabits& habits, const StretchLeft& left,
                                     std::size_t count, double keys_worth) {
  if (count == 0 || left.last.empty()) return {};
  return Splitter(habits, left, keys_worth).Points(count);
}

double EstimateKeysLeft(const KeyHabits& habits, const StretchLeft& left) {
  double guess = std::numeric_limits<double>::infinity();
  if (!left.upto) return guess;
  if (IsOneSubtree(habits, left.after, *left.upto)) {
    const std::optional<double> usual = habits.UsualKeys(left.after.size() - 1);
    if (usual) guess = std::max(*usual - static_cast<double>(left.keys_read), *usual / 8);
  }
  const std::size_t depth = CommonPrefix(left.first, *left.upto);
  const double first = Position(habits, left.first, depth);
  const double last = Position(habits, left.last, depth);
  const double end = Position(habits, *left.upto, depth);
  if (last <= first) return guess;
  const double even = static_cast<double>(left.keys_read) * std::max(0.0, end - last);
  return std::min(guess, even / (last - first));
}

}  // namespace ferry
