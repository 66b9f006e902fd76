// PrefixesStream: the listings of several prefixes, one behind the other; a few are begun ahead.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/listing/listing_stream.h"

namespace ferry {

class PrefixesStream final : public EntryStream {
 public:
  // The next prefixes without the side's own, ascending, at most `count`; empty at the end. One
  // that lies below the one before it is left out: its objects were listed.
  using Prefixes = std::function<std::vector<Key>(std::size_t count)>;

  // As ListingStream's, of the whole side.
  PrefixesStream(std::vector<ListingPlace> places, std::string prefix, std::string what,
                 Prefixes prefixes, VersionPolicy versions = VersionPolicy::kLatest);

 private:
  struct Listing {
    std::string below;  // behind the side's prefix
    std::unique_ptr<ListingStream> stream;
  };
  std::vector<ListedEntry> TakePage() override;
  void BeginMore();

  const std::vector<ListingPlace> places_;
  const std::string prefix_;
  const std::string what_;
  const Prefixes prefixes_;
  const VersionPolicy versions_;
  std::deque<Listing> listings_;
  std::optional<std::string> last_;  // prefix that was begun
  bool all_begun_ = false;
};

}  // namespace ferry
