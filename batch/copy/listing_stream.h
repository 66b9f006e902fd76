// ListingStream: the objects of a bucket below a prefix, in key order, listed by many requests at
// once (key_ranges.h) on all loops there are.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/copy/key_ranges.h"
#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry {

// A bucket as one loop reaches it. Both outlive who uses it.
struct ListingPlace {
  EventLoop& loop;
  ObjectStore& store;
};

// An object as it is listed; archived where its class says so.
ListedEntry ToEntry(ListedObject& object);

// One thread reads, not a loop's.
class ListingStream {
 public:
  // `places` are of one bucket, and not empty. `what` names the bucket in errors. With
  // VersionPolicy::kCompared the versions are listed, and the latest one of each key is the object;
  // a key whose latest is a delete marker is not there.
  ListingStream(std::vector<ListingPlace> places, std::string prefix, std::string what,
                VersionPolicy versions = VersionPolicy::kLatest);
  // Waits for the pages that are on their way.
  ~ListingStream();
  ListingStream(const ListingStream&) = delete;
  ListingStream& operator=(const ListingStream&) = delete;

  // nullptr at the end. Throws Error: a list that is not strictly increasing, or has keys that are
  // not below the prefix, may not decide anything. The object, its key without the prefix, stays
  // valid until Next().
  const ListedEntry* Peek() {
    if (position_ == page_.size()) TakePage();
    return position_ == page_.size() ? nullptr : &page_[position_];
  }
  void Next() { position_ += 1; }

 private:
  Task<Unit> FetchOne(ListingPlace place, KeyRanges::Fetch fetch);
  Task<ListingPage> FetchObjects(ListingPlace place, KeyRanges::Fetch fetch);
  Task<ListingPage> FetchVersions(ListingPlace place, KeyRanges::Fetch fetch);
  void FetchWhatMayBe() FERRY_REQUIRES(mutex_);
  void Fail(std::exception_ptr error) FERRY_REQUIRES(mutex_);
  void TakePage();

  const std::vector<ListingPlace> places_;
  const std::string prefix_;
  const VersionPolicy versions_;
  std::vector<ListedEntry> page_;
  std::size_t position_ = 0;

  Mutex mutex_;
  Condition changed_;
  KeyRanges ranges_ FERRY_GUARDED_BY(mutex_);
  std::size_t next_place_ FERRY_GUARDED_BY(mutex_) = 0;
  std::size_t on_their_way_ FERRY_GUARDED_BY(mutex_) = 0;
  std::exception_ptr error_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
