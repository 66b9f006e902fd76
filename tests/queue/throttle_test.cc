// What workers tell each other about stores that throttle.
#include "batch/queue/throttle.h"

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

class ThrottleTest : public QueueFixture {
 protected:
  static ThrottleReport Met(int requests_max, milliseconds pause = {}) {
    ThrottleReport report;
    report.endpoint = "https://store";
    report.bucket = "bucket";
    report.side = "destination";
    report.requests_max = requests_max;
    report.pause = pause;
    return report;
  }
  ThrottleShare Only(const std::vector<ThrottleShare>& shares) {
    EXPECT_EQ(shares.size(), 1U);
    return shares.empty() ? ThrottleShare{} : shares[0];
  }
  // As if so much time had passed since.
  void Age(int seconds) {
    Run("update bucketferry.throttle set throttled_at = throttled_at - $1 * interval '1 second'",
        seconds);
  }
};

TEST_F(ThrottleTest, NothingIsSaidWhileNothingThrottles) {
  NewWorker();
  EXPECT_TRUE(ExchangeThrottles(session_, {}).empty());
}

TEST_F(ThrottleTest, TheLiveWorkersShareWhatOneOfThemMet) {
  for (int i = 0; i < 3; ++i) NewWorker();
  const std::int64_t leaving = NewWorker();
  // Each of four may have 6, as the one that was throttled: 24 in all.
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {Met(6)})).requests_max, 6, 0.5);
  EndLease(leaving);
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {})).requests_max, 8, 0.5);
  for (int i = 0; i < 9; ++i) NewWorker();
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {})).requests_max, 2, 0.5);
  for (int i = 0; i < 50; ++i) NewWorker();
  EXPECT_EQ(Only(ExchangeThrottles(session_, {})).requests_max, 1);  // never none
}

TEST_F(ThrottleTest, TwoWorkersThatMeetOneBurstCountOnce) {
  NewWorker();
  NewWorker();
  ExchangeThrottles(session_, {Met(10)});
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {Met(10)})).requests_max, 10, 0.5);
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {Met(4)})).requests_max, 4, 0.5);
  // Who still has more does not raise it for the others.
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {Met(30)})).requests_max, 4, 0.5);
}

TEST_F(ThrottleTest, WithTimeTheShareGrowsUntilItSaysNothing) {
  NewWorker();
  NewWorker();
  ExchangeThrottles(session_, {Met(4)});
  Age(20);
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {})).requests_max, 14, 0.5);
  Age(100'000);
  EXPECT_GT(Only(ExchangeThrottles(session_, {})).requests_max, 10'000);
  // And is what was met last when it happens again.
  EXPECT_NEAR(Only(ExchangeThrottles(session_, {Met(7)})).requests_max, 7, 0.5);
}

TEST_F(ThrottleTest, APauseIsHeededByAllUntilItIsOver) {
  NewWorker();
  ExchangeThrottles(session_, {Met(4, milliseconds(30'000))});
  const milliseconds left = Only(ExchangeThrottles(session_, {})).pause;
  EXPECT_GT(left, milliseconds(10'000));
  EXPECT_LE(left, milliseconds(30'000));
  // A shorter one that somebody else met does not end it.
  EXPECT_GT(Only(ExchangeThrottles(session_, {Met(4)})).pause, milliseconds(10'000));
  Run("update bucketferry.throttle set paused_until = clock_timestamp() - interval '1 hour'");
  EXPECT_EQ(Only(ExchangeThrottles(session_, {})).pause, milliseconds(0));
}

TEST_F(ThrottleTest, PlacesAreToldApart) {
  NewWorker();
  ThrottleReport other = Met(9);
  other.bucket = "another";
  const auto shares = ExchangeThrottles(session_, {Met(3), other});
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0].bucket, "another");
  EXPECT_NEAR(shares[0].requests_max, 9, 0.5);
  EXPECT_NEAR(shares[1].requests_max, 3, 0.5);
}

}  // namespace
}  // namespace ferry
