#include "batch/base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace ferry {
namespace {

using std::chrono::milliseconds;

TEST(SystemClock, SleepsAsLongAsItIsTold) {
  SystemClock clock;
  const SteadyTime began = clock.SteadyNow();
  EXPECT_TRUE(clock.SleepFor(milliseconds(50), {}));
  EXPECT_GE(clock.SteadyNow() - began, milliseconds(50));
}

TEST(SystemClock, AStopEndsASleepAndSaysSo) {
  SystemClock clock;
  std::stop_source stop;
  std::jthread other([&] {
    clock.SleepFor(milliseconds(20), {});
    stop.request_stop();
  });
  const SteadyTime began = clock.SteadyNow();
  EXPECT_FALSE(clock.SleepFor(std::chrono::hours(1), stop.get_token()));
  EXPECT_LT(clock.SteadyNow() - began, std::chrono::seconds(30));
  EXPECT_FALSE(clock.SleepFor(std::chrono::hours(1), stop.get_token()));
}

TEST(SystemClock, KnowsTheYear) {
  SystemClock clock;
  EXPECT_GT(clock.WallNow(), WallTime(std::chrono::seconds(1'700'000'000)));
}

}  // namespace
}  // namespace ferry
