#include "batch/listing/key_ranges.h"

#include <algorithm>
#include <utility>

#include "batch/base/check.h"
#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::size_t kGrowth = 4;  // when the reader waits
constexpr std::size_t kGrowthFarAway = 64;
// What is read last is fetched last.
constexpr std::size_t kRangesFetched = 128;
constexpr std::size_t kRangesNear = 16;
constexpr std::size_t kRangesNext = 4;
constexpr std::size_t kKeysAhead = 8000;  // of one range
constexpr std::size_t kRangesMax = 4096;
constexpr std::size_t kLearnEvery = 64;  // keys
constexpr std::uint32_t kPageKeys = 1000;
constexpr std::uint32_t kKeysAtFirst = 250;  // of a range that is far away
constexpr double kKeysToSpare = 1.25;
constexpr std::size_t kRequestsFarAway = 32;  // when so many are of use
// What a full page takes to be parsed, compared and let go, within a factor of two or so.
constexpr std::chrono::microseconds kPageWork{2000};
constexpr std::size_t kRequestsMin = 2;  // one page is read while the next one comes
constexpr std::size_t kRequestsToDivide = 4;
// From one page that is fetched for nothing in a range of so many, to next to none.
constexpr double kPagesWorthARangeMin = 2;
constexpr double kPagesWorthARangeMax = 16;

// Whether pages wait for each other at the store. On a long way they wait for packets that were
// lost, and more of them at once change nothing.
bool IsBusy(std::chrono::microseconds fastest, std::chrono::microseconds usual) {
  constexpr std::chrono::milliseconds kWhereManyAreLost{100};
  return usual > fastest * (fastest < kWhereManyAreLost ? 2 : 10);
}

}  // namespace

KeyRanges::KeyRanges(KeyRangesOptions options)
    : options_(std::move(options)), seeks_(options_.versions ? Seeks::kYes : Seeks::kUnknown) {
  ranges_.emplace_back().id = next_id_++;
}

// More would wait for each other at the reader.
std::size_t KeyRanges::UsefulRequests() const {
  if (!fastest_page_) return kRequestsMin;
  return std::clamp(static_cast<std::size_t>(*fastest_page_ / kPageWork), kRequestsMin,
                    options_.requests_max);
}

bool KeyRanges::IsFarAway() const { return UsefulRequests() >= kRequestsFarAway; }

// What the reader waits for may be divided finely, where requests for it cost nothing but waiting.
double KeyRanges::KeysWorthARange(std::size_t index) const {
  if (IsFarAway()) return index == 0 ? kKeysAtFirst : 2 * kKeysAtFirst;
  const double pages = 100.0 / static_cast<double>(UsefulRequests());
  return kPageKeys * std::clamp(pages, kPagesWorthARangeMin, kPagesWorthARangeMax);
}

std::optional<KeyRanges::Fetch> KeyRanges::NextFetch() {
  if (in_flight_ >= requests_allowed()) return std::nullopt;
  Range* const range = FindFetchable();
  if (range == nullptr) return std::nullopt;
  range->in_flight = true;
  in_flight_ += 1;
  const std::uint32_t keys = KeysToAsk(*range);
  asked_keys_ += keys;
  // Whether the store heeds a key to begin after is found out once, where nothing depends on it.
  if (seeks_ == Seeks::kUnknown && range->keys_read > 0) {
    seeks_ = Seeks::kAsked;
    return Fetch{range->id, {range->last, "", "", false}, keys};
  }
  return Fetch{range->id, range->cursor, keys};
}

// How many more keys may be asked for, for the range of that place in the order: what is far leaves
// room for what is near.
std::size_t KeyRanges::RoomFor(std::size_t index) const {
  const double share = index < kRangesNext ? 1.0 : index < kRangesNear ? 7.0 / 8 : 3.0 / 4;
  const auto left = [share](std::size_t most, double held) {
    return std::max(0.0, share * static_cast<double>(most) - held);
  };
  const double keys = left(options_.held_keys_max, static_cast<double>(held_keys_ + asked_keys_));
  const double bytes =
      left(options_.held_bytes_max,
           static_cast<double>(held_bytes_) + static_cast<double>(asked_keys_) * usual_key_bytes_);
  return static_cast<std::size_t>(std::min(keys, bytes / usual_key_bytes_));
}

// Of a bucket that is far away: what a range is likely to have. What is asked for in vain takes as
// long as what is not, where a connection sends a megabit a second.
std::uint32_t KeyRanges::KeysToAsk(const Range& range) const {
  if (!IsFarAway()) return kPageKeys;
  if (seeks_ == Seeks::kUnknown) return kKeysAtFirst;  // what comes of it is what matters
  double left = range.keys_left;
  if (range.keys_read == 0) {
    if (range.after.empty()) return kPageKeys;
    left = habits_.UsualKeys(Below(range.after).size() - 1).value_or(kKeysAtFirst);
  }
  return static_cast<std::uint32_t>(
      std::clamp<double>(left * kKeysToSpare, kKeysAtFirst / 2, kPageKeys));
}

bool KeyRanges::IsFetchable(const Range& range, std::size_t index) const {
  if (range.done || range.in_flight) return false;
  const bool needed_next = &range == &ranges_.front() && range.held_keys == 0;
  if (needed_next) return true;
  return RoomFor(index) >= kPageKeys && range.held_keys < kKeysAhead;
}

// What is needed first comes first: a range that has its request is divided before those behind it
// get one.
KeyRanges::Range* KeyRanges::FindFetchable() {
  std::size_t index = 0;  // among those that are not read yet
  for (auto range = ranges_.begin(); range != ranges_.end() && index < kRangesFetched; ++range) {
    if (range->done) continue;
    if (IsFetchable(*range, index)) {
      // What goes to others need not be asked for here.
      if (IsFarAway()) Divide(range, index);
      return &*range;
    }
    if (Divide(range, index++)) return &*std::next(range);
  }
  return nullptr;
}

// False: it is not worth it, or nobody knows where.
bool KeyRanges::Divide(Ranges::iterator left, std::size_t index) {
  const double worth = KeysWorthARange(index);
  if (left->done || left->undividable || left->keys_left < 2 * worth) return false;
  if (seeks_ != Seeks::kYes || ranges_.size() >= kRangesMax) return false;
  if (RoomFor(index) < kPageKeys) return false;
  if (UsefulRequests() < kRequestsToDivide) return false;
  // From its first pages nobody knows how long it is, and most buckets are short.
  if (!IsFarAway() && static_cast<double>(left->keys_read) < worth) return false;
  const double pieces = std::min<double>(left->keys_left / worth - 1, kRangesMax);
  const std::size_t count =
      std::min({requests_allowed() - in_flight_, RoomFor(index) / kPageKeys,
                kRangesMax - ranges_.size(), static_cast<std::size_t>(pieces)});
  std::vector<std::string> points = SplitPoints(habits_, LeftOf(*left), count, kKeysAtFirst / 2.0);
  if (points.empty()) {
    left->undividable = true;  // until its next page
    return false;
  }
  left->divided = true;
  std::optional<std::string> end = std::exchange(left->upto, options_.prefix + points.front());
  auto behind = std::next(left);
  for (std::size_t i = 0; i < points.size(); ++i) {
    Range range;
    range.id = next_id_++;
    range.after = options_.prefix + points[i];
    range.last = range.after;
    range.cursor.after = range.after;
    if (i + 1 < points.size()) range.upto = options_.prefix + points[i + 1];
    ranges_.insert(behind, std::move(range));
  }
  std::prev(behind)->upto = std::move(end);
  left->keys_left = EstimateKeysLeft(habits_, LeftOf(*left));
  return true;
}

std::string_view KeyRanges::Below(std::string_view key) const {
  return key.substr(std::min(key.size(), options_.prefix.size()));
}

StretchLeft KeyRanges::LeftOf(const Range& range) const {
  StretchLeft left;
  left.after = Below(range.after);
  left.first = Below(range.first);
  left.keys_read = range.keys_read;
  left.page_first = Below(range.page_first);
  left.last = Below(range.last);
  if (range.upto) left.upto = Below(*range.upto);
  return left;
}

void KeyRanges::Arrived(const Fetch& fetch, ListingPage page, std::chrono::microseconds took) {
  const auto range = std::find_if(ranges_.begin(), ranges_.end(),
                                  [&](const Range& one) { return one.id == fetch.range; });
  FERRY_CHECK(range != ranges_.end() && range->in_flight);
  range->in_flight = false;
  range->undividable = false;
  in_flight_ -= 1;
  asked_keys_ -= fetch.keys_max;
  arrived_since_growth_ += 1;
  // The first page of a range often comes over a new connection.
  const bool usual = range->keys_read > 0 || range->after.empty();
  if (usual && page.next) TakeTime(took);
  if (seeks_ == Seeks::kAsked && !LearnSeeks(*range, page)) return;
  const auto keys = static_cast<std::uint32_t>(page.entries.size());
  TakeEntries(*range, std::move(page.entries));
  TakeNext(*range, page.next);
  if (range->done && !range->is_seam) habits_.Tried(LeftOf(*range), range->divided);
  if (range->keys_read == 0) return;
  range->keys_left = EstimateKeysLeft(habits_, LeftOf(*range));
  // A range that goes on and on has more than it is taken to have.
  range->full_pages = keys >= fetch.keys_max ? range->full_pages + 1 : 0;
  if (range->full_pages > 1) {
    range->keys_left = std::max(range->keys_left, (range->full_pages - 1.0) * keys);
  }
}

// False: the page is none; it is to be fetched again by its token.
bool KeyRanges::LearnSeeks(Range& range, const ListingPage& page) {
  // Where the store says that there is more, a page without keys is no answer either.
  const bool heeded = !page.entries.empty() && page.entries.front().key.bytes() > range.last;
  seeks_ = heeded ? Seeks::kYes : Seeks::kNo;
  return heeded;
}

// False: the key is to be passed over. Throws where the listing may not decide anything.
bool KeyRanges::KeepsOrder(const Range& range, std::string_view last, std::string_view key) const {
  if (!key.starts_with(options_.prefix)) {
    throw Error(ErrorKind::kCorrupt,
                options_.what + ": the listing has a key outside its prefix: " + EscapeBytes(key));
  }
  const bool first_of_all = last.empty();
  if (first_of_all || key > last) return true;
  // The latest version of a key may be deleted between two pages: the next one is it then, too. And
  // the versions of the key that a range begins after are among those of the range before it: RGW
  // lists them again (tracker 68055).
  if (options_.versions && key == range.last) return false;
  throw Error(ErrorKind::kCorrupt,
              options_.what + ": the listing is not in key order at " + EscapeBytes(key));
}

void KeyRanges::TakeEntries(Range& range, std::vector<ListedEntry> entries) {
  std::vector<ListedEntry> kept;
  kept.reserve(entries.size());
  std::string beyond;
  habits_.BeginStretch();
  if (range.keys_read > 0) habits_.Learn(Below(range.last));
  for (ListedEntry& entry : entries) {
    const std::string& key = entry.key.bytes();
    if (!KeepsOrder(range, beyond.empty() ? range.last : beyond, key)) continue;
    if (range.upto && key > *range.upto) {
      if (!range.done) range.beyond = key;
      range.done = true;
      beyond = key;  // what follows must be in order, too
      continue;
    }
    range.last = key;
    range.keys_read += 1;
    if (kept.size() % kLearnEvery == 0) habits_.Learn(Below(key));
    if (range.keys_read == 1) {
      range.first = key;
      if (!range.is_seam) habits_.Found(Below(range.after), Below(key));
    }
    if (kept.empty()) range.page_first = key;
    entry.key = Key(key.substr(options_.prefix.size()));
    kept.push_back(std::move(entry));
  }
  if (!kept.empty()) Hold(range, std::move(kept));
}

void KeyRanges::Hold(Range& range, std::vector<ListedEntry> kept) {
  const std::size_t keys = kept.size();
  std::size_t bytes = 0;
  if (&range == &ranges_.front() && !range.page && range.pages.empty()) {
    for (const ListedEntry& entry : kept) bytes += PackedPage::BytesOf(entry);
    range.page = std::move(kept);
    range.page_bytes = bytes;
  } else {
    bytes = range.pages.emplace_back(kept).bytes();
  }
  const double each = static_cast<double>(bytes) / static_cast<double>(keys);
  usual_key_bytes_ = std::max(each, (usual_key_bytes_ * 15 + each) / 16);
  held_bytes_ += bytes;
  held_keys_ += keys;
  range.held_keys += keys;
}

void KeyRanges::TakeNext(Range& range, const std::optional<ListingCursor>& next) {
  if (!next) range.done = true;
  // Versions that are not the latest make no entries: what is behind the range is not read on.
  if (options_.versions && next && range.upto && next->token > *range.upto) range.done = true;
  if (range.done) return;
  if (next->token.empty() || range.rounds.GoesRound(*next)) {
    throw Error(ErrorKind::kCorrupt,
                options_.what + ": the listing says that it goes on, but not where");
  }
  range.cursor = *next;
}

// What it saw beyond its end is what comes next.
void KeyRanges::Leave(const Range& range) {
  if (range.beyond.empty() || range.is_seam || (due_ && *due_ <= range.beyond)) return;
  due_ = range.beyond;
  before_due_ = range.last;
}

// Whether what comes next is not what is due; then the seam is a range that comes before it.
bool KeyRanges::ListSeamAgain() {
  if (!due_) return false;
  const std::string due = *std::exchange(due_, std::nullopt);
  if (!ranges_.empty() && ranges_.front().first <= due) return false;
  Range& seam = ranges_.emplace_front();
  seam.id = next_id_++;
  seam.is_seam = true;
  seam.after = seam.last = seam.cursor.after = before_due_;
  seam.upto = due;
  return true;
}

std::optional<std::vector<ListedEntry>> KeyRanges::TakePage() {
  while (!ranges_.empty() || ListSeamAgain()) {
    Range& front = ranges_.front();
    const bool at_its_first = front.page || !front.pages.empty();
    if (at_its_first && ListSeamAgain()) continue;
    if (!front.page && !front.pages.empty()) {
      front.page = front.pages.front().Unpack();
      front.page_bytes = front.pages.front().bytes();
      front.pages.erase(front.pages.begin());
    }
    if (front.page) {
      held_bytes_ -= front.page_bytes;
      held_keys_ -= front.page->size();
      front.held_keys -= front.page->size();
      return std::exchange(front.page, std::nullopt);
    }
    if (!front.done) return std::nullopt;
    Leave(front);
    ranges_.pop_front();
  }
  return std::nullopt;
}

void KeyRanges::TakeTime(std::chrono::microseconds took) {
  fastest_page_ = fastest_page_ ? std::min(*fastest_page_, took) : took;
  usual_page_ = usual_page_.count() == 0 ? took : (usual_page_ * 3 + took) / 4;
  if (!IsBusy(*fastest_page_, usual_page_) || arrived_since_growth_ < allowed_) return;
  allowed_ = std::max<std::size_t>(1, allowed_ / 2);
  arrived_since_growth_ = 0;
}

void KeyRanges::Starved() {
  if (in_flight_ < requests_allowed() || arrived_since_growth_ == 0) return;
  if (fastest_page_ && IsBusy(*fastest_page_, usual_page_)) return;
  allowed_ = std::min(options_.requests_max, allowed_ * (IsFarAway() ? kGrowthFarAway : kGrowth));
  arrived_since_growth_ = 0;
}

}  // namespace ferry
