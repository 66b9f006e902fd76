#include "batch/copy/range_compare.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ferry {
namespace {

// Two streams of the same length, compared where they meet.
class Meeting {
 public:
  explicit Meeting(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void Push(Side side, std::string_view bytes) {
    pushed_[Index(side)] += bytes.size();
    if (differs_at_) return;  // the rest of a range is not worth an error
    if (ahead_ != side) bytes.remove_prefix(Meet(bytes));
    if (bytes.empty() || differs_at_) return;
    ahead_ = side;
    if (waiting_.capacity() < bytes_max_) waiting_.reserve(bytes_max_);
    waiting_.append(bytes);
  }

  std::uint64_t pushed(Side side) const { return pushed_[Index(side)]; }
  std::optional<std::uint64_t> differs_at() const { return differs_at_; }

 private:
  static std::size_t Index(Side side) { return side == Side::kSource ? 0 : 1; }

  // How many of `bytes` the other side had sent already.
  std::size_t Meet(std::string_view bytes) {
    const std::string_view theirs = std::string_view(waiting_).substr(used_, bytes.size());
    const std::string_view ours = bytes.substr(0, theirs.size());
    if (ours != theirs) {
      const auto first = std::mismatch(ours.begin(), ours.end(), theirs.begin()).first;
      differs_at_ = compared_ + static_cast<std::uint64_t>(first - ours.begin());
      waiting_ = {};
      return bytes.size();
    }
    compared_ += ours.size();
    used_ += ours.size();
    if (used_ == waiting_.size()) {
      waiting_.clear();
      used_ = 0;
    }
    return ours.size();
  }

  const std::size_t bytes_max_;
  std::array<std::uint64_t, 2> pushed_{};
  Side ahead_ = Side::kSource;
  std::string waiting_;   // of the side that is ahead
  std::size_t used_ = 0;  // of `waiting_`
  std::uint64_t compared_ = 0;
  std::optional<std::uint64_t> differs_at_;
};

Task<ObjectHead> ReadSide(ObjectStore& store, Side side, GetRequest get, Meeting& meeting,
                          Traffic& traffic) {
  WatchingSink sink([&](std::string_view piece) {
    traffic.read_bytes += piece.size();
    meeting.Push(side, piece);
  });
  std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
  const ObjectHead head = co_await On(side, store.Get(get, sink, ignore));
  if (meeting.pushed(side) != get.expected_bytes) {
    throw SideError(side,
                    Error(ErrorKind::kUnavailable, "fewer or more bytes came than there are"));
  }
  co_return head;
}

GetRequest GetOf(const RangeToCompare& range, const Key& key, const std::string& etag) {
  GetRequest get;
  get.key = key;
  get.if_match = etag;
  get.expected_bytes = range.size_bytes;
  if (range.size_bytes < range.object_bytes) {
    get.first_byte = range.first_byte;
    get.range_bytes = range.size_bytes;
  }
  return get;
}

}  // namespace

Task<RangeComparison> CompareRange(Ends ends, RangeToCompare range, Traffic& traffic) {
  Meeting meeting(static_cast<std::size_t>(range.size_bytes));
  const GetRequest there = GetOf(range, range.destination_key, range.destination_etag);
  const GetRequest here = GetOf(range, range.source_key, range.source_etag);
  Started<ObjectHead> destination(
      ReadSide(ends.destination, Side::kDestination, there, meeting, traffic));
  Started<ObjectHead> source(ReadSide(ends.source, Side::kSource, here, meeting, traffic));
  co_await source.End();
  co_await destination.End();
  RangeComparison comparison;
  comparison.source = source.Take();
  comparison.destination = destination.Take();
  if (meeting.differs_at()) comparison.differs_at = range.first_byte + *meeting.differs_at();
  co_return comparison;
}

}  // namespace ferry
