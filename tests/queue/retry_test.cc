// What `retry` takes: dead jobs, until a scheduled run has come to its end without them.
#include <algorithm>

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class RetryTest : public QueueFixture {
 protected:
  BegunRun Begin(RunKind kind) { return BeginRun(session_, Place(), kind, worker_); }
  std::vector<Job> ClaimAll(const BegunRun& run) {
    std::int64_t cursor = 0;
    return JobQueue(session_, worker_, 1).ClaimJobs(run.run_id, cursor, 1000);
  }
  void Record(const BegunRun& run, const Outcomes& outcomes) {
    JobQueue(session_, worker_, 1).Record(run.run_id, run.task_id, outcomes);
  }
  // Jobs of these ids end dead.
  void Bury(const BegunRun& run, const std::vector<Job>& jobs) {
    Outcomes outcomes;
    for (const Job& job : jobs) outcomes.failed.push_back(Failed(job));
    Record(run, outcomes);
  }
  void Finish(const BegunRun& run, const std::vector<Job>& jobs) {
    Outcomes outcomes;
    for (const Job& job : jobs) outcomes.done.push_back(Done(job));
    Record(run, outcomes);
  }
  // A scheduled run of `jobs` jobs, the first of which are done.
  BegunRun RunWithDead(int jobs, int done) {
    const BegunRun run = Plan(worker_, jobs);
    std::vector<Job> all = ClaimAll(run);
    const std::vector<Job> brought(all.begin(), all.begin() + done);
    all.erase(all.begin(), all.begin() + done);
    Finish(run, brought);
    Bury(run, all);
    return run;
  }
  std::int64_t Copy(const BegunRun& run, std::int64_t limit = 100) {
    return session_.Transact([&](pg::Transaction& tx) {
      return CopyDeadJobs(tx, run.task_id, run.run_id, worker_, limit);
    });
  }
  // As the command does it; its jobs, in their order.
  BegunRun Retry() {
    const BegunRun run = Begin(RunKind::kRetry);
    while (Copy(run) > 0) {
    }
    return run;
  }
  std::vector<std::string> Keys(const BegunRun& run) {
    std::vector<std::string> keys;
    session_.Transact([&](pg::Transaction& tx) {
      for (const pg::Row row : tx.ExecuteText(
               "select key from bucketferry.job where run_id = $1 order by job_id", run.run_id)) {
        keys.push_back(row.Get<Key>("key").bytes());
      }
    });
    return keys;
  }
  std::int64_t Left(const BegunRun& run) {
    return CountDeadNotRetried(session_, run.task_id, run.run_id);
  }

  const std::int64_t worker_ = NewWorker();
};

using Strings = std::vector<std::string>;

TEST_F(RetryTest, TakesTheDeadJobsOfTheLastRun) {
  RunWithDead(3, 1);
  const BegunRun retry = Retry();
  EXPECT_EQ(Keys(retry), (Strings{"in/2", "in/3"}));
  EXPECT_EQ(Left(retry), 0);
  FinishPlanning(session_, retry.run_id);
  const std::vector<Job> again = ClaimAll(retry);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].attempts, 0);
  EXPECT_EQ(ReadRun(session_, retry.run_id).totals.planned, 2);
  ExpectLevelsOfRows(retry);
  Finish(retry, again);
  EXPECT_EQ(RunStateOf(retry.run_id), "complete");
}

TEST_F(RetryTest, TakesThemInBatchesEachOnce) {
  RunWithDead(5, 0);
  const BegunRun retry = Begin(RunKind::kRetry);
  EXPECT_EQ(Copy(retry, 2), 2);
  EXPECT_EQ(Copy(retry, 2), 2);
  EXPECT_EQ(Copy(retry, 2), 1);
  EXPECT_EQ(Copy(retry, 2), 0);
  EXPECT_EQ(Keys(retry), (Strings{"in/1", "in/2", "in/3", "in/4", "in/5"}));
  EXPECT_EQ(ReadRun(session_, retry.run_id).totals.planned, 5);
  ExpectLevelsOfRows(retry);
}

TEST_F(RetryTest, ThatWasStoppedLosesNoneOfThem) {
  RunWithDead(3, 0);
  InterruptRun(session_, Begin(RunKind::kRetry).run_id, worker_);  // before it had planned any
  EXPECT_EQ(Keys(Retry()), (Strings{"in/1", "in/2", "in/3"}));
}

TEST_F(RetryTest, GoesOnWhereAnEarlierOneEnded) {
  RunWithDead(3, 0);
  const BegunRun first = Retry();
  FinishPlanning(session_, first.run_id);
  const std::vector<Job> jobs = ClaimAll(first);
  Finish(first, {jobs[0]});
  Bury(first, {jobs[1]});
  InterruptRun(session_, first.run_id, worker_);
  const BegunRun second = BeginRun(session_, Place(), RunKind::kRetry, NewWorker());
  Copy(second);
  EXPECT_EQ(Keys(second), (Strings{"in/2", "in/3"}));
}

TEST_F(RetryTest, TakesThemAlsoWhereALaterRunFailedBeforeItHadPlannedThem) {
  RunWithDead(2, 0);
  FailRun(session_, Begin(RunKind::kScheduled).run_id, "the listing ended early");
  EXPECT_EQ(Keys(Retry()), (Strings{"in/1", "in/2"}));
}

TEST_F(RetryTest, LeavesWhatAScheduledRunSettledSince) {
  RunWithDead(2, 0);
  Plan(worker_, 0);  // neither is at the source any more
  const BegunRun retry = Retry();
  EXPECT_EQ(Keys(retry), Strings{});
  EXPECT_EQ(Left(retry), 0);
}

TEST_F(RetryTest, TakesWhatDiedInALaterRunThatDidNotComeToItsEnd) {
  RunWithDead(1, 0);
  const BegunRun later = Plan(worker_, 3);
  const std::vector<Job> jobs = ClaimAll(later);
  Finish(later, {jobs[0]});
  Bury(later, {jobs[2]});
  FailRun(session_, later.run_id, "the bucket is away");
  EXPECT_EQ(Keys(Retry()), Strings{"in/3"});
}

TEST_F(RetryTest, ARunThatNeverCameToItsEndIsRetriedToo) {
  const BegunRun first = Plan(worker_, 2);
  Bury(first, {ClaimAll(first)[0]});
  FailRun(session_, first.run_id, "the bucket is away");
  EXPECT_EQ(Keys(Retry()), Strings{"in/1"});
}

TEST_F(RetryTest, IsNotCompleteWhileKeysThatTheDestinationCannotHoldAreLeft) {
  RunWithDead(2, 0);
  Run("update bucketferry.job set reason = 'key_not_allowed' where job_id = 1");
  BegunRun retry = Retry();
  EXPECT_EQ(Keys(retry), Strings{"in/2"});
  EXPECT_EQ(Left(retry), 1);
  PlanEnd end;
  end.error = "1 is left";
  FinishPlanning(session_, retry.run_id, end);
  Finish(retry, ClaimAll(retry));
  EXPECT_EQ(RunStateOf(retry.run_id), "incomplete");

  retry = Retry();  // that retry settled nothing of it
  EXPECT_EQ(Keys(retry), Strings{});
  EXPECT_EQ(Left(retry), 1);
}

TEST_F(RetryTest, CountsRefusalsThatStandWithoutARow) {
  const BegunRun run = Begin(RunKind::kScheduled);
  session_.Transact([&](pg::Transaction& tx) { AddTally(tx, run.run_id, worker_, {.dead = 7}); });
  FinishPlanning(session_, run.run_id);
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  EXPECT_EQ(Left(Retry()), 7);
}

}  // namespace
}  // namespace ferry
