// When downstream has to look: after each run that changed the destination, or may have.
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class RefreshTest : public QueueFixture {
 protected:
  std::vector<Job> ClaimAll(const BegunRun& run, std::int64_t worker) {
    std::int64_t cursor = 0;
    return JobQueue(session_, worker, 3).ClaimJobs(run.run_id, cursor, 100);
  }
  void Record(const BegunRun& run, const Outcomes& outcomes) {
    JobQueue(session_, worker_, 3).Record(run.run_id, run.task_id, outcomes);
  }
  std::int64_t Required() {
    return Ask<std::int64_t>(
        "select coalesce(max(required_run_id), 0) as v"
        " from bucketferry.refresh");
  }
  std::string RequiredAt() {
    return Ask<std::string>("select max(required_at)::text as v from bucketferry.refresh");
  }

  const std::int64_t worker_ = NewWorker();
};

TEST_F(RefreshTest, IsRequiredOfARunWhoseWorkerWasKilledBeforeItSaidWhatItWrote) {
  const std::int64_t killed = NewWorker();
  const BegunRun run = Plan(killed, 3);
  ASSERT_EQ(ClaimAll(run, killed).size(), 3U);
  EndLease(killed);
  BeginRun(session_, Place(), RunKind::kScheduled, worker_);
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");
  EXPECT_EQ(Required(), run.run_id);
}

TEST_F(RefreshTest, IsRequiredOfWhatWasSentAndEndedBadly) {
  const BegunRun run = Plan(worker_, 1);
  Outcomes outcomes;
  outcomes.failed = {Failed(ClaimAll(run, worker_).at(0))};
  outcomes.failed[0].futile = true;
  outcomes.traffic.destination_bytes_written = 100;
  Record(run, outcomes);
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  EXPECT_EQ(Required(), run.run_id);
}

TEST_F(RefreshTest, IsRequiredOfAnObjectAtWhichEveryWorkerWasLost) {
  const BegunRun run = Plan(worker_, 1);
  for (int loss = 1; loss <= 10; ++loss) {
    const std::int64_t killed = NewWorker();
    if (loss == 1) {
      ASSERT_EQ(ClaimAll(run, killed).size(), 1U);
    } else {
      ASSERT_EQ(JobQueue(session_, killed, 3).ClaimRetries(run.run_id, 1).size(), 1U) << loss;
    }
    EndLease(killed);
    JobQueue(session_, worker_, 3).RequeueLost(run.run_id);
  }
  JobQueue(session_, worker_, 3).CloseIfFinal(run.run_id);
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  EXPECT_EQ(Required(), run.run_id);
}

TEST_F(RefreshTest, IsNotRequiredOfRunsThatWroteNothing) {
  const BegunRun dead = Plan(worker_, 2);
  Outcomes outcomes;
  for (const Job& job : ClaimAll(dead, worker_)) {
    outcomes.failed.push_back(Failed(job));
    outcomes.failed.back().futile = true;
  }
  outcomes.traffic.requests_source = 2;
  Record(dead, outcomes);
  EXPECT_EQ(RunStateOf(dead.run_id), "incomplete");
  const BegunRun failed = Plan(worker_, 2);
  FailRun(session_, failed.run_id, "the bucket is away");
  EXPECT_EQ(Required(), 0);
}

TEST_F(RefreshTest, IsRequiredByTheNextCloseOfWhatWasWrittenAfterTheLast) {
  const BegunRun run = Plan(worker_, 2);
  const std::vector<Job> jobs = ClaimAll(run, worker_);
  FailRun(session_, run.run_id, "the bucket is away");
  ASSERT_EQ(Required(), run.run_id);
  const std::string at = RequiredAt();
  Run("update bucketferry.refresh set acknowledged_run_id = required_run_id,"
      " acknowledged_seq = required_seq");
  Outcomes late;
  late.done = {Done(jobs[0])};
  Record(run, late);
  EXPECT_EQ(RequiredAt(), at) << "it is the same that is required";
  const BegunRun next = Plan(worker_, 0);
  EXPECT_EQ(Required(), next.run_id);
  Plan(worker_, 0);
  EXPECT_EQ(Required(), next.run_id) << "once";
}

TEST_F(RefreshTest, IsNotRequiredAgainOfWhatCameLateAndChangedNothing) {
  const BegunRun run = Plan(worker_, 2);
  const std::vector<Job> jobs = ClaimAll(run, worker_);
  FailRun(session_, run.run_id, "the bucket is away");
  Outcomes late;
  late.failed = {Failed(jobs[0])};
  late.verdicts = {{jobs[1].job_id, "vanished", "gone"}};
  Record(run, late);
  Plan(worker_, 0);
  EXPECT_EQ(Required(), run.run_id);
}

}  // namespace
}  // namespace ferry
