#include "batch/copy/janitor.h"

#include "tests/queue/queue_fixture.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using Moment = test::FakeStore::Moment;
using std::chrono::milliseconds;

class JanitorTest : public QueueFixture {
 protected:
  JanitorTest() : run_(Plan(worker_, 4)), queue_(session_, worker_, 3) {}
  ~JanitorTest() override { runner_.Stop(); }

  // Job `in/N` with an upload at the destination that nobody goes on with.
  void AddAbandoned(int number, bool heard = true) {
    const std::string text = std::to_string(number);
    const Job job = queue_.ClaimJobs(run_.run_id, cursor_, 1).at(0);
    EXPECT_EQ(job.key, Key("in/" + text));
    queue_.IntendUpload(run_.task_id, job, 50, "n" + text);
    destination_.AddUpload("out/" + text, "u" + text, "us", destination_.now_ms);
    if (heard) queue_.Split(run_.task_id, job, "u" + text, 50, job.source, {}, {}, "n" + text);
    Run("update bucketferry.upload set run_id = 1");
  }
  Tidied Tidy() {
    TidyOrder order;
    order.task_id = run_.task_id;
    order.worker_id = worker_;
    order.source_prefix = Place().source_prefix;
    order.destination_prefix = Place().destination_prefix;
    order.abandoned_after = std::chrono::hours(24);
    return TidyUploads(
        session_, order,
        {runner_.loop(), source_, destination_, FindProvider("s3"), FindProvider("s3")}, {});
  }
  std::int64_t Rows() { return Ask<std::int64_t>("select count(*) as v from bucketferry.upload"); }
  void Fail(const std::string& operation, ErrorKind kind) {
    destination_.FailCall(operation, 1, Moment::kBeforeEffect, Error(kind, "no"));
  }

  const std::int64_t worker_ = NewWorker();
  const BegunRun run_;
  JobQueue queue_;
  std::int64_t cursor_ = 0;
  test::LoopRunner runner_;
  test::FakeStore source_{runner_.loop()};
  test::FakeStore destination_{runner_.loop()};
};

TEST_F(JanitorTest, EndsWhatNobodyGoesOnWithAndForgetsItThenAndNotBefore) {
  AddAbandoned(1);
  AddAbandoned(2);
  destination_.AddUpload("out/1", "somebody's", "us", destination_.now_ms);
  Fail("abort_upload", ErrorKind::kDenied);
  const Tidied first = Tidy();
  EXPECT_EQ(first.gone, 1);
  EXPECT_EQ(first.left, 1);
  ASSERT_TRUE(first.problem.has_value());
  EXPECT_EQ(Rows(), 1);
  EXPECT_EQ(Tidy().gone, 1);
  EXPECT_EQ(Rows(), 0);
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_TRUE(destination_.HasUpload("somebody's"));
}

TEST_F(JanitorTest, FindsWhatNobodyHeardOf) {
  AddAbandoned(1, /*heard=*/false);
  EXPECT_EQ(Tidy().gone, 1);
  EXPECT_EQ(destination_.open_uploads(), 0U);
  EXPECT_EQ(Rows(), 0);
}

TEST_F(JanitorTest, BeginsNothingWhereNothingWasLeft) {
  AddAbandoned(1, /*heard=*/false);
  destination_.ForgetUploads();
  EXPECT_EQ(Tidy().gone, 0);  // Create may still arrive
  Run("update bucketferry.upload set created_at = created_at - interval '16 minutes'");
  EXPECT_EQ(Tidy().gone, 1);
  EXPECT_EQ(Rows(), 0);
  EXPECT_EQ(destination_.CountCalls("create_upload"), 0);
}

TEST_F(JanitorTest, TellsTheUploadsOfOthersFromOnesThatNobodyHeardOf) {
  destination_.AddUpload("out/1", "somebody's", "them", destination_.now_ms);
  AddAbandoned(1, /*heard=*/false);
  EXPECT_GE(Tidy().gone, 1);
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_TRUE(destination_.HasUpload("somebody's"));
  EXPECT_EQ(Rows(), 0);
}

TEST_F(JanitorTest, KeepsATraceOfWhatItBeganItselfToLook) {
  AddAbandoned(1, /*heard=*/false);
  destination_.FailCall("list_uploads", 2, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "no"));
  destination_.FailCall("abort_upload", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "no"));
  EXPECT_EQ(Tidy().gone, 0);
  EXPECT_EQ(destination_.open_uploads(), 2U);
  EXPECT_EQ(Rows(), 2);
  while (Rows() > 0) ASSERT_GT(Tidy().gone, 0);
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(JanitorTest, LeavesAnIntentToWhoeverIsAtWorkOnTheObject) {
  AddAbandoned(1, /*heard=*/false);
  Run("update bucketferry.upload set abandoned_at = clock_timestamp()");
  const Job job = queue_.ClaimJobs(run_.run_id, cursor_, 1).at(0);
  queue_.IntendUpload(run_.task_id, job, 50, "now");
  Run("update bucketferry.upload set key = (select key from bucketferry.upload where nonce = "
      "'n1')");
  const Tidied tidied = Tidy();
  EXPECT_EQ(tidied.gone, 0);
  EXPECT_TRUE(destination_.calls().empty());
  EXPECT_EQ(Rows(), 2);
}

TEST_F(JanitorTest, ALoopThatStopsLosesNothingOfWhatWasDone) {
  AddAbandoned(1);
  AddAbandoned(2);
  destination_.before = [&](std::string_view operation, const Key& key) {
    if (operation == "list_parts" && key == Key("out/1")) runner_.loop().Stop();
  };
  const Tidied tidied = Tidy();
  EXPECT_EQ(tidied.gone + tidied.left, 2);
  EXPECT_EQ(tidied.gone, 2 - Rows());
}

TEST_F(JanitorTest, LeavesAloneWhatARunGoesOnWith) {
  AddAbandoned(1);
  Run("update bucketferry.upload set run_id = $1", run_.run_id);
  const Tidied tidied = Tidy();
  EXPECT_EQ(tidied.gone + tidied.left, 0);
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_TRUE(destination_.calls().empty());
}

TEST_F(JanitorTest, EndsItsPassWhereTheDestinationIsAway) {
  for (const int number : {1, 2, 3}) AddAbandoned(number);
  Fail("abort_upload", ErrorKind::kUnavailable);
  const Tidied tidied = Tidy();
  EXPECT_EQ(tidied.gone, 0);
  EXPECT_EQ(destination_.calls().size(), 1U);
  EXPECT_EQ(Rows(), 3);
}

TEST_F(JanitorTest, WithoutThePermissionToListUploadsATraceIsNotKeptForEver) {
  AddAbandoned(1, /*heard=*/false);
  Fail("list_uploads", ErrorKind::kDenied);
  EXPECT_EQ(Tidy().left, 1);
  Run("update bucketferry.upload set created_at = created_at - interval '1 day'");
  Fail("list_uploads", ErrorKind::kDenied);
  const Tidied tidied = Tidy();
  EXPECT_EQ(tidied.gone, 1);
  EXPECT_TRUE(tidied.problem.has_value());
  EXPECT_EQ(Rows(), 0);
  EXPECT_EQ(destination_.open_uploads(), 1U);  // a lifecycle rule has to end it
}

}  // namespace
}  // namespace ferry
