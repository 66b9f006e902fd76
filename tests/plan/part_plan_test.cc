#include "batch/plan/part_plan.h"

#include <gtest/gtest.h>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = kMiB << 10;
constexpr std::uint64_t kTiB = kMiB << 20;
constexpr PartLimits kLimits = {5 * kMiB, 5 * kGiB, 10'000};

struct PlanCase {
  const char* name;
  std::uint64_t object_bytes;
  std::uint64_t wanted_bytes;
  std::uint64_t part_bytes;
  std::uint32_t parts;
};

// clang-format off
const PlanCase kCases[] = {
    // name                            object                 wanted    part      parts
    {"one byte",                       1,                     16 * kMiB, 16 * kMiB, 1},
    {"exactly one part",               16 * kMiB,             16 * kMiB, 16 * kMiB, 1},
    {"a byte more than one part",      16 * kMiB + 1,         16 * kMiB, 16 * kMiB, 2},
    {"below the smallest part",        100 * kMiB,            1 * kMiB,  5 * kMiB,  20},
    {"an odd wanted size stays",       100 * kMiB,            5 * kMiB + 1, 5 * kMiB + 1, 20},
    {"exactly 10,000 parts",           10'000 * 16 * kMiB,    16 * kMiB, 16 * kMiB, 10'000},
    {"a byte beyond 10,000 parts",     10'000 * 16 * kMiB + 1, 16 * kMiB, 17 * kMiB, 9'412},
    {"5 GiB",                          5 * kGiB,              16 * kMiB, 16 * kMiB, 320},
    {"5 TiB",                          5 * kTiB,              16 * kMiB, 525 * kMiB, 9'987},
    {"the largest object, 48.8 TiB",   10'000 * 5 * kGiB,     16 * kMiB, 5 * kGiB,  10'000},
    {"wanted beyond the largest part", 100 * kGiB,            9 * kGiB,  5 * kGiB,  20},
};
// clang-format on

TEST(ChoosePartBytes, TakesTheSmallestSizeThatFits) {
  for (const PlanCase& c : kCases) {
    const std::uint64_t part_bytes = ChoosePartBytes(c.object_bytes, c.wanted_bytes, kLimits);
    EXPECT_EQ(part_bytes, c.part_bytes) << c.name;
    EXPECT_EQ(CountParts(c.object_bytes, part_bytes), c.parts) << c.name;
  }
}

TEST(ChoosePartBytes, RefusesWhatNoSizeFits) {
  try {
    ChoosePartBytes(10'000 * 5 * kGiB + 1, 16 * kMiB, kLimits);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  }
}

TEST(PlanParts, TilesTheObjectWithoutGapOrOverlap) {
  for (const PlanCase& c : kCases) {
    std::uint64_t next = 0;
    std::uint32_t number = 0;
    for (const Part& part : PlanParts(c.object_bytes, c.part_bytes)) {
      ASSERT_EQ(part.number, ++number) << c.name;
      ASSERT_EQ(part.first_byte, next) << c.name;
      ASSERT_GT(part.size_bytes, 0U) << c.name;
      next += part.size_bytes;
      // All but the last are equal: some stores demand it.
      if (next < c.object_bytes) {
        ASSERT_EQ(part.size_bytes, c.part_bytes) << c.name;
      }
    }
    EXPECT_EQ(next, c.object_bytes) << c.name;
    EXPECT_EQ(number, c.parts) << c.name;
  }
}

TEST(PlanParts, AnEmptyObjectHasNoParts) { EXPECT_TRUE(PlanParts(0, kMiB).empty()); }

TEST(GuessPartBytes, TakesTheWantedSizeThenAUsualOneThenTheSmallest) {
  EXPECT_EQ(GuessPartBytes(100 * kMiB, 7, 16 * kMiB), 16 * kMiB);
  EXPECT_EQ(GuessPartBytes(100 * kMiB, 13, 16 * kMiB), 8 * kMiB);
  EXPECT_EQ(GuessPartBytes(100 * kMiB, 20, 16 * kMiB), 5 * kMiB);
  EXPECT_EQ(GuessPartBytes(100 * kMiB, 9, 16 * kMiB), 12 * kMiB);
  EXPECT_EQ(GuessPartBytes(123, 1, 16 * kMiB), 123U);
}

TEST(GuessPartBytes, ASizeThatMakesAnotherNumberOfPartsIsNoGuess) {
  EXPECT_EQ(GuessPartBytes(100, 3, 16 * kMiB), std::nullopt);
  EXPECT_EQ(GuessPartBytes(10 * kMiB, 11, 5 * kMiB), std::nullopt);
}

TEST(PartBytesForALongWay, ManyPartsThanOneCanBeShared) {
  EXPECT_EQ(PartBytesForALongWay(3840 * kMiB, 16 * kMiB), 10 * kMiB + 1);
}

TEST(PartBytesForALongWay, NoneIsSmallerThanAStoreTakesOrLargerThanAskedFor) {
  EXPECT_EQ(PartBytesForALongWay(40 * kMiB, 16 * kMiB), 5 * kMiB);
  EXPECT_EQ(PartBytesForALongWay(100'000 * kMiB, 16 * kMiB), 16 * kMiB);
}

}  // namespace
}  // namespace ferry
