// KeyRanges: one listing as many, side by side. The key space below a prefix is tiled by ranges
// (after, upto]; each is listed page by page by requests of its own; together, in their order,
// they are the listing. Knows no store and no thread: it says what to fetch next, and takes what
// came.
//
// The listing is complete whatever the ranges are: the first begins at the start, the last has no
// end, each begins where the one before ends, and a range ends only at a key beyond it or at the
// end of the listing. That key must come next: where it does not, because it was deleted meanwhile
// or because the store is wrong about where a key of our choice lies, the seam is listed again, on
// from the last key before it. Pages that are not strictly increasing, or leave the prefix, throw.
//
// How many requests run at once is found out: more whenever the reader has to wait, as long as a
// page takes much longer to come than to be read, and not much longer than when there were few.
// Ranges are divided only when requests may run that have nothing to fetch, the one that is needed
// first before the others: at its end a range has read half a page too much on average, which is
// nothing where a page takes long to come, and much where it is there at once: there it is divided
// once it has proved long. Of a bucket far away a range is divided before it is asked for more, and
// asked for what it is likely to have. Memory is bounded by the keys that may be held; the range
// whose page is needed next is never held back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "batch/listing/packed_page.h"
#include "batch/plan/key_split.h"
#include "batch/plan/object.h"
#include "batch/plan/rounds.h"

namespace ferry {

// Where a page begins.
struct ListingCursor {
  std::string after;    // a key; used where there is no token
  std::string token;    // of the page before; of versions: the key marker
  std::string version;  // of versions: the version id marker
  bool marker = false;  // the token is a key: V1
  friend bool operator==(const ListingCursor&, const ListingCursor&) = default;
};

struct ListingPage {
  std::vector<ListedEntry> entries;   // whole keys
  std::optional<ListingCursor> next;  // nullopt: the listing is at its end
};

struct KeyRangesOptions {
  std::string prefix;
  std::string what;  // the bucket's name, in errors
  // The versions are listed: a key may come again on the next page, and a page may begin after any
  // key. Of plain listings that is found out: not all stores heed start-after.
  bool versions = false;
  std::size_t requests_max = 64;
  // Of what is held or on its way; how many bytes that will be is an estimate.
  std::size_t held_keys_max = 512'000;
  std::size_t held_bytes_max = std::size_t{32} << 20;
};

class KeyRanges {
 public:
  explicit KeyRanges(KeyRangesOptions options);

  // Of one page, until Arrived() was told.
  struct Fetch {
    std::uint64_t range = 0;
    ListingCursor from;
    std::uint32_t keys_max = 0;
  };
  // nullopt: nothing may be fetched now. Ask again after Arrived() and TakePage().
  std::optional<Fetch> NextFetch();

  // What came of it, and how long it took. Throws Error{kCorrupt}.
  void Arrived(const Fetch& fetch, ListingPage page, std::chrono::microseconds took);

  // The next entries in key order, keys without the prefix; nullopt: they are not there yet.
  std::optional<std::vector<ListedEntry>> TakePage();
  bool AtEnd() const { return ranges_.empty(); }

  // The reader has to wait for the page that comes next.
  void Starved();

  std::size_t requests_allowed() const { return std::min(allowed_, UsefulRequests()); }
  std::size_t in_flight() const { return in_flight_; }
  std::size_t ranges() const { return ranges_.size(); }

 private:
  struct Range {
    std::uint64_t id = 0;
    std::string after;                // exclusive
    std::optional<std::string> upto;  // inclusive
    std::string beyond;               // the key that ended it; empty: none
    bool is_seam = false;             // of two others, listed again
    ListingCursor cursor;
    bool in_flight = false;
    bool done = false;
    bool divided = false;                 // it ends sooner than at first
    bool undividable = false;             // nobody knows where, until its next page
    std::string first, page_first, last;  // keys read; `last` is `after` before the first
    std::size_t keys_read = 0;
    int full_pages = 0;    // in a row
    double keys_left = 0;  // an estimate
    std::size_t held_keys = 0;
    std::optional<std::vector<ListedEntry>> page;  // of the first range, to be taken next
    std::size_t page_bytes = 0;                    // of it, as PackedPage counts
    std::vector<PackedPage> pages;                 // behind it
    RoundsWatch<ListingCursor> rounds;
  };
  using Ranges = std::list<Range>;

  // Whether pages may begin after a key of our choice.
  enum class Seeks { kUnknown, kAsked, kYes, kNo };

  std::size_t UsefulRequests() const;
  bool IsFarAway() const;
  double KeysWorthARange(std::size_t index) const;
  std::size_t RoomFor(std::size_t index) const;
  std::uint32_t KeysToAsk(const Range& range) const;
  bool IsFetchable(const Range& range, std::size_t index) const;
  Range* FindFetchable();
  bool Divide(Ranges::iterator left, std::size_t index);
  StretchLeft LeftOf(const Range& range) const;
  std::string_view Below(std::string_view key) const;
  bool LearnSeeks(Range& range, const ListingPage& page);
  void Hold(Range& range, std::vector<ListedEntry> kept);
  void TakeEntries(Range& range, std::vector<ListedEntry> entries);
  void TakeNext(Range& range, const std::optional<ListingCursor>& next);
  bool KeepsOrder(const Range& range, std::string_view last, std::string_view key) const;
  void Leave(const Range& range);
  bool ListSeamAgain();
  void TakeTime(std::chrono::microseconds took);

  const KeyRangesOptions options_;
  Ranges ranges_;
  std::uint64_t next_id_ = 1;
  Seeks seeks_;
  KeyHabits habits_;
  // Of the ranges that were read: the least key beyond one of them, and the last key before it.
  std::optional<std::string> due_;
  std::string before_due_;
  std::size_t in_flight_ = 0;
  std::size_t held_keys_ = 0;
  std::size_t held_bytes_ = 0;
  std::size_t asked_keys_ = 0;    // on their way
  double usual_key_bytes_ = 100;  // of the longest that came lately: keys of a stretch are alike

  std::size_t allowed_ = 1;
  std::size_t arrived_since_growth_ = 0;
  std::optional<std::chrono::microseconds> fastest_page_;
  std::chrono::microseconds usual_page_{0};  // smoothed
};

}  // namespace ferry
