// KeysStream: the objects of given keys, as far as there are any.
//
// Pages of keys are asked for, several at once, on all loops. Keys that lie close together come
// with one listing; others are examined one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "batch/listing/entry_stream.h"
#include "batch/listing/listing_place.h"

namespace ferry {

class KeysStream final : public EntryStream {
 public:
  // The next keys without the prefix, ascending, at most `count`; empty at the end. Called on the
  // thread that reads.
  using Keys = std::function<std::vector<Key>(std::size_t count)>;

  // `places` are of one bucket, and not empty. With VersionPolicy::kCompared entries name the
  // version that is current.
  KeysStream(std::vector<ListingPlace> places, std::string prefix, Keys keys,
             VersionPolicy versions = VersionPolicy::kLatest);
  // Waits for what is on its way.
  ~KeysStream() override;

  // Of the keys so far, those that are not there.
  std::uint64_t missing() const { return missing_; }

 private:
  using Entries = std::vector<ListedEntry>;
  struct Page {
    std::size_t keys;
    std::future<Entries> found;
  };
  Entries TakePage() override;
  void AskForMore();
  Task<Entries> Ask(ListingPlace place, std::vector<Key> keys, std::string before);
  Task<std::size_t> TakeListed(ListingPlace place, const std::vector<Key>& keys, std::size_t from,
                               std::string before, Entries& found);
  Task<Unit> Examine(ListingPlace place, const std::vector<Key>& keys, std::size_t from,
                     Entries& found);

  const std::vector<ListingPlace> places_;
  const std::string prefix_;
  const Keys keys_;
  const VersionPolicy versions_;
  std::deque<Page> pages_;  // on their way, in their order
  std::string last_;        // key that was asked for, with the prefix
  bool all_asked_ = false;
  std::size_t next_place_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace ferry
