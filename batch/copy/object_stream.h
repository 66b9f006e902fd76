// Sorted streams of what there is: a bucket's listing, page by page with read-ahead, and the
// ledger. What is not strictly increasing, or not below the prefix, ends the plan: a partial or
// disordered list may not decide anything.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/plan/object.h"
#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry {

// The objects of a bucket below a prefix, in key order; keys without the prefix. The next page is
// fetched while this one is used, so two pages are in memory. One thread, not the loop's.
class ListingStream {
 public:
  // `store` belongs to `loop`; both outlive this object. `what` names the bucket in errors. With
  // VersionPolicy::kCompared the versions are listed, and the latest one of each key is the object;
  // a key whose latest is a delete marker is not there.
  ListingStream(EventLoop& loop, ObjectStore& store, std::string prefix, std::string what,
                VersionPolicy versions = VersionPolicy::kLatest);
  // Waits for the page that is on its way.
  ~ListingStream();

  // nullptr at the end. Throws Error. The object stays valid until Next().
  const ListedEntry* Peek();
  void Next();

 private:
  // One page of either listing: current objects by their whole keys, and where the next begins.
  struct Cursor {
    std::string token;    // of objects
    std::string version;  // of versions: `token` is the key marker
    friend bool operator==(const Cursor&, const Cursor&) = default;
  };
  struct Page {
    std::vector<ListedEntry> entries;
    std::optional<Cursor> next;
  };

  Task<Page> FetchObjects(std::optional<Cursor> from);
  Task<Page> FetchVersions(std::optional<Cursor> from);
  void FetchNext(const std::optional<Cursor>& from);
  void TakePage();
  bool GoesRound(const Cursor& next);

  EventLoop& loop_;
  ObjectStore& store_;
  const std::string prefix_;
  const std::string what_;
  const VersionPolicy versions_;
  std::future<Page> coming_;
  std::vector<ListedEntry> page_;
  std::size_t position_ = 0;
  std::optional<Key> last_;
  std::optional<Cursor> kept_cursor_;
  std::int64_t pages_since_kept_ = 0, pages_until_kept_ = 1;
  bool at_end_ = false;
};

// The ledger rows of a task; keys without the source prefix.
class LedgerStream {
 public:
  // `read` gives the rows after a whole key, at most `limit`; fewer at the end. An empty function:
  // there is no ledger yet.
  using Read = std::function<std::vector<LedgerEntry>(const Key& after, std::int64_t limit)>;
  LedgerStream(Read read, std::string prefix);

  const LedgerEntry* Peek();
  void Next() { position_ += 1; }

 private:
  const Read read_;
  const std::string prefix_;
  std::vector<LedgerEntry> page_;
  std::size_t position_ = 0;
  Key last_;
  bool at_end_ = false;
};

}  // namespace ferry
