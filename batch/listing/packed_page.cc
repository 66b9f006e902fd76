#include "batch/listing/packed_page.h"

#include <string_view>

namespace ferry {
namespace {

// What FromHex and ToHex bring back as it was.
bool IsLowerHex(std::string_view text) {
  return text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

PackedPage::PackedPage(const std::vector<ListedEntry>& entries) {
  std::size_t bytes = 0;
  for (const ListedEntry& entry : entries) {
    bytes += entry.key.bytes().size() + entry.etag.size() + entry.version.size();
  }
  rows_.reserve(entries.size());
  text_.reserve(bytes);
  for (const ListedEntry& entry : entries) {
    const bool hex = IsLowerHex(entry.etag);
    text_ += entry.key.bytes();
    text_ += hex ? FromHex(entry.etag) : entry.etag;
    text_ += entry.version;
    rows_.push_back({entry.size_bytes, entry.modified_ms,
                     static_cast<std::uint32_t>(entry.key.bytes().size()),
                     static_cast<std::uint32_t>(hex ? entry.etag.size() / 2 : entry.etag.size()),
                     static_cast<std::uint32_t>(entry.version.size()), hex, entry.archived});
  }
  text_.shrink_to_fit();
}

std::size_t PackedPage::BytesOf(const ListedEntry& entry) {
  const std::size_t etag = IsLowerHex(entry.etag) ? entry.etag.size() / 2 : entry.etag.size();
  return sizeof(Row) + entry.key.bytes().size() + etag + entry.version.size();
}

std::vector<ListedEntry> PackedPage::Unpack() const {
  std::vector<ListedEntry> entries;
  entries.reserve(rows_.size());
  std::string_view rest = text_;
  const auto take = [&rest](std::size_t bytes) {
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  };
  for (const Row& row : rows_) {
    ListedEntry& entry = entries.emplace_back();
    entry.key = Key(std::string(take(row.key_bytes)));
    const std::string_view etag = take(row.etag_bytes);
    entry.etag = row.etag_is_hex ? ToHex(etag) : std::string(etag);
    entry.version = take(row.version_bytes);
    entry.size_bytes = row.size_bytes;
    entry.modified_ms = row.modified_ms;
    entry.archived = row.archived;
  }
  return entries;
}

}  // namespace ferry
