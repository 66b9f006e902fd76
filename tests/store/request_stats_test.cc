#include "batch/store/request_stats.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "batch/store/classify.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using Kind = ErrorKind;

Error Problem(Kind kind, const char* code = "") { return {kind, "no", code}; }

TEST(RequestStats, ABucketHoldsWhatTakesAsLongAsItsBoundAndNoLonger) {
  RequestStats stats;
  stats.Add(Operation::kGet, milliseconds(0), nullptr);
  stats.Add(Operation::kGet, milliseconds(25), nullptr);
  stats.Add(Operation::kGet, milliseconds(26), nullptr);
  stats.Add(Operation::kGet, milliseconds(60'000), nullptr);
  stats.Add(Operation::kGet, milliseconds(60'001), nullptr);
  const RequestStats::Figures figures = stats.Read(Operation::kGet);
  EXPECT_EQ(figures.buckets,
            (std::array<std::int64_t, kRequestSecondsBuckets>{2, 1, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(figures.requests, 5);
  EXPECT_EQ(figures.errors, 0);
  EXPECT_EQ(figures.microseconds, 120'052'000);
  EXPECT_EQ(stats.Read(Operation::kPut).requests, 0);
}

TEST(RequestStats, AnAnswerAboutAnObjectIsNoFailureOfItsStore) {
  const struct {
    const char* what;
    Operation operation;
    Error error;
    bool failure;
  } cases[] = {
      {"an object that is gone", Operation::kGet, Problem(Kind::kNotFound, "NoSuchKey"), false},
      {"a HEAD without a reason", Operation::kHead, Problem(Kind::kNotFound), false},
      {"an upload that is gone", Operation::kAbortUpload, Problem(Kind::kNotFound, "NoSuchUpload"),
       false},
      {"a bucket that is gone", Operation::kPut, Problem(Kind::kNotFound, "NoSuchBucket"), true},
      {"a list of nothing", Operation::kList, Problem(Kind::kNotFound), true},
      {"another object by now", Operation::kGet, Problem(Kind::kConflict), false},
      {"in an archive", Operation::kGet, Problem(Kind::kArchived), false},
      {"stopped by us", Operation::kGet, Problem(Kind::kStopped), false},
      {"broken off for the other side", Operation::kPut, Problem(Kind::kUnavailable, "BrokenOff"),
       false},
      {"throttled", Operation::kPut, Problem(Kind::kThrottled, "SlowDown"), true},
      {"away", Operation::kPut, Problem(Kind::kUnavailable), true},
      {"denied", Operation::kGet, Problem(Kind::kDenied, "AccessDenied"), true},
      {"unknown keys", Operation::kGet, Problem(Kind::kCredentials, "InvalidAccessKeyId"), true},
      {"spoilt on its way", Operation::kPut, Problem(Kind::kCorrupt, "BadDigest"), true},
      {"perhaps completed", Operation::kCompleteUpload, Problem(Kind::kInDoubt), true},
      {"refused", Operation::kPut, Problem(Kind::kInvalid), true},
  };
  for (const auto& c : cases) {
    RequestStats stats;
    stats.Add(c.operation, milliseconds(1), &c.error);
    EXPECT_EQ(stats.Read(c.operation).errors, c.failure ? 1 : 0) << c.what;
    EXPECT_EQ(stats.Read(c.operation).requests, 1) << c.what;
  }
}

TEST(RequestStats, KnowsWhatWasSaidLastOfTheCredentials) {
  RequestStats stats;
  EXPECT_EQ(stats.TakeWord(), CredentialsWord::kNone);
  const Error denied = Problem(Kind::kDenied), refused = Problem(Kind::kCredentials);
  stats.Add(Operation::kGet, {}, &denied);
  EXPECT_EQ(stats.TakeWord(), CredentialsWord::kNone) << "some stores deny what they do not know";
  stats.Add(Operation::kGet, {}, nullptr);
  stats.Add(Operation::kGet, {}, &refused);
  stats.Add(Operation::kGet, {}, &denied);
  EXPECT_EQ(stats.TakeWord(), CredentialsWord::kRefused);
  EXPECT_EQ(stats.TakeWord(), CredentialsWord::kNone);
  stats.Add(Operation::kGet, {}, nullptr);
  EXPECT_EQ(stats.TakeWord(), CredentialsWord::kAccepted);
}

TEST(RequestStats, NobodySeesMoreErrorsThanRequests) {
  RequestStats stats;
  std::atomic<bool> over{false};
  const Error away = Problem(Kind::kUnavailable);
  std::thread writer([&] {
    for (int i = 0; i < 200'000; ++i) stats.Add(Operation::kPut, milliseconds(i % 100), &away);
    over = true;
  });
  while (!over) {
    const RequestStats::Figures figures = stats.Read(Operation::kPut);
    ASSERT_LE(figures.errors, figures.requests);
  }
  writer.join();
  EXPECT_EQ(stats.Read(Operation::kPut).errors, 200'000);
}

TEST(RequestStats, TheFastestRequestThatSucceededSaysHowFarAStoreIs) {
  RequestStats stats;
  EXPECT_EQ(stats.Fastest(), std::nullopt);
  const Error refused(ErrorKind::kDenied, "no");
  stats.Add(Operation::kGet, milliseconds(1), &refused);
  stats.Add(Operation::kList, milliseconds(210), nullptr);
  stats.Add(Operation::kPut, milliseconds(203), nullptr);
  stats.Add(Operation::kPut, milliseconds(900), nullptr);
  EXPECT_EQ(stats.Fastest(), milliseconds(203));
}

}  // namespace
}  // namespace ferry
