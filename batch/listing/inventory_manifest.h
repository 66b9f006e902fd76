// The manifest of a report of S3 Inventory (userguide/storage-inventory-location): which files the
// report has, and what their columns are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

struct InventoryFile {
  std::string key;
  std::uint64_t size_bytes = 0;
  std::string md5;  // hex, in lower case
};

// Which column of a row holds what.
struct InventoryColumns {
  std::size_t count = 0;
  std::size_t key = 0;
  std::size_t size = 0;
  std::size_t modified = 0;
  std::size_t etag = 0;
  std::optional<std::size_t> storage_class;
  std::optional<std::size_t> version_id;
  std::optional<std::size_t> is_latest;
  std::optional<std::size_t> is_delete_marker;
};

struct InventoryManifest {
  std::string source_bucket;
  std::int64_t created_ms = 0;  // Unix; when the bucket began to be looked at
  InventoryColumns columns;
  std::vector<InventoryFile> files;
};

inline constexpr std::size_t kManifestBytesMax = std::size_t{64} << 20;

// Throws Error{kInvalid}: it is no manifest; its files are not CSV; they lack a column that is
// needed, which is named.
InventoryManifest ParseInventoryManifest(std::string_view body);

}  // namespace ferry
