// What LimitedStore tells its Limiter of the requests of a store.
#include "batch/store/limited_store.h"

#include <gtest/gtest.h>

#include <string>

#include "batch/store/classify.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using test::FakeStore;
using test::KindOf;

class LimitedStoreTest : public testing::Test {
 protected:
  ~LimitedStoreTest() override { runner_.Stop(); }

  // The decreases that a HEAD ending in `error` leads to.
  std::int64_t DecreasesAfter(const Error& error) {
    const std::int64_t before = level().decreases;
    fake_.FailCall("head", 1, FakeStore::Moment::kBeforeEffect, error);
    EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store_.Head(Key("a")); }); }),
              ToString(error.kind()));
    return level().decreases - before;
  }
  Limiter::Level level() { return limiter_.level(runner_.clock().SteadyNow()); }

  test::LoopRunner runner_;
  FakeStore fake_{runner_.loop()};
  Limiter limiter_{{"https://store", "bucket", "source"}, 8};
  LimitedStore store_{fake_, runner_.loop(), limiter_};
};

TEST_F(LimitedStoreTest, OverloadAndTimeOutsMakeTheLimitSmallerAndNothingElseDoes) {
  struct {
    Error error;
    int decreases;
  } const cases[] = {
      {Error(ErrorKind::kThrottled, "503", "SlowDown"), 1},
      {Error(ErrorKind::kThrottled, "429"), 1},
      {Error(ErrorKind::kUnavailable, "slow", "RequestTimeout"), 1},
      {Error(ErrorKind::kUnavailable, "nothing came", std::string(kTimedOut)), 1},
      {Error(ErrorKind::kUnavailable, "500", "InternalError"), 0},
      {Error(ErrorKind::kUnavailable, "reset"), 0},
      {Error(ErrorKind::kNotFound, "404", "NoSuchKey"), 0},
      {Error(ErrorKind::kDenied, "403", "AccessDenied"), 0},
      {Error(ErrorKind::kStopped, "stopped"), 0},
  };
  for (const auto& c : cases) EXPECT_EQ(DecreasesAfter(c.error), c.decreases) << c.error.what();
}

TEST_F(LimitedStoreTest, HoldsBackForAsLongAsTheStoreAsks) {
  Error error(ErrorKind::kThrottled, "503", "SlowDown");
  error.set_retry_after(milliseconds(30'000));
  EXPECT_EQ(DecreasesAfter(error), 1);
  EXPECT_GT(level().pause, milliseconds(20'000));
}

TEST_F(LimitedStoreTest, EachRequestGivesItsSlotBackHoweverItEnds) {
  fake_.Add("a", "1");
  for (int i = 0; i < 20; ++i) {
    runner_.Await([&] { return store_.Head(Key("a")); });
    EXPECT_EQ(DecreasesAfter(Error(ErrorKind::kUnavailable, "reset")), 0);
  }
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(limiter_.TryTake(runner_.clock().SteadyNow())) << i;
  EXPECT_FALSE(limiter_.TryTake(runner_.clock().SteadyNow()));
}

}  // namespace
}  // namespace ferry
