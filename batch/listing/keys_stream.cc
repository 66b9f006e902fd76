#include "batch/listing/keys_stream.h"

#include <algorithm>
#include <memory>

#include "batch/base/error.h"
#include "batch/listing/entry_of.h"

namespace ferry {
namespace {

constexpr std::size_t kPageKeys = 1000;  // as many as a listing answers
constexpr std::size_t kPagesAhead = 4;
constexpr std::size_t kExaminedAtOnce = 64;  // of a page
// A listing that answers for fewer keys than this is dearer than to examine them.
constexpr std::size_t kWorthListing = 16;

Task<std::optional<ObjectHead>> HeadOf(ObjectStore& store, Key key) {
  try {
    co_return co_await store.Head(std::move(key));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound || error.code() != "NoSuchKey") throw;
  }
  co_return std::nullopt;
}

void CheckOrder(const ListPage& page, const std::string& prefix, const std::string& after) {
  const std::string* last = &after;
  for (const ListedObject& object : page.objects) {
    const std::string& key = object.key.bytes();
    if (key <= *last || !key.starts_with(prefix)) {
      throw Error(ErrorKind::kCorrupt, "the listing is not in the order of its keys");
    }
    last = &key;
  }
}

}  // namespace

KeysStream::KeysStream(std::vector<ListingPlace> places, std::string prefix, Keys keys,
                       VersionPolicy versions)
    : places_(std::move(places)),
      prefix_(std::move(prefix)),
      keys_(std::move(keys)),
      versions_(versions) {}

KeysStream::~KeysStream() {
  for (const Page& page : pages_) page.found.wait();
}

std::vector<ListedEntry> KeysStream::TakePage() {
  while (true) {
    AskForMore();
    if (pages_.empty()) return {};
    Page page = std::move(pages_.front());
    pages_.pop_front();
    Entries found = page.found.get();
    missing_ += page.keys - found.size();
    if (!found.empty()) return found;
  }
}

void KeysStream::AskForMore() {
  while (!all_asked_ && pages_.size() < kPagesAhead) {
    std::vector<Key> keys = keys_(kPageKeys);
    if (keys.empty()) {
      all_asked_ = true;
      return;
    }
    const ListingPlace place = places_[next_place_++ % places_.size()];
    const std::size_t count = keys.size();
    std::string last = prefix_ + keys.back().bytes();
    const std::function<Task<Entries>()> ask = [this, place, keys = std::move(keys),
                                                before = std::exchange(last_, std::move(last))] {
      return Ask(place, keys, before);
    };
    pages_.push_back({count, place.loop.Submit(ask)});
  }
}

// `before` is a key that lies before them all; empty: nobody knows one.
Task<std::vector<ListedEntry>> KeysStream::Ask(ListingPlace place, std::vector<Key> keys,
                                               std::string before) {
  Entries found;
  std::size_t next = 0;
  while (next < keys.size() && versions_ != VersionPolicy::kCompared) {
    const std::size_t listed = co_await TakeListed(place, keys, next, before, found);
    next += listed;
    if (listed < kWorthListing) break;
    before = prefix_ + keys[next - 1].bytes();
  }
  co_await Examine(place, keys, next, found);
  co_return found;
}

// How many of the keys one page of a listing answers for.
Task<std::size_t> KeysStream::TakeListed(ListingPlace place, const std::vector<Key>& keys,
                                         std::size_t from, std::string before, Entries& found) {
  ListRequest request;
  request.prefix = prefix_;
  request.start_after = before;
  request.keys_max = kPageKeys;
  ListPage page = co_await place.store.List(request);
  CheckOrder(page, prefix_, before);
  auto object = page.objects.begin();
  std::size_t next = from;
  for (; next < keys.size(); ++next) {
    const std::string key = prefix_ + keys[next].bytes();
    while (object != page.objects.end() && object->key.bytes() < key) ++object;
    if (object == page.objects.end()) {
      if (page.truncated) break;
    } else if (object->key.bytes() == key) {
      found.push_back(EntryOf(std::move(*object), keys[next]));
    }
  }
  co_return next - from;
}

Task<Unit> KeysStream::Examine(ListingPlace place, const std::vector<Key>& keys, std::size_t from,
                               Entries& found) {
  for (std::size_t next = from; next < keys.size(); next += kExaminedAtOnce) {
    const std::size_t end = std::min(next + kExaminedAtOnce, keys.size());
    std::deque<Started<std::optional<ObjectHead>>> heads;
    for (std::size_t i = next; i < end; ++i) {
      heads.emplace_back(HeadOf(place.store, Key(prefix_ + keys[i].bytes())));
    }
    for (auto& head : heads) co_await head.End();
    for (std::size_t i = next; i < end; ++i) {
      const std::optional<ObjectHead> head = heads[i - next].Take();
      if (!head) continue;
      found.push_back(EntryOf(*head, keys[i]));
      if (versions_ == VersionPolicy::kCompared) found.back().version = head->version_id;
    }
  }
  co_return Unit{};
}

}  // namespace ferry
