#include "batch/plan/in_flight_limit.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

using std::chrono::milliseconds;

TEST(InFlightLimit, IsTheLeastUntilSomethingIsKnown) {
  EXPECT_EQ(InFlightLimit(48, 512).limit(), 48);
}

TEST(InFlightLimit, IsMoreWhereAnObjectTakesLongAtBest) {
  InFlightLimit limit(48, 512);
  limit.Took(milliseconds(420));
  EXPECT_EQ(limit.limit(), 420);
}

TEST(InFlightLimit, StaysWithinItsBounds) {
  InFlightLimit limit(48, 512);
  limit.Took(std::chrono::seconds(60));
  EXPECT_EQ(limit.limit(), 512);
  limit.Took(milliseconds(2));
  EXPECT_EQ(limit.limit(), 48);
}

TEST(InFlightLimit, AStoreThatGrowsSlowUnderLoadGetsNoMore) {
  InFlightLimit limit(48, 512);
  limit.Took(milliseconds(60));
  limit.Took(milliseconds(600));
  EXPECT_EQ(limit.limit(), 60);
}

}  // namespace
}  // namespace ferry
