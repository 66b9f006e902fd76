#include "batch/queue/upload_table.h"

#include <algorithm>
#include <future>

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using std::chrono::hours;

class UploadTableTest : public QueueFixture {
 protected:
  void Begin(int jobs) {
    run_ = Plan(worker_, jobs);
    queue_.emplace(session_, worker_, 3);
  }
  Job Claim() { return queue_->ClaimJobs(run_.run_id, cursor_, 1).at(0); }
  // Job 1 with an upload of two parts.
  Job Open(const std::string& upload_id, const std::string& nonce) {
    const Job job = Claim();
    queue_->IntendUpload(run_.task_id, job, 50, nonce);
    EXPECT_TRUE(queue_->Split(run_.task_id, job, upload_id, 50, job.source, {}, {}, nonce));
    return job;
  }
  Recorded Record(const Outcomes& outcomes) {
    return queue_->Record(run_.run_id, run_.task_id, outcomes);
  }
  // One of its parts is claimed, and fails.
  Recorded FailPartOf(const Job& job, bool futile = false) {
    const PartJob part = queue_->ClaimParts(run_.run_id, 1).at(0);
    Outcomes outcomes;
    outcomes.failed = {Failed(job)};
    outcomes.failed[0].upload_id = part.upload_id;
    outcomes.failed[0].futile = futile;
    outcomes.returned_parts = {{part.job_id, part.part.number, part.upload_id}};
    return Record(outcomes);
  }
  // Sends the parts of job 1 and claims it for completion.
  Job SendParts() {
    Outcomes outcomes;
    for (const PartJob& part : queue_->ClaimParts(run_.run_id, 10)) {
      outcomes.parts.push_back(
          {part.job_id, part.part.number, "e", std::string(16, 'm'), part.upload_id});
    }
    Record(outcomes);
    return queue_->ClaimCompletions(run_.run_id, 1).at(0);
  }
  // "NONCE:UPLOAD", with "!" before it when it is abandoned; sorted.
  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    for (const KnownUpload& one : queue_->FindUploads(run_.task_id, {Key("in/1"), Key("in/2")})) {
      rows.push_back((one.abandoned ? "!" : "") + one.nonce + ":" + one.upload_id);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  using Texts = std::vector<std::string>;

  const std::int64_t worker_ = NewWorker();
  BegunRun run_;
  std::optional<JobQueue> queue_;
  std::int64_t cursor_ = 0;
};

TEST_F(UploadTableTest, AnIntentIsThereBeforeItsUploadAndWrittenTwiceIsOne) {
  Begin(1);
  const Job job = Claim();
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  EXPECT_EQ(Rows(), Texts{"a:"});
  EXPECT_TRUE(queue_->Split(run_.task_id, job, "u1", 50, job.source, {}, {}, "a"));
  // As after a commit whose answer was lost.
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  EXPECT_FALSE(queue_->Split(run_.task_id, job, "u1", 50, job.source, {}, {}, "a"));
  EXPECT_EQ(Rows(), Texts{"a:u1"});
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
}

TEST_F(UploadTableTest, EachAttemptLeavesItsOwnTraceUntilItIsSettled) {
  Begin(1);
  const Job job = Claim();
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  queue_->IntendUpload(run_.task_id, job, 50, "b");
  EXPECT_TRUE(queue_->Split(run_.task_id, job, "u2", 50, job.source, {}, {}, "b"));
  EXPECT_EQ(Rows(), (Texts{"a:", "b:u2"}));
  Outcomes outcomes;
  outcomes.settled_intents = {"a"};
  Record(outcomes);
  EXPECT_EQ(Rows(), Texts{"b:u2"});
}

TEST_F(UploadTableTest, AnotherUploadOfAnObjectAbandonsTheOneInUse) {
  Begin(1);
  Job job = Open("u1", "a");
  FailPartOf(job);
  job = queue_->ClaimRetries(run_.run_id, 1).at(0);
  EXPECT_TRUE(queue_->Split(run_.task_id, job, "u2", 50, job.source, {}, {}, "b"));
  EXPECT_EQ(Rows(), (Texts{"!a:u1", "b:u2"}));
}

TEST_F(UploadTableTest, AnUploadWhoseJobWentToSomebodyElseIsKnownAndNotInUse) {
  Begin(1);
  const Job job = Claim();
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  queue_->ReleaseAll(run_.run_id);
  EXPECT_FALSE(queue_->Split(run_.task_id, job, "u1", 50, job.source, {}, {}, "a"));
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
  EXPECT_EQ(StateOf(run_.run_id, 1), "retry_wait");
}

TEST_F(UploadTableTest, ADroppedUploadIsAbandonedAndItsRowStays) {
  Begin(1);
  Open("u1", "a");
  const Job job = SendParts();
  queue_->DropUpload(run_.task_id, job);
  queue_->DropUpload(run_.task_id, job);
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
  EXPECT_TRUE(queue_->ReadDoneParts(run_.run_id, 1).empty());
}

TEST_F(UploadTableTest, WhatWasCompletedIsForgottenAndAnyOtherOfTheObjectAbandoned) {
  Begin(2);
  const Job first = Open("u1", "a");
  const Job second = Claim();
  queue_->IntendUpload(run_.task_id, first, 50, "lost");
  queue_->IntendUpload(run_.task_id, second, 50, "small");
  Outcomes outcomes;
  outcomes.done = {Done(SendParts()), Done(second)};
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(Rows(), (Texts{"!lost:", "!small:"}));
}

TEST_F(UploadTableTest, UploadsOfObjectsThatNeedNoCopyAreAbandonedAndTheirRowsStay) {
  Begin(2);
  Job job = Open("u1", "a");
  FailPartOf(job);
  job = queue_->ClaimRetries(run_.run_id, 1).at(0);
  queue_->IntendUpload(run_.task_id, Claim(), 50, "b");
  Outcomes outcomes;
  outcomes.verdicts = {{1, "vanished", "gone"}, {2, "archived", "restore it"}};
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(Rows(), (Texts{"!a:u1", "!b:"}));
}

TEST_F(UploadTableTest, TheUploadOfADeadObjectWaitsForTheNextRunAndNotForEver) {
  Begin(1);
  EXPECT_TRUE(FailPartOf(Open("u1", "a"), /*futile=*/true).run_closed);
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"a:u1"});
  Run("update bucketferry.run set started_at = started_at - interval '2 hours',"
      " finished_at = finished_at - interval '59 minutes'");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"a:u1"});
  Run("update bucketferry.run set finished_at = finished_at - interval '2 minutes'");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
}

TEST_F(UploadTableTest, AnUploadOfARunThatGoesOnIsKeptHoweverOldItIs) {
  Begin(1);
  Open("u1", "a");
  Run("update bucketferry.run set started_at = started_at - interval '46 days'");
  Run("update bucketferry.upload set created_at = created_at - interval '46 days'");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"a:u1"});
}

TEST_F(UploadTableTest, ARunThatBroughtEverythingHasNoUseForWhatIsLeft) {
  Begin(1);
  Open("u1", "a");
  FailRun(session_, run_.run_id, "away");
  cursor_ = 0;
  run_ = Plan(worker_, 0);  // the object is at the source no more
  EXPECT_EQ(RunStateOf(run_.run_id), "complete");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
}

TEST_F(UploadTableTest, AnOldUploadIsKeptWhileALaterRunMayGoOnWithIt) {
  Begin(1);
  Open("u1", "a");
  FailRun(session_, run_.run_id, "away");
  Run("update bucketferry.run set started_at = started_at - interval '9 days',"
      " finished_at = finished_at - interval '9 days'");
  const BegunRun later = BeginRun(session_, Place(), RunKind::kScheduled, worker_);
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(24 * 7));
  EXPECT_EQ(Rows(), Texts{"a:u1"});
  FailRun(session_, later.run_id, "away");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(24 * 7));
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
}

TEST_F(UploadTableTest, UploadsOfARunThatWasPrunedAreAbandoned) {
  Begin(1);
  Open("u1", "a");
  Run("update bucketferry.upload set run_id = 1");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  EXPECT_EQ(Rows(), Texts{"!a:u1"});
}

TEST_F(UploadTableTest, WhatCouldNotBeEndedComesAfterTheOthersNextTime) {
  Begin(2);
  queue_->IntendUpload(run_.task_id, Claim(), 50, "a");
  queue_->IntendUpload(run_.task_id, Claim(), 50, "b");
  Run("update bucketferry.upload set run_id = 1, created_at = created_at - interval '1 minute'");
  AbandonLeftUploads(session_, worker_, run_.task_id, hours(1));
  const std::vector<AbandonedUpload> first = ListAbandonedUploads(session_, run_.task_id, 1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].upload_id, "");
  EXPECT_GE(first[0].age, std::chrono::minutes(1));
  RecordTidied(session_, worker_, {}, {first[0].nonce});
  const std::vector<AbandonedUpload> next = ListAbandonedUploads(session_, run_.task_id, 1);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_NE(next[0].nonce, first[0].nonce);
  RecordTidied(session_, worker_, {first[0].nonce, next[0].nonce}, {});
  EXPECT_TRUE(ListAbandonedUploads(session_, run_.task_id, 10).empty());
  EXPECT_TRUE(Rows().empty());
}

TEST_F(UploadTableTest, WorkOfAClosedRunTouchesNoUploadOfALaterOne) {
  Begin(2);
  const Job split = Claim(), copied = Claim();
  const BegunRun closed = run_;
  const std::int64_t other = NewWorker();
  FailRun(session_, closed.run_id, "away");
  const BegunRun later = Plan(other, 2);
  JobQueue next(session_, other, 3);
  std::int64_t cursor = 0;
  for (const Job& job : next.ClaimJobs(later.run_id, cursor, 2)) {
    const std::string nonce = "b" + std::to_string(job.job_id);
    EXPECT_TRUE(next.Split(later.task_id, job, "u" + nonce, 50, job.source, {}, {}, nonce));
  }
  queue_->IntendUpload(closed.task_id, split, 50, "a");
  EXPECT_FALSE(queue_->Split(closed.task_id, split, "ua", 50, split.source, {}, {}, "a"));
  Job adopted = split;
  adopted.upload_id = "ub1";
  queue_->DropUpload(closed.task_id, adopted);
  Outcomes outcomes;
  outcomes.done = {Done(copied)};
  queue_->Record(closed.run_id, closed.task_id, outcomes);
  EXPECT_EQ(Rows(), (Texts{"!a:ua", "b1:ub1", "b2:ub2"}));
}

TEST_F(UploadTableTest, WhoMeetsAnUploadThatComesIntoUseAtTheSameMomentTriesAgain) {
  Begin(1);
  const Job job = Claim();
  queue_->IntendUpload(run_.task_id, job, 50, "a");
  pg::Session other(database_.options());
  std::future<std::string> split;
  {
    pg::Transaction tx(other);
    tx.ExecuteText(
        "insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id,"
        " part_bytes, size_bytes, source_etag, source_modified_at, source_version)"
        " values ('b', $1, 'in/1', $2, 1, 'ub', 50, 100, 'e', now(), '')",
        run_.task_id, run_.run_id);
    split = std::async(std::launch::async, [&] {
      pg::Session session(database_.options());
      JobQueue queue(session, worker_, 3);
      return test::KindOf(
          [&] { queue.Split(run_.task_id, job, "ua", 50, job.source, {}, {}, "a"); });
    });
    AwaitSomebodyWhoWaits();
    tx.Commit();
  }
  EXPECT_EQ(split.get(), "unavailable");
  EXPECT_TRUE(queue_->Split(run_.task_id, job, "ua", 50, job.source, {}, {}, "a"));
  EXPECT_EQ(Rows(), (Texts{"!b:ub", "a:ua"}));
}

TEST_F(UploadTableTest, AWorkerWhoseTermIsOverTidiesNothing) {
  Begin(1);
  Open("u1", "a");
  Run("update bucketferry.upload set run_id = 1");
  EndLease(worker_);
  EXPECT_EQ(test::KindOf([&] { AbandonLeftUploads(session_, worker_, run_.task_id, hours(1)); }),
            "conflict");
  EXPECT_EQ(test::KindOf([&] { RecordTidied(session_, worker_, {"a"}, {}); }), "conflict");
  EXPECT_EQ(Rows(), Texts{"a:u1"});
}

}  // namespace
}  // namespace ferry
