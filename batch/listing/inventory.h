// Inventory: a report of S3 Inventory as the list of what a bucket holds.
//
// Its rows are in no order that could be relied on: they are sorted first (record_sorter.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "batch/listing/entry_stream.h"
#include "batch/listing/listing_place.h"
#include "batch/listing/record_sorter.h"

namespace ferry {

struct InventoryOrder {
  std::string manifest;       // its key; or, ending in '/', what the reports' folders lie in
  std::string source_bucket;  // of which it must speak
  std::string prefix;         // of the objects that are wanted
  std::filesystem::path scratch;
  bool names_versions = false;  // entries name theirs; the report must
};

// Read to its end; nothing of it stands at the store any more.
class Inventory final : public EntryStream {
 public:
  // Reads the report from a bucket, on its loop; on another thread. Throws Error: there is no
  // report, it is damaged, was written over since, or is not what was wanted.
  static std::unique_ptr<Inventory> Read(ListingPlace place, const InventoryOrder& order);

  const std::string& manifest() const { return manifest_; }  // the key of the one that was read
  std::int64_t created_ms() const { return created_ms_; }    // Unix
  std::uint64_t rows() const { return rows_; }  // of wanted objects, as often as they were read

 private:
  Inventory(std::string manifest, std::int64_t created_ms, std::uint64_t rows,
            SortedRecords sorted);
  std::vector<ListedEntry> TakePage() override;

  const std::string manifest_;
  const std::int64_t created_ms_;
  const std::uint64_t rows_;
  SortedRecords sorted_;
};

}  // namespace ferry
