#include "batch/copy/failure.h"

#include <gtest/gtest.h>

#include "batch/copy/outage.h"

namespace ferry {
namespace {

constexpr auto kSource = std::optional(Side::kSource);
constexpr auto kDestination = std::optional(Side::kDestination);

TEST(Judge, SaysWhatEachFailureMeans) {
  struct {
    const char* name;
    ErrorKind kind;
    const char* code;
    std::optional<Side> side;
    Meaning meaning;
  } const cases[] = {
      {"we were stopped", ErrorKind::kStopped, "", {}, Meaning::kStopped},
      {"throttled", ErrorKind::kThrottled, "SlowDown", kSource, Meaning::kEndpoint},
      {"away", ErrorKind::kUnavailable, "", kDestination, Meaning::kEndpoint},
      {"keys refused", ErrorKind::kCredentials, "InvalidAccessKeyId", kSource, Meaning::kRunOver},
      {"configuration", ErrorKind::kConfig, "", {}, Meaning::kRunOver},
      {"bucket gone at the source", ErrorKind::kNotFound, "NoSuchBucket", kSource,
       Meaning::kRunOver},
      {"bucket gone at the destination", ErrorKind::kNotFound, "NoSuchBucket", kDestination,
       Meaning::kRunOver},
      {"object gone at the source", ErrorKind::kNotFound, "NoSuchKey", kSource, Meaning::kVanished},
      {"version gone at the source", ErrorKind::kNotFound, "NoSuchVersion", kSource,
       Meaning::kVanished},
      {"not found, nobody says what", ErrorKind::kNotFound, "", kSource, Meaning::kObject},
      {"upload gone", ErrorKind::kNotFound, "NoSuchUpload", kDestination, Meaning::kObject},
      {"written and gone again", ErrorKind::kNotFound, "NoSuchKey", kDestination, Meaning::kObject},
      {"archived at the source", ErrorKind::kArchived, "InvalidObjectState", kSource,
       Meaning::kArchived},
      {"archived at the destination", ErrorKind::kArchived, "InvalidObjectState", kDestination,
       Meaning::kObject},
      {"denied", ErrorKind::kDenied, "AccessDenied", kSource, Meaning::kFutile},
      {"refused for good", ErrorKind::kInvalid, "EntityTooLarge", kDestination, Meaning::kFutile},
      {"keeps changing", ErrorKind::kConflict, "PreconditionFailed", kSource, Meaning::kObject},
      {"corrupt", ErrorKind::kCorrupt, "", kDestination, Meaning::kObject},
      {"in doubt", ErrorKind::kInDoubt, "", kDestination, Meaning::kObject},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Judge(Error(c.kind, "x", c.code), c.side), c.meaning) << c.name;
  }
}

TEST(Describe, SaysPlainlyThatASourceKeepsChanging) {
  const Error changed(ErrorKind::kConflict, "PreconditionFailed", "PreconditionFailed");
  EXPECT_EQ(Describe(changed, kSource, 1),
            "the source changed while it was copied: PreconditionFailed");
  EXPECT_EQ(Describe(changed, kSource, 5),
            "the source kept changing while it was copied: PreconditionFailed");
  EXPECT_EQ(Describe(changed, kDestination, 5), "PreconditionFailed");
  const Error said(ErrorKind::kConflict, "the source kept changing", std::string(kKeptChanging));
  EXPECT_EQ(Describe(said, kSource, 5), "the source kept changing");
  EXPECT_EQ(Describe(Error(ErrorKind::kUnavailable, "away"), kSource, 5), "away");
}

class OutageTest : public testing::Test {
 protected:
  void FailTimes(int times) {
    for (int i = 0; i < times; ++i) outage_.Failed(now_, 1);
  }
  Outage outage_;
  SteadyTime now_{};
};

TEST_F(OutageTest, AFewFailuresAreNone) {
  FailTimes(Outage::kFailuresInARow - 1);
  EXPECT_FALSE(outage_.IsOut());
  EXPECT_TRUE(outage_.MayTry(now_));
  EXPECT_EQ(outage_.LastedFor(now_ + std::chrono::hours(1)), std::chrono::milliseconds(0));
}

TEST_F(OutageTest, OneSuccessForgetsThemAll) {
  FailTimes(Outage::kFailuresInARow - 1);
  outage_.Succeeded();
  FailTimes(Outage::kFailuresInARow - 1);
  EXPECT_FALSE(outage_.IsOut());
  FailTimes(1);
  EXPECT_TRUE(outage_.IsOut());
  outage_.Succeeded();
  EXPECT_FALSE(outage_.IsOut());
  EXPECT_TRUE(outage_.MayTry(now_));
}

TEST_F(OutageTest, LastsFromItsFirstFailure) {
  outage_.Failed(now_, 1);
  now_ += std::chrono::seconds(10);
  FailTimes(Outage::kFailuresInARow);
  EXPECT_EQ(outage_.LastedFor(now_), std::chrono::seconds(10));
}

TEST_F(OutageTest, TriesNowAndThenAndEverMoreSeldom) {
  FailTimes(Outage::kFailuresInARow);
  std::chrono::milliseconds last{0};
  for (int i = 0; i < 12; ++i) {
    std::chrono::milliseconds pause{0};
    while (!outage_.MayTry(now_ + pause)) pause += std::chrono::milliseconds(50);
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, Outage::kPauseMax);
    last = pause;
    now_ += pause;
    FailTimes(3);  // of requests that were in flight together
  }
  EXPECT_EQ(last, Outage::kPauseMax);
}

}  // namespace
}  // namespace ferry
