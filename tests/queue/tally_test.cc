// The levels of a run: what is there to be claimed, however the objects ended and however long it
// goes on.
#include "batch/base/digest.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class TallyTest : public QueueFixture {
 protected:
  std::int64_t Rows() { return Ask<std::int64_t>("select count(*) as v from bucketferry.tally"); }
  std::int64_t Level(const std::string& column) {
    return Ask<std::int64_t>(
        ("select sum(" + column + ")::bigint as v from bucketferry.tally").c_str());
  }
  std::int64_t CountParts() {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.part");
  }
  // Rows of past slots, as if each had been written then: one object done in each.
  void AddPast(const BegunRun& run, std::int64_t worker, int slots) {
    Run("insert into bucketferry.tally (run_id, worker_id, slot, pending, done, progress_at)"
        " select $1, $2, floor(extract(epoch from now()) / 600)::bigint - 6 - i, -1, 1,"
        "        now() - interval '1 hour' - i * interval '10 minutes'"
        " from generate_series(1, $3::int) as i",
        run.run_id, worker, slots);
  }
  void RecordNothing(const BegunRun& run, std::int64_t worker) {
    JobQueue(session_, worker, 3).Record(run.run_id, run.task_id, {});
  }
  // A run whose only object is in four parts, two of which are claimed.
  std::vector<PartJob> BeginInParts() {
    run_ = Plan(worker_, 1);
    std::int64_t cursor = 0;
    const Job job = queue_.ClaimJobs(run_.run_id, cursor, 1).at(0);
    queue_.IntendUpload(run_.task_id, job, 25, "n");
    EXPECT_TRUE(queue_.Split(run_.task_id, job, "u", 25, job.source, {}, {}, "n"));
    return queue_.ClaimParts(run_.run_id, 2);
  }
  Outcomes FailureOf(const PartJob& part, bool futile) {
    Outcomes outcomes;
    FailedJob failed;
    failed.job_id = part.job_id;
    failed.error = "broken";
    failed.upload_id = part.upload_id;
    failed.futile = futile;
    outcomes.failed = {failed};
    outcomes.returned_parts = {{part.job_id, part.part.number, part.upload_id}};
    return outcomes;
  }

  const std::int64_t worker_ = NewWorker();
  JobQueue queue_{session_, worker_, 3};
  BegunRun run_;
};

TEST_F(TallyTest, OfALongRunStaysShortAndSumsUpTheSame) {
  const BegunRun run = Plan(worker_, 1000);
  const std::int64_t other = NewWorker(), lost = NewWorker();
  for (const std::int64_t worker : {worker_, other, lost}) AddPast(run, worker, 300);
  EndLease(lost);
  Run("update bucketferry.worker set leased_until = leased_until - interval '2 hours'"
      " where worker_id = $1",
      lost);
  RecordNothing(run, worker_);
  EXPECT_EQ(Rows(), 2 + 300) << "a live worker adds up its own";
  RecordNothing(run, worker_);
  RecordNothing(run, other);
  EXPECT_EQ(Rows(), 2 + 2);
  EXPECT_EQ(Level("done"), 900);
  EXPECT_EQ(Level("pending"), 100);
  AddPast(run, worker_, 10);
  RecordNothing(run, worker_);
  EXPECT_EQ(Rows(), 2 + 2);
  EXPECT_EQ(Level("done"), 910);
}

TEST_F(TallyTest, OfALostWorkerStaysWhileItHoldsSomething) {
  const BegunRun run = Plan(worker_, 2);
  const std::int64_t lost = NewWorker();
  std::int64_t cursor = 0;
  ASSERT_EQ(JobQueue(session_, lost, 3).ClaimJobs(run.run_id, cursor, 1).size(), 1U);
  EndLease(lost);
  Run("update bucketferry.worker set leased_until = leased_until - interval '2 hours'"
      " where worker_id = $1",
      lost);
  Run("update bucketferry.tally set slot = slot - 10, progress_at = now() - interval '2 hours'");
  RecordNothing(run, worker_);
  EXPECT_EQ(queue_.RequeueLost(run.run_id), 1);
}

TEST_F(TallyTest, KnowsNoPartsOfAnObjectThatIsDeadButKeepsWhatTheNextRunGoesOnFrom) {
  const std::vector<PartJob> parts = BeginInParts();
  AddPending(run_, worker_, 1, /*from=*/2);  // the run goes on
  Outcomes outcomes = FailureOf(parts[0], /*futile=*/true);
  ASSERT_EQ(queue_.Record(run_.run_id, run_.task_id, outcomes).dead.size(), 1U);
  EXPECT_EQ(Level("parts_pending"), 0);
  outcomes = {};
  outcomes.parts = {{parts[1].job_id, parts[1].part.number, "e", Md5::Of("x"), parts[1].upload_id}};
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  EXPECT_EQ(Level("parts_in_flight"), 0);
  EXPECT_EQ(queue_.ReadDoneParts(run_.run_id, 1).size(), 1U);
  EXPECT_EQ(CountParts(), 1);
}

TEST_F(TallyTest, KnowsNoPartsThatComeBackToAnObjectThatIsDead) {
  const std::vector<PartJob> parts = BeginInParts();
  AddPending(run_, worker_, 1, /*from=*/2);
  queue_.Record(run_.run_id, run_.task_id, FailureOf(parts[0], /*futile=*/true));
  queue_.Record(run_.run_id, run_.task_id, FailureOf(parts[1], /*futile=*/false));
  EXPECT_EQ(Level("parts_pending"), 0);
  EXPECT_EQ(Level("parts_in_flight"), 0);
  EXPECT_EQ(CountParts(), 0);
  ExpectLevelsOfRows(run_);
}

TEST_F(TallyTest, KnowsNoPartsOfAnObjectThatVanished) {
  const std::vector<PartJob> parts = BeginInParts();
  AddPending(run_, worker_, 1, /*from=*/2);
  queue_.Record(run_.run_id, run_.task_id, FailureOf(parts[0], /*futile=*/false));
  ASSERT_EQ(queue_.ClaimRetries(run_.run_id, 1).size(), 1U);
  Outcomes outcomes;
  outcomes.verdicts = {{1, "vanished", "gone"}};
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  EXPECT_EQ(CountParts(), 0);
  ExpectLevelsOfRows(run_);
}

// What tells that a run does not stand still: objects and parts that end, not tries.
TEST_F(TallyTest, ARunComesForwardByPartsAndObjectsButNotByClaimsAndFailures) {
  const auto advanced = [&] {
    return Ask<std::string>(
        "select coalesce(max(advanced_at)::text, '') as v from bucketferry.tally");
  };
  const std::vector<PartJob> parts = BeginInParts();
  const std::string planned = advanced();
  EXPECT_NE(planned, "");
  AddPending(run_, worker_, 1, /*from=*/2);
  const std::string added = advanced();
  EXPECT_NE(added, planned) << "planned objects";

  std::int64_t cursor = 1;
  const Job job = queue_.ClaimJobs(run_.run_id, cursor, 1).at(0);
  Outcomes outcomes;
  outcomes.failed = {Failed(job)};
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  ASSERT_EQ(queue_.ClaimRetries(run_.run_id, 1).size(), 1U);
  outcomes = {};
  outcomes.returned_parts = {{parts[1].job_id, parts[1].part.number, parts[1].upload_id}};
  outcomes.traffic.source_bytes_read = 25;
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  ASSERT_EQ(queue_.ClaimParts(run_.run_id, 1).size(), 1U);
  EXPECT_EQ(advanced(), added) << "claims and failures";

  outcomes = {};
  outcomes.parts = {{parts[0].job_id, parts[0].part.number, "e", Md5::Of("x"), parts[0].upload_id}};
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  const std::string part = advanced();
  EXPECT_NE(part, added) << "a part";
  outcomes = {};
  outcomes.done = {Done(job)};
  queue_.Record(run_.run_id, run_.task_id, outcomes);
  EXPECT_NE(advanced(), part) << "an object";
}

}  // namespace
}  // namespace ferry
