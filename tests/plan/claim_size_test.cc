#include "batch/plan/claim_size.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr SteadyTime kStart{std::chrono::hours(1000)};

TEST(ClaimSize, TakesAsManyAsEndInAQuarterOfASecond) {
  ClaimSize size;
  size.Next(kStart, 0, 96);
  EXPECT_EQ(size.Next(kStart + milliseconds(100), 96, 96), 240);
  EXPECT_EQ(size.Next(kStart + milliseconds(350), 96 + 240, 96), 240);
  EXPECT_EQ(size.Next(kStart + milliseconds(450), 96 + 480, 96), 600);
}

TEST(ClaimSize, IsNeverLessThanWhatKeepsTheLanesBusy) {
  ClaimSize size;
  EXPECT_EQ(size.Next(kStart, 0, 96), 96);
  EXPECT_EQ(size.Next(kStart + milliseconds(60'000), 4, 96), 96);  // large objects
  EXPECT_EQ(size.Next(kStart + milliseconds(120'000), 4, 96), 96);
}

TEST(ClaimSize, LeavesTheRestToOthersHoweverFastObjectsEnd) {
  ClaimSize size;
  size.Next(kStart, 0, 96);
  EXPECT_EQ(size.Next(kStart + milliseconds(1), 1'000'000, 96), ClaimSize::kMost);
  EXPECT_EQ(size.Next(kStart + milliseconds(1), 2'000'000, 96), ClaimSize::kMost);
  EXPECT_EQ(size.Next(kStart + milliseconds(2), 2'000'000, 5'000), ClaimSize::kMost);
}

}  // namespace
}  // namespace ferry
