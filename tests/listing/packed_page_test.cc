#include "batch/listing/packed_page.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

ListedEntry Entry(std::string key, std::string etag, std::string version = {}) {
  ListedEntry entry;
  entry.key = Key(std::move(key));
  entry.etag = std::move(etag);
  entry.size_bytes = std::uint64_t{5} << 40;
  entry.modified_ms = -1;
  entry.version = std::move(version);
  return entry;
}

TEST(PackedPage, GivesBackWhatItWasGiven) {
  std::vector<ListedEntry> entries = {
      Entry("a", "d41d8cd98f00b204e9800998ecf8427e"),
      Entry(std::string("\0\xFF/", 3), "d41d8cd98f00b204e9800998ecf8427e-12", "null"),
      Entry(std::string(1024, 'k'), "0x8D9F"),
      Entry("upper", "D41D8CD98F00B204E9800998ECF8427E", "v.1"),
      Entry("odd", "abc"),
      Entry("none", ""),
  };
  entries[2].archived = true;
  const PackedPage page(entries);
  EXPECT_EQ(page.size(), entries.size());
  const std::vector<ListedEntry> back = page.Unpack();
  ASSERT_EQ(back.size(), entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(back[i].key, entries[i].key);
    EXPECT_EQ(back[i].etag, entries[i].etag);
    EXPECT_EQ(back[i].size_bytes, entries[i].size_bytes);
    EXPECT_EQ(back[i].modified_ms, entries[i].modified_ms);
    EXPECT_EQ(back[i].archived, entries[i].archived);
    EXPECT_EQ(back[i].version, entries[i].version);
  }
}

}  // namespace
}  // namespace ferry
