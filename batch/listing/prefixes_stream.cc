#include "batch/listing/prefixes_stream.h"

#include <utility>

namespace ferry {
namespace {

constexpr std::size_t kListingsAhead = 8;
constexpr std::size_t kPageEntries = 1000;

}  // namespace

PrefixesStream::PrefixesStream(std::vector<ListingPlace> places, std::string prefix,
                               std::string what, Prefixes prefixes, VersionPolicy versions)
    : places_(std::move(places)),
      prefix_(std::move(prefix)),
      what_(std::move(what)),
      prefixes_(std::move(prefixes)),
      versions_(versions) {}

void PrefixesStream::BeginMore() {
  while (!all_begun_ && listings_.size() < kListingsAhead) {
    std::vector<Key> next = prefixes_(1);
    if (next.empty()) {
      all_begun_ = true;
      return;
    }
    std::string below = next.front().bytes();
    if (last_ && below.starts_with(*last_)) continue;
    last_ = below;
    auto stream = std::make_unique<ListingStream>(places_, prefix_ + below, what_, versions_);
    listings_.push_back({std::move(below), std::move(stream)});
  }
}

std::vector<ListedEntry> PrefixesStream::TakePage() {
  std::vector<ListedEntry> page;
  while (page.size() < kPageEntries) {
    BeginMore();
    if (listings_.empty()) break;
    const Listing& listing = listings_.front();
    const ListedEntry* entry = listing.stream->Peek();
    if (entry == nullptr) {
      listings_.pop_front();
      continue;
    }
    page.push_back(*entry);
    page.back().key = Key(listing.below + entry->key.bytes());
    listing.stream->Next();
  }
  return page;
}

}  // namespace ferry
