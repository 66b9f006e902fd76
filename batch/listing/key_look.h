// KeyLook: what both sides have under some keys now, each as its own listing would show it, so that
// one key is judged as a whole listing is.
//
// A list of the one key it is, and no HEAD, whose times have whole seconds and whose ETag some
// stores spell in another way.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "batch/listing/listing_place.h"
#include "batch/plan/object.h"

namespace ferry {

struct KeyToLookAt {
  std::string rest;             // the key without either side's prefix
  bool only_at_source = false;  // the destination could not hold it
};

struct SeenKey {
  std::optional<ListedEntry> source;  // their keys without the prefix
  std::optional<ListedEntry> destination;
  std::exception_ptr error;  // one of the sides could not be asked; nothing is known then
};

// One thread asks, not a loop's.
class KeyLook {
 public:
  struct Bucket {
    std::vector<ListingPlace> places;  // of one bucket, not empty
    std::string prefix;
  };
  // `versions` as in ListingStream, of the source.
  KeyLook(Bucket source, Bucket destination, VersionPolicy versions)
      : source_(std::move(source)), destination_(std::move(destination)), versions_(versions) {}

  // All at once, as far as the stores let them; in the order of `keys`. Neither whole key is empty.
  std::vector<SeenKey> LookAt(const std::vector<KeyToLookAt>& keys) const;

 private:
  const Bucket source_;
  const Bucket destination_;
  const VersionPolicy versions_;
};

}  // namespace ferry
