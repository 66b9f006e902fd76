#include "batch/plan/object_filter.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

ListedEntry Entry(const char* key, std::uint64_t size_bytes, std::int64_t modified_ms) {
  return {Key(key), "etag", size_bytes, modified_ms};
}

const KeyFilter kLogs({"*.log"}, {});
constexpr ObjectBounds kBounds{
    .size_bytes_min = 10, .size_bytes_max = 20, .modified_ms_min = 1000, .modified_ms_max = 2000};

TEST(ObjectFilter, TakesWhatHasTheKeyTheSizeAndTheAge) {
  const ObjectFilter filter(kLogs, kBounds);
  EXPECT_TRUE(filter.Matches(Entry("a.log", 10, 1000)));
  EXPECT_TRUE(filter.Matches(Entry("a.log", 20, 2000)));
  EXPECT_FALSE(filter.Matches(Entry("a.txt", 10, 1000)));
  EXPECT_FALSE(filter.Matches(Entry("a.log", 9, 1000)));
  EXPECT_FALSE(filter.Matches(Entry("a.log", 21, 1000)));
  EXPECT_FALSE(filter.Matches(Entry("a.log", 10, 999)));
  EXPECT_FALSE(filter.Matches(Entry("a.log", 10, 2001)));
}

TEST(ObjectFilter, WithoutBoundsTakesAnySizeAndAge) {
  const ObjectFilter filter(kLogs);
  EXPECT_TRUE(filter.Matches(Entry("a.log", 0, 0)));
  EXPECT_TRUE(filter.Matches(Entry("a.log", std::uint64_t{1} << 50, 4'000'000'000'000)));
}

TEST(ObjectFilter, SaysWhichBoundLeftAnObjectOut) {
  const ObjectFilter filter(kLogs, kBounds);
  const auto why = [&](const ListedEntry& entry) {
    return filter.WhyExcluded(entry.key.bytes(), &entry);
  };
  EXPECT_EQ(why(Entry("a.log", 15, 1500)), std::nullopt);
  EXPECT_EQ(why(Entry("a.txt", 15, 1500)), "no include pattern matches");
  EXPECT_EQ(why(Entry("a.log", 9, 1500)), "smaller than min_size");
  EXPECT_EQ(why(Entry("a.log", 21, 1500)), "larger than max_size");
  EXPECT_EQ(why(Entry("a.log", 15, 2001)), "younger than min_age");
  EXPECT_EQ(why(Entry("a.log", 15, 999)), "older than max_age");
  EXPECT_EQ(filter.WhyExcluded("a.log", nullptr), std::nullopt);
}

}  // namespace
}  // namespace ferry
