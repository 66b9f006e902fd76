// Parts that fail when their object has gone on without them.
#include "batch/queue/job_queue.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class LatePartTest : public QueueFixture {
 protected:
  // One object in three parts; two of them are under way, and the first has failed.
  LatePartTest() : run_(Plan(worker_, 1)) {
    std::int64_t cursor = 0;
    const Job job = queue_.ClaimJobs(run_.run_id, cursor, 1).at(0);
    queue_.IntendUpload(run_.task_id, job, 34, "nonce");
    EXPECT_TRUE(queue_.Split(run_.task_id, job, "upload-1", 34, job.source, {}, {}, "nonce"));
    parts_ = queue_.ClaimParts(run_.run_id, 2);
    Record(FailureOf(parts_.at(0)));
    again_ = queue_.ClaimRetries(run_.run_id, 1).at(0);
  }
  static Outcomes FailureOf(const PartJob& part) {
    Outcomes outcomes;
    outcomes.failed.emplace_back();
    outcomes.failed[0].job_id = part.job_id;
    outcomes.failed[0].error = "broken";
    outcomes.failed[0].upload_id = part.upload_id;
    outcomes.returned_parts = {{part.job_id, part.part.number, part.upload_id}};
    return outcomes;
  }
  Recorded Record(const Outcomes& outcomes) {
    return queue_.Record(run_.run_id, run_.task_id, outcomes);
  }

  const std::int64_t worker_ = NewWorker();
  const BegunRun run_;
  JobQueue queue_{session_, worker_, 3};
  std::vector<PartJob> parts_;
  Job again_;  // the object, claimed to be looked at anew
};

TEST_F(LatePartTest, DoesNotOverruleWhoLooksAtTheObjectAnew) {
  EXPECT_TRUE(queue_.ClaimParts(run_.run_id, 10).empty());  // of what may be gone
  Outcomes outcomes = FailureOf(parts_[1]);
  outcomes.verdicts = {{again_.job_id, "vanished", "gone"}};
  EXPECT_TRUE(Record(outcomes).run_closed);
  EXPECT_EQ(StateOf(run_.run_id, 1), "vanished");
  EXPECT_EQ(RunStateOf(run_.run_id), "complete");
}

TEST_F(LatePartTest, OfAnEarlierUploadCostsTheNewOneNothing) {
  ASSERT_TRUE(queue_.Split(run_.task_id, again_, "upload-2", 34, again_.source, {}, {}, "another"));
  Record(FailureOf(parts_[1]));
  EXPECT_EQ(StateOf(run_.run_id, 1), "in_flight");
  EXPECT_EQ(queue_.ClaimParts(run_.run_id, 10).size(), 3U);
}

TEST_F(LatePartTest, OfTheUploadThatGoesOnCostsAnAttempt) {
  ASSERT_TRUE(queue_.Split(run_.task_id, again_, "upload-1", 34, again_.source, {}, {}, "nonce"));
  Record(FailureOf(parts_[1]));
  EXPECT_EQ(StateOf(run_.run_id, 1), "retry_wait");
  EXPECT_EQ(queue_.ClaimRetries(run_.run_id, 1).at(0).attempts, 2);
}

}  // namespace
}  // namespace ferry
