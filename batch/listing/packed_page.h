// PackedPage: listed entries that wait for their turn, in a third of the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "batch/plan/object.h"

namespace ferry {

class PackedPage {
 public:
  explicit PackedPage(const std::vector<ListedEntry>& entries);

  std::size_t size() const { return rows_.size(); }
  std::size_t bytes() const { return rows_.size() * sizeof(Row) + text_.size(); }
  // What one takes here.
  static std::size_t BytesOf(const ListedEntry& entry);
  std::vector<ListedEntry> Unpack() const;

 private:
  struct Row {
    std::uint64_t size_bytes;
    std::int64_t modified_ms;
    std::uint32_t key_bytes;
    std::uint32_t etag_bytes;
    std::uint32_t version_bytes;
    bool etag_is_hex;  // kept as the bytes that it spells
    bool archived;
  };

  std::vector<Row> rows_;
  std::string text_;  // of each: key, ETag, version
};

}  // namespace ferry
