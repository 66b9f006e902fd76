#include "batch/store/retrying_store.h"

#include <gtest/gtest.h>

#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using test::FakeStore;
using test::KindOf;
using Moment = FakeStore::Moment;

class RetryingStoreTest : public testing::Test {
 protected:
  ~RetryingStoreTest() override { runner_.Stop(); }

  RetryingStore& Make(milliseconds patience, milliseconds at_first) {
    RetryOptions options;
    options.attempts_max = 3;
    options.patience = patience;
    options.patience_at_first = at_first;
    options.backoff = {milliseconds(1), milliseconds(4)};
    store_.emplace(fake_, runner_.loop(), memory_, options, 1,
                   [this](const Error&) { retries_ += 1; });
    return *store_;
  }
  void Fail(int calls, ErrorKind kind, const std::string& operation = "head") {
    for (int call = 1; call <= calls; ++call) {
      fake_.FailCall(operation, call, Moment::kBeforeEffect, Error(kind, "down"));
    }
  }
  std::string Head() {
    return KindOf([&] { runner_.Await([&] { return store_->Head(Key("a")); }); });
  }

  test::LoopRunner runner_;
  FakeStore fake_{runner_.loop()};
  EndpointMemory memory_;
  std::optional<RetryingStore> store_;
  int retries_ = 0;
};

TEST_F(RetryingStoreTest, TriesAgainWhatIsWorthIt) {
  for (const ErrorKind kind : {ErrorKind::kThrottled, ErrorKind::kUnavailable}) {
    Make({}, {});
    fake_.Add("a", "1");
    Fail(2, kind);
    retries_ = 0;
    EXPECT_EQ(Head(), "none");
    EXPECT_EQ(retries_, 2);
  }
}

TEST_F(RetryingStoreTest, GivesUpAfterItsAttempts) {
  Make({}, {});
  Fail(9, ErrorKind::kUnavailable);
  EXPECT_EQ(Head(), "unavailable");
  EXPECT_EQ(fake_.CountCalls("head"), 3);
  EXPECT_EQ(retries_, 2);
  EXPECT_FALSE(memory_.answered);
}

TEST_F(RetryingStoreTest, EveryOtherFailureIsFinal) {
  Make(std::chrono::hours(1), std::chrono::hours(1));
  for (const ErrorKind kind :
       {ErrorKind::kConflict, ErrorKind::kNotFound, ErrorKind::kDenied, ErrorKind::kCredentials,
        ErrorKind::kArchived, ErrorKind::kCorrupt, ErrorKind::kInDoubt, ErrorKind::kInvalid,
        ErrorKind::kConfig, ErrorKind::kStopped}) {
    const int before = fake_.CountCalls("head");
    fake_.FailCall("head", 1, Moment::kBeforeEffect, Error(kind, "no"));
    EXPECT_EQ(Head(), ToString(kind));
    EXPECT_EQ(fake_.CountCalls("head"), before + 1) << ToString(kind);
  }
  EXPECT_EQ(retries_, 0);
}

TEST_F(RetryingStoreTest, AnEndpointThatOnceAnsweredIsWaitedForLonger) {
  Make(milliseconds(60'000), {});
  fake_.Add("a", "1");
  EXPECT_EQ(Head(), "none");
  EXPECT_TRUE(memory_.answered);
  Fail(12, ErrorKind::kUnavailable);
  EXPECT_EQ(Head(), "none");
  EXPECT_EQ(retries_, 12);
}

TEST_F(RetryingStoreTest, AnEndpointThatNeverAnsweredIsGivenUpSooner) {
  Make(std::chrono::hours(1), milliseconds(30));
  for (int call = 1; call < 1000; ++call) {
    fake_.FailCall("head", call, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "down"));
  }
  EXPECT_EQ(Head(), "unavailable");
  EXPECT_GT(fake_.CountCalls("head"), 3);
}

TEST_F(RetryingStoreTest, ADeleteWhoseAnswerWasLostIsNotRepeatedUnseen) {
  RetryingStore& store = Make(std::chrono::hours(1), std::chrono::hours(1));
  fake_.Add("a", "1");
  const Error lost(ErrorKind::kUnavailable, "lost");
  fake_.FailCall("delete", 1, Moment::kAfterEffect, lost);
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store.Delete(Key("a")); }); }), "unavailable");
  EXPECT_EQ(fake_.CountCalls("delete"), 1);
}

TEST_F(RetryingStoreTest, NoPauseReachesBeyondPatience) {
  RetryOptions options;
  options.attempts_max = 1;
  options.patience = options.patience_at_first = milliseconds(50);
  options.backoff = {std::chrono::hours(1), std::chrono::hours(1)};
  EndpointMemory memory;
  RetryingStore store(fake_, runner_.loop(), memory, options, 1, [](const Error&) {});
  fake_.FailCall("head", 1, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "down"));
  fake_.FailCall("head", 2, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "down"));
  fake_.FailCall("head", 3, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "down"));
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store.Head(Key("a"), ""); }); }),
            "unavailable");
}

TEST_F(RetryingStoreTest, AnUploadIsBegunOnceUnlessTheStoreWasTooBusy) {
  RetryingStore& store = Make(std::chrono::hours(1), std::chrono::hours(1));
  const ObjectMetadata none;
  const auto create = [&] { return store.CreateUpload(Key("a"), none); };
  fake_.FailCall("create_upload", 1, Moment::kAfterEffect, Error(ErrorKind::kUnavailable, "lost"));
  EXPECT_EQ(KindOf([&] { runner_.Await(create); }), "unavailable");
  EXPECT_EQ(fake_.open_uploads(), 1U);
  Fail(2, ErrorKind::kThrottled, "create_upload");
  EXPECT_EQ(KindOf([&] { runner_.Await(create); }), "none");
  EXPECT_EQ(fake_.open_uploads(), 2U);
}

TEST_F(RetryingStoreTest, BodiesThatFlowArePassedOnOnce) {
  RetryingStore& store = Make(std::chrono::hours(1), std::chrono::hours(1));
  Fail(1, ErrorKind::kUnavailable, "put");
  Fail(1, ErrorKind::kUnavailable, "get");
  PutRequest put;
  put.key = Key("a");
  GetRequest get;
  get.key = Key("a");
  MemorySink sink(10);
  const auto ignore = [](const ObjectHead&) {};
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store.Put(put); }); }), "unavailable");
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store.Get(get, sink, ignore); }); }),
            "unavailable");
  EXPECT_EQ(retries_, 0);
}

TEST_F(RetryingStoreTest, AStopEndsThePause) {
  RetryOptions options;
  options.backoff = {milliseconds(3'600'000), milliseconds(3'600'000)};
  store_.emplace(fake_, runner_.loop(), memory_, options, 1, [](const Error&) {});
  Fail(1, ErrorKind::kUnavailable);
  auto future = runner_.Start([&] { return store_->Head(Key("a")); });
  runner_.loop().Post([] {});
  runner_.Stop();
  EXPECT_EQ(KindOf([&] { future.get(); }), "stopped");
}

TEST_F(RetryingStoreTest, ACopyWhoseAnswerWasLostIsAskedForAgain) {
  Make({}, {});
  const std::string etag = fake_.Add("a", "1").etag;
  fake_.FailCall("copy", 1, Moment::kAfterEffect, Error(ErrorKind::kUnavailable, "lost"));
  CopyRequest copy;
  copy.source_bucket = "self";
  copy.source_key = Key("a");
  copy.source_etag = etag;
  copy.key = Key("b");
  EXPECT_EQ(runner_.Await([&] { return store_->Copy(copy); }).etag, etag);
  EXPECT_EQ(fake_.CountCalls("copy"), 2);
}

}  // namespace
}  // namespace ferry
