#include "batch/plan/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr BackoffOptions kOptions = {milliseconds(500), milliseconds(60'000)};
constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();

TEST(Backoff, DoublesItsWindowUpToTheCap) {
  const std::pair<int, int> cases[] = {{1, 500},    {2, 1000},   {3, 2000},    {7, 32'000},
                                       {8, 60'000}, {9, 60'000}, {100, 60'000}};
  for (const auto& [attempt, window_ms] : cases) {
    EXPECT_EQ(Backoff(attempt, 0, kOptions), milliseconds(250)) << attempt;
    EXPECT_EQ(Backoff(attempt, kMost, kOptions), milliseconds(250 + window_ms - 1)) << attempt;
    EXPECT_EQ(Backoff(attempt, 1U << 31, kOptions), milliseconds(250 + window_ms / 2)) << attempt;
  }
}

TEST(Backoff, NeverOverflowsAndNeverIsZero) {
  for (const int attempt : {-1, 0, 1, 63, 64, 1000, std::numeric_limits<int>::max()}) {
    for (const std::uint32_t random : {0U, 1U, kMost}) {
      EXPECT_GE(Backoff(attempt, random), milliseconds(250)) << attempt;
      EXPECT_LE(Backoff(attempt, random), milliseconds(60'250)) << attempt;
    }
  }
}

TEST(Backoff, ABaseAboveTheCapIsCapped) {
  EXPECT_LE(Backoff(1, kMost, {milliseconds(1000), milliseconds(100)}), milliseconds(600));
}

}  // namespace
}  // namespace ferry
