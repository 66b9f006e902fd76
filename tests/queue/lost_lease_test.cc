// Objects whose workers are lost: no failure of theirs, and yet not for ever.
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class LostLeaseTest : public QueueFixture {};

TEST_F(LostLeaseTest, AnObjectAtWhichWorkerAfterWorkerIsLostIsDeadInTheEnd) {
  const std::int64_t living = NewWorker();
  const BegunRun run = Plan(living, 2);
  JobQueue queue(session_, living, 3);
  for (int loss = 1; loss <= 10; ++loss) {
    const std::int64_t worker = NewWorker();
    JobQueue doomed(session_, worker, 3);
    std::int64_t cursor = 0;
    const std::size_t held = loss == 1 ? doomed.ClaimJobs(run.run_id, cursor, 1).size()
                                       : doomed.ClaimRetries(run.run_id, 1).size();
    ASSERT_EQ(held, 1U) << loss;
    EndLease(worker);
    EXPECT_EQ(queue.RequeueLost(run.run_id), 1);
    ASSERT_EQ(StateOf(run.run_id, 1), loss < 10 ? "retry_wait" : "dead") << loss;
  }
  EXPECT_EQ(Ask<int>("select attempts as v from bucketferry.job where job_id = 1"), 0);
  const Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.dead, 1);
  EXPECT_EQ(totals.in_flight, 0);
  EXPECT_EQ(totals.retry_wait, 0);
}

TEST_F(LostLeaseTest, WhatIsGivenBackWasNotLost) {
  const std::int64_t living = NewWorker();
  const BegunRun run = Plan(living, 1);
  std::int64_t cursor = 0;
  JobQueue(session_, living, 3).ClaimJobs(run.run_id, cursor, 1);
  for (int i = 0; i < 20; ++i) {
    JobQueue queue(session_, living, 3);
    queue.ReleaseAll(run.run_id);
    ASSERT_EQ(queue.ClaimRetries(run.run_id, 1).size(), 1U) << i;
  }
  EXPECT_EQ(Ask<int>("select lost as v from bucketferry.job"), 0);
}

}  // namespace
}  // namespace ferry
