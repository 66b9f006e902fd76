#include "exporter/ending.h"

#include <gtest/gtest.h>

#include "tests/support/hand_clock.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;

class EndingTest : public testing::Test {
 protected:
  bool IsOver() const { return ending_.Left() == 0ms; }

  test::HandMovedClock clock_;
  int changes_ = 0;
  Ending ending_{clock_, 40s, [this] { ++changes_; }};
};

TEST_F(EndingTest, GoesOnUntilSomebodyAsks) {
  ending_.ScrapeAnswered(true);
  ending_.ScrapeAnswered(true);
  clock_.Advance(1h);
  EXPECT_EQ(ending_.Left(), std::nullopt);
  EXPECT_EQ(changes_, 0);
}

TEST_F(EndingTest, LingersUntilTheFinalStateWasScrapedTwice) {
  ending_.ScrapeAnswered(true);  // before the signal: says nothing
  ending_.Terminate();
  EXPECT_EQ(ending_.Left(), 40s);
  EXPECT_EQ(changes_, 1);
  ending_.ScrapeAnswered(false);
  ending_.ScrapeAnswered(true);
  ending_.ScrapeAnswered(false);
  EXPECT_FALSE(IsOver());
  ending_.ScrapeAnswered(true);
  EXPECT_TRUE(IsOver());
  EXPECT_EQ(changes_, 2);
}

TEST_F(EndingTest, LingersNoLongerThanTheLimit) {
  ending_.Terminate();
  clock_.Advance(39s);
  EXPECT_EQ(ending_.Left(), 1s);
  clock_.Advance(2s);
  EXPECT_TRUE(IsOver());
}

TEST_F(EndingTest, ASecondSignalEndsAtOnce) {
  ending_.Terminate();
  EXPECT_FALSE(IsOver());
  ending_.Terminate();
  EXPECT_TRUE(IsOver());
}

TEST_F(EndingTest, EndsAtOnceWhenToldTo) {
  ending_.EndNow("SIGINT");
  EXPECT_TRUE(IsOver());
  EXPECT_EQ(changes_, 1);
}

TEST(Ending, WithoutALimitTheFirstSignalEndsAtOnce) {
  const test::HandMovedClock clock;
  Ending ending(clock, 0s, [] {});
  ending.Terminate();
  EXPECT_EQ(ending.Left(), 0ms);
}

}  // namespace
}  // namespace ferry::exporter
