#include "batch/store/measured_store.h"

#include <gtest/gtest.h>

#include "batch/store/limited_store.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using test::FakeStore;
using test::KindOf;

// Moves on by what a test says with each request that reaches the store.
class MovedClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return SteadyTime(milliseconds(now_ms)); }
  WallTime WallNow() const override { return WallTime(milliseconds(now_ms)); }
  bool SleepFor(milliseconds, std::stop_token) override { return true; }
  std::atomic<std::int64_t> now_ms{1};
};

class MeasuredStoreTest : public testing::Test {
 protected:
  MeasuredStoreTest() {
    fake_.before = [this](std::string_view, const Key&) { clock_.now_ms += 300; };
  }
  ~MeasuredStoreTest() override { runner_.Stop(); }

  RequestStats::Figures Of(Operation operation) const { return stats_.Read(operation); }
  PutRequest PutOf(std::string_view body) const {
    PutRequest put;
    put.key = Key("a");
    put.body = body;
    put.bytes = body.size();
    return put;
  }

  test::LoopRunner runner_;
  FakeStore fake_{runner_.loop()};
  MovedClock clock_;
  std::atomic<std::int64_t> requests_{0};
  RequestStats stats_;
  MeasuredStore store_{fake_, clock_, requests_, stats_};
};

TEST_F(MeasuredStoreTest, CountsByOperationWhatEndedAndHowLongItTook) {
  runner_.Await([&] { return store_.Put(PutOf("abc")); });
  runner_.Await([&] { return store_.Head(Key("a"), ""); });
  runner_.Await([&] { return store_.List({}); });
  for (const Operation operation : {Operation::kPut, Operation::kHead, Operation::kList}) {
    EXPECT_EQ(Of(operation).requests, 1);
    EXPECT_EQ(Of(operation).buckets[3], 1) << "between 0.25 and 1 s";
    EXPECT_EQ(Of(operation).microseconds, 300'000);
  }
  EXPECT_EQ(Of(Operation::kGet).requests, 0);
  EXPECT_EQ(requests_, 3);
}

TEST_F(MeasuredStoreTest, TellsCopiesOfObjectsFromCopiesOfParts) {
  fake_.Add("a", "1");
  CopyRequest copy;
  copy.source_bucket = "self";
  copy.source_key = Key("a");
  copy.key = Key("b");
  runner_.Await([&] { return store_.Copy(copy); });
  copy.part_number = 1;
  KindOf([&] { runner_.Await([&] { return store_.Copy(copy); }); });
  EXPECT_EQ(Of(Operation::kCopy).requests, 1);
  EXPECT_EQ(Of(Operation::kCopyPart).requests, 1);
}

TEST_F(MeasuredStoreTest, APartIsNoObject) {
  const ObjectMetadata none;
  const std::string id = runner_.Await([&] { return store_.CreateUpload(Key("a"), none); });
  PutRequest part = PutOf("abc");
  part.upload_id = id;
  part.part_number = 1;
  runner_.Await([&] { return store_.Put(part); });
  EXPECT_EQ(Of(Operation::kUploadPart).requests, 1);
  EXPECT_EQ(Of(Operation::kPut).requests, 0);
  EXPECT_EQ(Of(Operation::kCreateUpload).requests, 1);
}

TEST_F(MeasuredStoreTest, CountsFailuresAndPassesThemOn) {
  fake_.FailCall("put", 1, FakeStore::Moment::kBeforeEffect, Error(ErrorKind::kThrottled, "no"));
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store_.Put(PutOf("abc")); }); }), "throttled");
  EXPECT_EQ(KindOf([&] { runner_.Await([&] { return store_.Head(Key("a"), ""); }); }), "not_found");
  EXPECT_EQ(Of(Operation::kPut).errors, 1);
  EXPECT_EQ(Of(Operation::kPut).requests, 1);
  EXPECT_EQ(Of(Operation::kHead).errors, 0) << "that it is not there is an answer";
  EXPECT_EQ(Of(Operation::kHead).requests, 1);
}

TEST_F(MeasuredStoreTest, ARequestThatWaitsForItsTurnIsNotUnderWayYet) {
  Limiter limiter({}, 1);
  LimitedStore limited(store_, runner_.loop(), limiter);
  fake_.Add("a", "1");
  auto task = [&]() -> Task<Unit> {
    Task<ObjectHead> waiting = limited.Head(Key("a"), "");
    clock_.now_ms += 50'000;
    co_await std::move(waiting);
    co_return Unit{};
  };
  runner_.Await(task);
  EXPECT_EQ(Of(Operation::kHead).microseconds, 300'000);
}

}  // namespace
}  // namespace ferry
