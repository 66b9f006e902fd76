// Connections that break at a COMMIT, before the server has seen it or after it was done: whoever
// asks again finds out, and nothing is lost or counted twice.
#include "batch/base/digest.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/database_proxy.h"

namespace ferry {
namespace {

using test::DatabaseProxy;
using test::KindOf;

class InDoubtTest : public QueueFixture, public testing::WithParamInterface<DatabaseProxy::Cut> {
 protected:
  // Runs `body` twice, on a session each: the first one's COMMIT is cut.
  template <typename Body>
  auto Twice(Body body) {
    {
      pg::Session session(proxy_.Through(database_.options()));
      proxy_.CutCommit(GetParam());
      EXPECT_EQ(KindOf([&] { body(session); }), "in_doubt");
    }
    // A server that has not noticed yet that its client is gone holds its rows a moment longer, and
    // claims pass over them.
    Run("select from bucketferry.job for update");
    Run("select from bucketferry.part for update");
    pg::Session session(proxy_.Through(database_.options()));
    return body(session);
  }
  std::vector<Job> Claim(const BegunRun& run, int limit) {
    std::int64_t cursor = 0;
    return queue_.ClaimJobs(run.run_id, cursor, limit);
  }
  // Opens an upload of two parts for each.
  void Split(const BegunRun& run, const std::vector<Job>& jobs) {
    for (const Job& job : jobs) {
      const std::string nonce = job.key.bytes();  // of an upload, whatever the run
      queue_.IntendUpload(run.task_id, job, 50, nonce);
      EXPECT_TRUE(queue_.Split(run.task_id, job, "upload", 50, job.source, {}, {}, nonce));
    }
  }
  static FinishedPart Finished(const PartJob& part) {
    return {part.job_id, part.part.number, "e", Md5::Of("x"), part.upload_id};
  }
  std::int64_t CountRuns() {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.run");
  }
  std::int64_t Total(const std::string& column) {
    return Ask<std::int64_t>(("select " + column + " as v from bucketferry.task").c_str());
  }

  const std::int64_t worker_ = NewWorker();
  JobQueue queue_{session_, worker_, 2};
  DatabaseProxy proxy_{database_.options().uri};
};

TEST_P(InDoubtTest, OutcomesOfEveryKindCountOnceAndTheRunCloses) {
  const BegunRun run = Plan(worker_, 5);
  const std::vector<Job> jobs = Claim(run, 5);
  Split(run, {jobs[4]});
  Outcomes outcomes;
  outcomes.done = {Done(jobs[0])};
  outcomes.failed = {Failed(jobs[1])};
  outcomes.verdicts = {{jobs[2].job_id, "vanished", "gone"}, {jobs[3].job_id, "archived", "cold"}};
  const std::vector<PartJob> parts = queue_.ClaimParts(run.run_id, 2);
  outcomes.parts = {Finished(parts[0])};
  outcomes.returned_parts = {{parts[1].job_id, parts[1].part.number, parts[1].upload_id}};
  const auto record = [&](pg::Session& session) {
    return JobQueue(session, worker_, 2).Record(run.run_id, run.task_id, outcomes);
  };
  EXPECT_FALSE(Twice(record).run_closed);
  ExpectLevelsOfRows(run);
  EXPECT_EQ(StateOf(run.run_id, 2), "retry_wait");
  Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.done, 1);
  EXPECT_EQ(totals.vanished, 1);
  EXPECT_EQ(totals.archived, 1);
  EXPECT_EQ(totals.retries, 1);

  outcomes = {};
  for (const PartJob& part : queue_.ClaimParts(run.run_id, 2)) {
    outcomes.parts.push_back(Finished(part));
  }
  ASSERT_EQ(outcomes.parts.size(), 1U);
  record(session_);
  outcomes = {};
  outcomes.done = {Done(queue_.ClaimRetries(run.run_id, 1).at(0)),
                   Done(queue_.ClaimCompletions(run.run_id, 1).at(0))};
  EXPECT_TRUE(Twice(record).run_closed);
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
  EXPECT_EQ(ReadRun(session_, run.run_id).totals.done, 3);
  EXPECT_EQ(Total("objects_copied"), 3);
  EXPECT_EQ(Total("bytes_copied"), 300);
  EXPECT_EQ(Total("parts_copied"), 2);
  EXPECT_EQ(Total("runs"), 1);
}

TEST_P(InDoubtTest, WhatNobodyKnowsToHaveClaimedIsGivenBackAndClaimedAgain) {
  const BegunRun run = Plan(worker_, 4);
  Split(run, Claim(run, 1));
  const auto claim = [&](pg::Session& session) {
    std::int64_t cursor = 0;
    return JobQueue(session, worker_, 2).ClaimJobs(run.run_id, cursor, 2).size();
  };
  const auto claim_parts = [&](pg::Session& session) {
    return JobQueue(session, worker_, 2).ClaimParts(run.run_id, 1).size();
  };
  Twice(claim);
  Twice(claim_parts);
  ExpectLevelsOfRows(run);
  queue_.ReleaseAll(run.run_id);
  EXPECT_EQ(queue_.ClaimRetries(run.run_id, 10).size() + Claim(run, 10).size(), 3U);
  EXPECT_EQ(queue_.ClaimParts(run.run_id, 10).size(), 2U);

  Outcomes outcomes;
  outcomes.parts = {{1, 1, "e", Md5::Of("x"), "upload"}, {1, 2, "e", Md5::Of("x"), "upload"}};
  queue_.Record(run.run_id, run.task_id, outcomes);
  Twice([&](pg::Session& session) {
    return JobQueue(session, worker_, 2).ClaimCompletions(run.run_id, 1).size();
  });
  queue_.ReleaseAll(run.run_id);
  ExpectLevelsOfRows(run);
  Twice([&](pg::Session& session) {
    return JobQueue(session, worker_, 2).ClaimRetries(run.run_id, 10).size();
  });
  queue_.ReleaseAll(run.run_id);
  EXPECT_EQ(queue_.ClaimRetries(run.run_id, 10).size(), 4U);
  ExpectLevelsOfRows(run);
}

// What failed is tried again before the same failure is recorded a second time.
TEST_P(InDoubtTest, APartThatFailsCostsItsObjectOneAttempt) {
  JobQueue queue(session_, worker_, 3);
  const BegunRun run = Plan(worker_, 1);
  Split(run, Claim(run, 1));
  const PartJob part = queue.ClaimParts(run.run_id, 1).at(0);
  Outcomes outcomes;
  outcomes.returned_parts = {{part.job_id, part.part.number, part.upload_id}};
  outcomes.failed.resize(1);
  outcomes.failed[0] = {.job_id = part.job_id, .error = "broken", .upload_id = part.upload_id};
  bool again = false;
  Twice([&](pg::Session& session) {
    for (const Job& job : queue.ClaimRetries(run.run_id, again ? 1 : 0)) {
      EXPECT_TRUE(queue.Split(run.task_id, job, "upload", 50, job.source, {}, {}, job.key.bytes()));
    }
    again = true;
    return JobQueue(session, worker_, 3).Record(run.run_id, run.task_id, outcomes).run_closed;
  });
  EXPECT_EQ(Ask<int>("select attempts as v from bucketferry.job"), 1);
  ExpectLevelsOfRows(run);
}

TEST_P(InDoubtTest, AnUploadIsIntendedSplitAndDroppedOnce) {
  const BegunRun run = Plan(worker_, 1);
  Job job = Claim(run, 1).at(0);
  Twice([&](pg::Session& session) {
    JobQueue(session, worker_, 2).IntendUpload(run.task_id, job, 50, "nonce");
    return true;
  });
  EXPECT_EQ(queue_.FindUploads(run.task_id, {job.key}).size(), 1U);
  Twice([&](pg::Session& session) {
    return JobQueue(session, worker_, 2)
        .Split(run.task_id, job, "upload", 50, job.source, {}, {}, "nonce");
  });
  ExpectLevelsOfRows(run);
  Outcomes outcomes;
  for (const PartJob& part : queue_.ClaimParts(run.run_id, 10)) {
    outcomes.parts.push_back(Finished(part));
  }
  EXPECT_EQ(outcomes.parts.size(), 2U);
  queue_.Record(run.run_id, run.task_id, outcomes);
  job = queue_.ClaimCompletions(run.run_id, 1).at(0);
  Twice([&](pg::Session& session) {
    JobQueue(session, worker_, 2).DropUpload(run.task_id, job);
    return true;
  });
  ExpectLevelsOfRows(run);
  EXPECT_FALSE(queue_.FindUploads(run.task_id, {job.key}).at(0).InUse());
}

TEST_P(InDoubtTest, ARunIsBegunOncePlannedOnceAndClosedOnce) {
  const BegunRun run = Twice([&](pg::Session& session) {
    return BeginRun(session, Place(), RunKind::kScheduled, worker_);
  });
  EXPECT_FALSE(run.skipped);
  EXPECT_EQ(CountRuns(), 1);
  EXPECT_EQ(Total("runs_skipped"), 0);

  AddPending(run, worker_, 1);
  Twice([&](pg::Session& other) {
    FinishPlanning(other, run.run_id);
    return true;
  });
  EXPECT_EQ(RunStateOf(run.run_id), "copying");
  Twice([&](pg::Session& other) {
    FailRun(other, run.run_id, "the bucket is away");
    return true;
  });
  EXPECT_EQ(RunStateOf(run.run_id), "failed");
  EXPECT_EQ(Total("runs"), 1);
  EXPECT_EQ(Total("runs_failed"), 1);
}

TEST_P(InDoubtTest, AnIdleWorkerClosesAndALeavingOneInterruptsOnce) {
  const BegunRun run = Plan(worker_, 1);
  Claim(run, 1);
  Twice([&](pg::Session& session) {
    InterruptRun(session, run.run_id, worker_);
    return true;
  });
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");

  const std::int64_t next = NewWorker();
  const BegunRun empty = BeginRun(session_, Place(), RunKind::kScheduled, next);
  session_.Transact([&](pg::Transaction& tx) {
    tx.Execute("queries/finish_planning", empty.run_id, std::optional<std::string>(),
               std::optional<std::string>());
  });
  EXPECT_TRUE(Twice(
      [&](pg::Session& session) { return JobQueue(session, next, 2).CloseIfFinal(empty.run_id); }));
  EXPECT_EQ(RunStateOf(empty.run_id), "complete");
  EXPECT_EQ(Total("runs"), 2);
}

TEST_P(InDoubtTest, WhatALostWorkerHeldIsTakenBackOnce) {
  const BegunRun run = Plan(worker_, 2);
  Claim(run, 2);
  EndLease(worker_);
  const std::int64_t other = NewWorker();
  Twice([&](pg::Session& session) { return JobQueue(session, other, 2).RequeueLost(run.run_id); });
  ExpectLevelsOfRows(run);
  EXPECT_EQ(JobQueue(session_, other, 2).ClaimRetries(run.run_id, 10).size(), 2U);
}

TEST_P(InDoubtTest, ARetryTakesEachDeadJobOnce) {
  const BegunRun run = Plan(worker_, 2);
  Outcomes outcomes;
  for (const Job& job : Claim(run, 2)) {
    outcomes.failed.push_back(Failed(job));
    outcomes.failed.back().futile = true;
  }
  queue_.Record(run.run_id, run.task_id, outcomes);
  const BegunRun retry = BeginRun(session_, Place(), RunKind::kRetry, worker_);
  Twice([&](pg::Session& session) {
    return session.Transact([&](pg::Transaction& tx) {
      return CopyDeadJobs(tx, run.task_id, retry.run_id, worker_, 100);
    });
  });
  EXPECT_EQ(ReadRun(session_, retry.run_id).totals.planned, 2);
  ExpectLevelsOfRows(retry);
}

INSTANTIATE_TEST_SUITE_P(Cuts, InDoubtTest,
                         testing::Values(DatabaseProxy::Cut::kBefore, DatabaseProxy::Cut::kAfter),
                         [](const auto& instance) {
                           return instance.param == DatabaseProxy::Cut::kBefore ? "BeforeTheServer"
                                                                                : "BeforeTheAnswer";
                         });

}  // namespace
}  // namespace ferry
