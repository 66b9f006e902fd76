#include "batch/listing/listing_stream.h"

#include "batch/base/error.h"
#include "batch/listing/entry_of.h"

namespace ferry {

ListingStream::ListingStream(std::vector<ListingPlace> places, std::string prefix, std::string what,
                             VersionPolicy versions)
    : places_(std::move(places)),
      prefix_(prefix),
      versions_(versions),
      ranges_({.prefix = std::move(prefix),
               .what = std::move(what),
               .versions = versions == VersionPolicy::kCompared}) {
  const MutexLock lock(mutex_);
  FetchWhatMayBe();
}

ListingStream::~ListingStream() {
  MutexLock lock(mutex_);
  if (!error_) error_ = std::make_exception_ptr(Error(ErrorKind::kStopped, "stopped"));
  while (on_their_way_ > 0) changed_.Wait(mutex_);
}

Task<ListingPage> ListingStream::FetchObjects(ListingPlace place, KeyRanges::Fetch fetch) {
  ListRequest request;
  request.prefix = prefix_;
  request.keys_max = fetch.keys_max;
  request.start_after = fetch.from.after;
  if (!fetch.from.token.empty()) request.continuation_token = fetch.from.token;
  request.token_is_marker = fetch.from.marker;
  ListPage listed = co_await place.store.List(request);
  ListingPage page;
  page.entries.reserve(listed.objects.size());
  for (ListedObject& object : listed.objects) {
    Key key = std::move(object.key);
    page.entries.push_back(EntryOf(std::move(object), std::move(key)));
  }
  if (listed.truncated) {
    page.next = ListingCursor{"", listed.continuation_token.value_or(""), "",
                              listed.shape == ListShape::kV1};
  }
  co_return page;
}

Task<ListingPage> ListingStream::FetchVersions(ListingPlace place, KeyRanges::Fetch fetch) {
  ListVersionsRequest request;
  request.prefix = prefix_;
  request.keys_max = fetch.keys_max;
  request.key_marker = fetch.from.token.empty() ? fetch.from.after : fetch.from.token;
  request.version_id_marker = fetch.from.version;
  ListVersionsPage listed = co_await place.store.ListVersions(request);
  ListingPage page;
  for (ListedVersion& one : listed.versions) {
    if (!one.latest || one.delete_marker) continue;
    Key key = std::move(one.object.key);
    page.entries.push_back(EntryOf(std::move(one.object), std::move(key)));
    page.entries.back().version = std::move(one.version_id);
  }
  if (listed.truncated) {
    page.next = ListingCursor{"", listed.next_key_marker, listed.next_version_id_marker, false};
  }
  co_return page;
}

// Nothing here may throw out of the task: nobody would see it.
Task<Unit> ListingStream::FetchOne(ListingPlace place, KeyRanges::Fetch fetch) {
  const SteadyTime began = place.loop.clock().SteadyNow();
  ListingPage page;
  std::exception_ptr error;
  try {
    if (versions_ == VersionPolicy::kCompared) {
      page = co_await FetchVersions(place, fetch);
    } else {
      page = co_await FetchObjects(place, fetch);
    }
  } catch (...) {
    error = std::current_exception();
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(place.loop.clock().SteadyNow() - began);
  const MutexLock lock(mutex_);
  on_their_way_ -= 1;
  try {
    if (error) std::rethrow_exception(error);
    if (!error_) ranges_.Arrived(fetch, std::move(page), took);
    FetchWhatMayBe();
  } catch (...) {
    Fail(std::current_exception());
  }
  changed_.NotifyAll();
  co_return Unit{};
}

void ListingStream::FetchWhatMayBe() {
  while (!error_) {
    const std::optional<KeyRanges::Fetch> fetch = ranges_.NextFetch();
    if (!fetch) return;
    const ListingPlace place = places_[next_place_++ % places_.size()];
    on_their_way_ += 1;
    const bool posted = place.loop.Post([this, place, fetch = *fetch] {
      Detach(FetchOne(place, fetch), [](const std::optional<Unit>&, const std::exception_ptr&) {});
    });
    if (posted) continue;
    on_their_way_ -= 1;
    Fail(std::make_exception_ptr(Error(ErrorKind::kStopped, "stopped")));
  }
}

// The first one is the reason.
void ListingStream::Fail(std::exception_ptr error) {
  if (!error_) error_ = std::move(error);
}

std::vector<ListedEntry> ListingStream::TakePage() {
  MutexLock lock(mutex_);
  while (true) {
    if (std::optional<std::vector<ListedEntry>> page = ranges_.TakePage()) {
      FetchWhatMayBe();
      return std::move(*page);
    }
    if (ranges_.AtEnd()) return {};
    if (error_) std::rethrow_exception(error_);
    ranges_.Starved();
    FetchWhatMayBe();
    changed_.Wait(mutex_);
  }
}

}  // namespace ferry
