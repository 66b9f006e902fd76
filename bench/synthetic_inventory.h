// A report of S3 Inventory of a synthetic bucket: CSV in files whose rows are in order, and whose
// files are not. Made at once, and kept in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bench/synthetic_bucket.h"

namespace ferry::bench {

class SyntheticInventory {
 public:
  static constexpr std::string_view kManifest = "inventory/manifest.json";

  // `source`: the bucket that the report says it is of.
  SyntheticInventory(const SyntheticBucket& bucket, std::uint64_t keys, const std::string& source);

  // The body of an object of the report; nullptr: it has no such one.
  const std::string* Find(const std::string& key) const;

 private:
  std::map<std::string, std::string> objects_;
};

}  // namespace ferry::bench
