#include "batch/queue/job_queue.h"

#include <future>
#include <set>

#include "batch/base/digest.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using test::KindOf;

class JobQueueTest : public QueueFixture {
 protected:
  // One worker on one run; others are made where a test wants them.
  void Begin(int jobs) {
    run_ = Plan(worker_, jobs);
    queue_.emplace(session_, worker_, 3);
  }
  std::vector<Job> Claim(int limit = 100) { return queue_->ClaimJobs(run_.run_id, cursor_, limit); }
  Recorded Record(const Outcomes& outcomes) {
    return queue_->Record(run_.run_id, run_.task_id, outcomes);
  }
  static std::uint64_t PartBytes(int parts) {
    return (100 + static_cast<std::uint64_t>(parts) - 1) / static_cast<std::uint64_t>(parts);
  }
  // Claims job 1 and opens an upload of so many parts for it.
  Job SplitFirst(int parts) {
    Job job = Claim(1).at(0);
    queue_->IntendUpload(run_.task_id, job, PartBytes(parts), "nonce");
    EXPECT_TRUE(queue_->Split(run_.task_id, job, "upload-1", PartBytes(parts), job.source, {}, {},
                              "nonce"));
    return job;
  }
  static void AddFailure(Outcomes& outcomes, const PartJob& part) {
    FailedJob failed;
    failed.job_id = part.job_id;
    failed.error = "broken";
    failed.upload_id = part.upload_id;
    outcomes.failed.push_back(failed);
    outcomes.returned_parts.push_back({part.job_id, part.part.number, part.upload_id});
  }
  static FinishedPart Finished(const PartJob& part) {
    return {part.job_id, part.part.number, "e" + std::to_string(part.part.number), Md5::Of("x"),
            part.upload_id};
  }

  const std::int64_t worker_ = NewWorker();
  BegunRun run_;
  std::optional<JobQueue> queue_;
  std::int64_t cursor_ = 0;
};

TEST_F(JobQueueTest, AClaimGivesTheLowestJobsAboveTheCursorWithAllTheyAre) {
  Begin(5);
  const std::vector<Job> first = Claim(2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(cursor_, 2);
  EXPECT_EQ(first[0].key, Key("in/1"));
  EXPECT_EQ(first[0].source.etag, "etag1");
  EXPECT_EQ(first[0].source.size_bytes, 100U);
  EXPECT_EQ(first[0].source.modified_ms, 1'700'000'000'000);
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
  EXPECT_EQ(Claim().size(), 3U);
  EXPECT_TRUE(Claim().empty());
}

TEST_F(JobQueueTest, ClaimsOfTwoWorkersAreDisjointAndComplete) {
  Begin(400);
  const auto work = [&](std::int64_t worker) {
    pg::Session session(database_.options());
    JobQueue queue(session, worker, 3);
    std::vector<std::int64_t> ids;
    std::int64_t cursor = 0;
    while (true) {
      const std::vector<Job> jobs = queue.ClaimJobs(run_.run_id, cursor, 7);
      for (const Job& job : jobs) ids.push_back(job.job_id);
      if (jobs.empty()) return ids;
    }
  };
  auto other = std::async(std::launch::async, work, NewWorker());
  std::vector<std::int64_t> ids = work(worker_);
  for (const std::int64_t id : other.get()) ids.push_back(id);
  EXPECT_EQ(ids.size(), 400U);
  EXPECT_EQ(std::set<std::int64_t>(ids.begin(), ids.end()).size(), 400U);
}

TEST_F(JobQueueTest, KeysOfAnyBytesComeBackAsTheyAre) {
  const std::string bytes("in/\x00\xFF\n\\x41'", 11);
  Begin(1);
  Run("update bucketferry.job set key = $1 where job_id = 1", Key(bytes));
  EXPECT_EQ(Claim().at(0).key.bytes(), bytes);
}

TEST_F(JobQueueTest, DoneJobsWriteTheLedgerAndCloseTheRunComplete) {
  Begin(2);
  const std::vector<Job> jobs = Claim();
  Outcomes outcomes;
  outcomes.done = {Done(jobs[0])};
  EXPECT_FALSE(Record(outcomes).run_closed);
  outcomes.done = {Done(jobs[1])};
  EXPECT_TRUE(Record(outcomes).run_closed);
  const RunState run = ReadRun(session_, run_.run_id);
  EXPECT_EQ(run.state, "complete");
  EXPECT_EQ(run.totals.done, 2);
  EXPECT_EQ(run.totals.bytes_done, 200);
  EXPECT_EQ(run.totals.pending + run.totals.in_flight + run.totals.retry_wait, 0);
  const auto row = ReadLedgerRow(session_, run_.task_id, Key("in/2"));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->destination_etag, "d-etag2");
  EXPECT_TRUE(row->source.SameAs(jobs[1].source));
}

TEST_F(JobQueueTest, AnOutcomeThatIsRecordedTwiceCountsOnce) {
  Begin(2);
  Outcomes outcomes;
  outcomes.done = {Done(Claim(1).at(0))};
  Record(outcomes);
  Record(outcomes);
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.done, 1);
}

TEST_F(JobQueueTest, OutcomesOfJobsThatAreNotOnesOwnChangeNothing) {
  Begin(2);
  const std::vector<Job> jobs = Claim(1);
  JobQueue other(session_, NewWorker(), 3);
  Outcomes outcomes;
  outcomes.done = {Done(jobs[0])};
  other.Record(run_.run_id, run_.task_id, outcomes);
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
  EXPECT_FALSE(ReadLedgerRow(session_, run_.task_id, Key("in/1")));
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.done, 0);
}

TEST_F(JobQueueTest, AWorkerWhoseTermIsOverWritesNothing) {
  Begin(2);
  const Job job = Claim(1).at(0);
  EndLease(worker_);
  Outcomes outcomes;
  outcomes.done = {Done(job)};
  EXPECT_EQ(KindOf([&] { Record(outcomes); }), "conflict");
  EXPECT_EQ(KindOf([&] { Claim(); }), "conflict");
  EXPECT_EQ(KindOf([&] { queue_->ClaimRetries(run_.run_id, 1); }), "conflict");
  EXPECT_EQ(KindOf([&] { queue_->ClaimParts(run_.run_id, 1); }), "conflict");
  EXPECT_EQ(KindOf([&] { queue_->Split(run_.task_id, job, "u", 10, job.source, {}, {}, "nonce"); }),
            "conflict");
  EXPECT_EQ(KindOf([&] { queue_->IntendUpload(run_.task_id, job, 10, "nonce"); }), "conflict");
  EXPECT_EQ(KindOf([&] { queue_->CloseIfFinal(run_.run_id); }), "conflict");
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
  EXPECT_EQ(StateOf(run_.run_id, 2), "pending");
}

TEST_F(JobQueueTest, KnowsHowFarAPlanGoes) {
  run_ = Plan(worker_, 7);
  queue_.emplace(session_, worker_, 3);
  EXPECT_EQ(queue_->LastJobId(run_.run_id), 7);
  EXPECT_EQ(queue_->LastJobId(run_.run_id + 1), 0);
}

TEST_F(JobQueueTest, AFailedJobWaitsAndIsDeadAfterItsAttempts) {
  Begin(1);
  Outcomes outcomes;
  outcomes.failed = {Failed(Claim().at(0))};
  for (int attempt = 1; attempt < 3; ++attempt) {
    EXPECT_TRUE(Record(outcomes).dead.empty());
    EXPECT_EQ(StateOf(run_.run_id, 1), "retry_wait");
    const std::vector<Job> again = queue_->ClaimRetries(run_.run_id, 10);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].attempts, attempt);
  }
  const Recorded last = Record(outcomes);
  ASSERT_EQ(last.dead.size(), 1U);
  EXPECT_EQ(last.dead[0].error, "broken");
  EXPECT_TRUE(last.run_closed);
  EXPECT_EQ(RunStateOf(run_.run_id), "incomplete");
  EXPECT_EQ(ListDead(session_, run_.run_id).at(0).key, Key("in/1"));
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.retries, 2);
}

TEST_F(JobQueueTest, AFutileFailureIsDeadAtOnceAndAnOutageCostsNothing) {
  Begin(2);
  const std::vector<Job> jobs = Claim();
  Outcomes outcomes;
  outcomes.failed = {Failed(jobs[0]), Failed(jobs[1])};
  outcomes.failed[0].futile = true;
  outcomes.failed[1].costs_attempt = false;
  EXPECT_EQ(Record(outcomes).dead.size(), 1U);
  EXPECT_EQ(StateOf(run_.run_id, 1), "dead");
  EXPECT_EQ(queue_->ClaimRetries(run_.run_id, 10).at(0).attempts, 0);
}

TEST_F(JobQueueTest, AJobIsNotTriedAgainBeforeItsPauseIsOver) {
  Begin(1);
  Outcomes outcomes;
  outcomes.failed = {Failed(Claim().at(0))};
  outcomes.failed[0].pause = std::chrono::hours(1);
  Record(outcomes);
  EXPECT_TRUE(queue_->ClaimRetries(run_.run_id, 10).empty());
  Run("update bucketferry.job set retry_at = clock_timestamp() where job_id = 1");
  EXPECT_EQ(queue_->ClaimRetries(run_.run_id, 10).size(), 1U);
}

TEST_F(JobQueueTest, VanishedIsFinalAndArchivedAStandingVerdict) {
  Begin(3);
  Claim();
  Outcomes outcomes;
  outcomes.verdicts = {{1, "vanished", "gone"},
                       {2, "archived", "restore it"},
                       {3, "archived", "asked for", /*being_restored=*/true}};
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(RunStateOf(run_.run_id), "complete");
  EXPECT_FALSE(ReadLedgerRow(session_, run_.task_id, Key("in/1")));
  EXPECT_EQ(ReadLedgerRow(session_, run_.task_id, Key("in/2"))->verdict, Verdict::kArchived);
  EXPECT_EQ(ReadLedgerRow(session_, run_.task_id, Key("in/3"))->verdict, Verdict::kBeingRestored);
  const Tally totals = ReadRun(session_, run_.run_id).totals;
  EXPECT_EQ(totals.vanished, 1);
  EXPECT_EQ(totals.archived, 2);
}

TEST_F(JobQueueTest, WhatALostWorkerHeldGoesBackAndCostsNoAttempt) {
  Begin(2);
  const Job split = SplitFirst(3);
  Claim();
  queue_->ClaimParts(run_.run_id, 2);
  EndLease(worker_);
  JobQueue other(session_, NewWorker(), 3);
  EXPECT_EQ(other.RequeueLost(run_.run_id), 3);  // a job and two parts
  EXPECT_EQ(other.RequeueLost(run_.run_id), 0);
  EXPECT_EQ(other.ClaimRetries(run_.run_id, 10).at(0).attempts, 0);
  EXPECT_EQ(other.ClaimParts(run_.run_id, 10).size(), 3U);
  EXPECT_EQ(StateOf(run_.run_id, split.job_id), "in_flight");
  const Tally totals = ReadRun(session_, run_.run_id).totals;
  EXPECT_EQ(totals.in_flight, 2);
  EXPECT_EQ(totals.retry_wait, 0);
}

TEST_F(JobQueueTest, ALiveWorkerKeepsWhatItHolds) {
  Begin(1);
  Claim();
  JobQueue other(session_, NewWorker(), 3);
  EXPECT_EQ(other.RequeueLost(run_.run_id), 0);
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
}

TEST_F(JobQueueTest, AWorkerThatLeavesGivesAllBack) {
  Begin(3);
  SplitFirst(2);
  Claim();
  queue_->ClaimParts(run_.run_id, 1);
  queue_->ReleaseAll(run_.run_id);
  JobQueue other(session_, NewWorker(), 3);
  EXPECT_EQ(other.ClaimRetries(run_.run_id, 10).size(), 2U);
  EXPECT_EQ(other.ClaimParts(run_.run_id, 10).size(), 2U);
}

TEST_F(JobQueueTest, PartsAreClaimedInOrderWithAllTheyNeed) {
  Begin(1);
  SplitFirst(3);
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 2);
  ASSERT_EQ(parts.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(parts[i].upload_id, "upload-1");
    EXPECT_EQ(parts[i].key, Key("in/1"));
    EXPECT_EQ(parts[i].source.etag, "etag1");
    EXPECT_EQ(parts[i].source.size_bytes, 100U);
    EXPECT_EQ(parts[i].part.size_bytes, 34U);
  }
  EXPECT_EQ(queue_->ClaimParts(run_.run_id, 10).size(), 1U);
  const Tally totals = ReadRun(session_, run_.run_id).totals;
  EXPECT_EQ(totals.in_flight, 1);
}

TEST_F(JobQueueTest, TheJobIsCompletedOnceAllItsPartsAreThere) {
  Begin(1);
  SplitFirst(2);
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 10);
  Outcomes outcomes;
  outcomes.parts = {Finished(parts[0])};
  Record(outcomes);
  EXPECT_TRUE(queue_->ClaimCompletions(run_.run_id, 10).empty());
  outcomes.parts = {Finished(parts[1])};
  EXPECT_FALSE(Record(outcomes).run_closed);
  const std::vector<Job> whole = queue_->ClaimCompletions(run_.run_id, 10);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].upload_id, "upload-1");
  EXPECT_EQ(queue_->ReadDoneParts(run_.run_id, 1).size(), 2U);
  outcomes = {};
  outcomes.done = {Done(whole[0])};
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_TRUE(queue_->FindUploads(run_.task_id, {Key("in/1")}).empty());
}

TEST_F(JobQueueTest, OfTwoWorkersThatFinishTheLastPartsExactlyOneCompletes) {
  Begin(1);
  SplitFirst(8);
  const std::int64_t workers[] = {NewWorker(), NewWorker()};
  std::vector<std::future<std::size_t>> all;
  for (const std::int64_t worker : workers) {
    all.push_back(std::async(std::launch::async, [this, worker] {
      pg::Session session(database_.options());
      JobQueue queue(session, worker, 3);
      std::size_t completions = 0;
      while (true) {
        const std::vector<PartJob> parts = queue.ClaimParts(run_.run_id, 1);
        if (parts.empty()) break;
        Outcomes outcomes;
        outcomes.parts = {Finished(parts[0])};
        queue.Record(run_.run_id, run_.task_id, outcomes);
        completions += queue.ClaimCompletions(run_.run_id, 10).size();
      }
      return completions + queue.ClaimCompletions(run_.run_id, 10).size();
    }));
  }
  EXPECT_EQ(all[0].get() + all[1].get(), 1U);
}

TEST_F(JobQueueTest, PartsThatFailedGoBackAndPartsOfOthersStay) {
  Begin(1);
  SplitFirst(3);
  const std::vector<PartJob> mine = queue_->ClaimParts(run_.run_id, 1);
  JobQueue other(session_, NewWorker(), 3);
  other.ClaimParts(run_.run_id, 1);
  Outcomes outcomes;
  outcomes.returned_parts = {{1, 1, "upload-1"}, {1, 2, "upload-1"}};
  Record(outcomes);
  const std::vector<PartJob> again = queue_->ClaimParts(run_.run_id, 10);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].part.number, mine[0].part.number);
  EXPECT_EQ(again[1].part.number, 3U);
}

TEST_F(JobQueueTest, AnObjectWhoseTryFailedGoesOnWithThePartsItHas) {
  Begin(1);
  Job job = SplitFirst(3);
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 2);
  Outcomes outcomes;
  outcomes.parts = {Finished(parts[0])};
  AddFailure(outcomes, parts[1]);
  Record(outcomes);
  EXPECT_TRUE(queue_->ClaimParts(run_.run_id, 10).empty());  // not while it waits
  job = queue_->ClaimRetries(run_.run_id, 10).at(0);
  EXPECT_EQ(job.upload_id, "upload-1");
  const std::vector<KnownUpload> known = queue_->FindUploads(run_.task_id, {Key("in/1")});
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].upload_id, "upload-1");
  const std::vector<FinishedPart> there = {{1, 1, "e1", Md5::Of("x")}};
  EXPECT_TRUE(
      queue_->Split(run_.task_id, job, "upload-1", PartBytes(3), job.source, there, {}, "nonce"));
  EXPECT_EQ(queue_->ClaimParts(run_.run_id, 10).size(), 2U);
}

TEST_F(JobQueueTest, APartThatTheStoreLostIsSentAgainAndWhatOthersHoldStays) {
  Begin(1);
  Job job = SplitFirst(4);
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 4);
  Outcomes outcomes;
  outcomes.parts = {Finished(parts[0]), Finished(parts[1])};
  AddFailure(outcomes, parts[3]);
  Record(outcomes);
  job = queue_->ClaimRetries(run_.run_id, 1).at(0);
  const std::vector<FinishedPart> there = {{1, 1, "e1", Md5::Of("x")}};
  EXPECT_TRUE(
      queue_->Split(run_.task_id, job, "upload-1", PartBytes(4), job.source, there, {2}, "nonce"));
  const std::vector<PartJob> again = queue_->ClaimParts(run_.run_id, 10);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].part.number, 2U);
  EXPECT_EQ(again[1].part.number, 4U);
  EXPECT_EQ(queue_->ReadDoneParts(run_.run_id, 1).size(), 1U);
}

TEST_F(JobQueueTest, PartsThatTheDestinationDoesNotHaveAreSentAgainAndTheOthersStay) {
  Begin(1);
  SplitFirst(3);
  Outcomes outcomes;
  for (const PartJob& part : queue_->ClaimParts(run_.run_id, 3)) {
    outcomes.parts.push_back(Finished(part));
  }
  Record(outcomes);
  const Job whole = queue_->ClaimCompletions(run_.run_id, 1).at(0);
  outcomes = {};
  outcomes.lost_parts = {{1, 2}};
  outcomes.failed = {Failed(whole)};
  Record(outcomes);
  Record(outcomes);  // a second time changes nothing
  const Job again = queue_->ClaimRetries(run_.run_id, 1).at(0);
  EXPECT_EQ(again.attempts, 1);
  EXPECT_EQ(again.upload_id, "upload-1");
  EXPECT_EQ(again.parts_left, 1);
  EXPECT_EQ(queue_->ReadDoneParts(run_.run_id, 1).size(), 2U);
  EXPECT_TRUE(
      queue_->Split(run_.task_id, again, "upload-1", PartBytes(3), again.source, {}, {}, "nonce"));
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 10);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].part.number, 2U);
  outcomes = {};
  outcomes.parts = {Finished(parts[0])};
  Record(outcomes);
  EXPECT_EQ(Ask<std::int64_t>("select sum(parts_pending * 1000 + parts_in_flight)::bigint as v"
                              " from bucketferry.tally"),
            0);
}

TEST_F(JobQueueTest, PartsOfAnObjectThatSomebodyElseCompletesStayDone) {
  Begin(1);
  SplitFirst(1);
  Outcomes outcomes;
  outcomes.parts = {Finished(queue_->ClaimParts(run_.run_id, 1).at(0))};
  Record(outcomes);
  JobQueue other(session_, NewWorker(), 3);
  other.ClaimCompletions(run_.run_id, 1);
  outcomes = {};
  outcomes.lost_parts = {{1, 1}};
  Record(outcomes);
  EXPECT_EQ(queue_->ReadDoneParts(run_.run_id, 1).size(), 1U);
}

TEST_F(JobQueueTest, NothingIsClaimedOfAClosedRun) {
  Begin(3);
  const Job job = SplitFirst(2);
  Outcomes outcomes;
  outcomes.failed = {Failed(Claim(1).at(0))};
  Record(outcomes);
  FailRun(session_, run_.run_id, "the bucket is away");
  EXPECT_TRUE(Claim().empty());
  EXPECT_TRUE(queue_->ClaimParts(run_.run_id, 10).empty());
  EXPECT_TRUE(queue_->ClaimRetries(run_.run_id, 10).empty());
  EXPECT_TRUE(queue_->ClaimCompletions(run_.run_id, 10).empty());
}

TEST_F(JobQueueTest, WhatEndsAfterItsRunWasClosedIsFoldedIntoIt) {
  Begin(2);
  Outcomes outcomes;
  outcomes.done = {Done(Claim(1).at(0))};
  FailRun(session_, run_.run_id, "the bucket is away");
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(RunStateOf(run_.run_id), "failed");
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.done, 1);
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.tally"), 0);
  EXPECT_EQ(Ask<std::int64_t>("select required_run_id as v from bucketferry.refresh"), run_.run_id);
  EXPECT_TRUE(ReadLedgerRow(session_, run_.task_id, Key("in/1")));
}

TEST_F(JobQueueTest, ADroppedUploadLeavesNothingOfItself) {
  Begin(1);
  SplitFirst(1);
  Outcomes outcomes;
  outcomes.parts = {Finished(queue_->ClaimParts(run_.run_id, 1).at(0))};
  Record(outcomes);
  Job job = queue_->ClaimCompletions(run_.run_id, 1).at(0);
  queue_->DropUpload(run_.task_id, job);
  outcomes = {};
  outcomes.failed = {Failed(job)};
  Record(outcomes);
  job = queue_->ClaimRetries(run_.run_id, 1).at(0);
  EXPECT_EQ(job.upload_id, "");
  EXPECT_FALSE(queue_->FindUploads(run_.task_id, {Key("in/1")}).at(0).InUse());
  EXPECT_TRUE(queue_->ReadDoneParts(run_.run_id, 1).empty());
}

TEST_F(JobQueueTest, LevelsAddUpToNothingWhenARunIsDone) {
  Begin(4);
  SplitFirst(2);
  const std::vector<Job> jobs = Claim();
  const std::vector<PartJob> parts = queue_->ClaimParts(run_.run_id, 10);
  Outcomes outcomes;
  outcomes.parts = {Finished(parts[0]), Finished(parts[1])};
  outcomes.done = {Done(jobs[0])};
  outcomes.failed = {Failed(jobs[1])};
  outcomes.failed[0].futile = true;
  outcomes.verdicts = {{jobs[2].job_id, "vanished", "gone"}};
  Record(outcomes);
  outcomes = {};
  outcomes.done = {Done(queue_->ClaimCompletions(run_.run_id, 1).at(0))};
  // Job 1 is all that is left, and it holds no part any more.
  const char* const levels =
      "select sum(pending + retry_wait + parts_pending + parts_in_flight + bytes_pending)::bigint"
      " as v from bucketferry.tally";
  EXPECT_EQ(Ask<std::int64_t>(levels), 0);
  const char* const held =
      "select sum(in_flight * 1000 + bytes_in_flight)::bigint as v"
      " from bucketferry.tally";
  EXPECT_EQ(Ask<std::int64_t>(held), 1100);
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.tally"), 0);
}

}  // namespace
}  // namespace ferry
