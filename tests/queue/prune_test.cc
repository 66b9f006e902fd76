#include "batch/queue/prune.h"

#include <future>

#include "batch/base/digest.h"
#include "batch/queue/history.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using std::chrono::hours;

constexpr hours kHistory{30 * 24};

class PruneTest : public QueueFixture {
 protected:
  // Run ids start with the time, and a partition holds 256 of them: the few runs of a test would
  // now and then be in two.
  PruneTest() {
    Ask<std::int64_t>(
        "select setval('bucketferry.run_id', (last_value / 256 + 1) * 256) as v"
        " from bucketferry.run_id");
  }
  Pruned Prune() { return PruneHistory(session_, kHistory, {}); }
  std::vector<Job> Claim(const BegunRun& run, int limit) {
    std::int64_t cursor = 0;
    return JobQueue(session_, worker_, 1).ClaimJobs(run.run_id, cursor, limit);
  }
  void Record(const BegunRun& run, const Outcomes& outcomes) {
    JobQueue(session_, worker_, 1).Record(run.run_id, run.task_id, outcomes);
  }
  // A run of one job that ends as asked.
  BegunRun RunToItsEnd(bool dead = false) {
    const BegunRun run = Plan(worker_, 1);
    const Job job = Claim(run, 1).at(0);
    Outcomes outcomes;
    if (dead) {
      outcomes.failed = {Failed(job)};
    } else {
      outcomes.done = {Done(job)};
    }
    Record(run, outcomes);
    return run;
  }
  // As if all that there is had happened so long ago; what comes next has other partitions.
  void LetPass(const std::string& time) {
    Run("update bucketferry.run set started_at = started_at - $1::interval,"
        " finished_at = finished_at - $1::interval",
        time);
    Ask<std::int64_t>(
        "select setval('bucketferry.run_id', nextval('bucketferry.run_id') + 512) as v");
  }
  // Its run has newer partitions.
  void BeginAnotherTask() {
    TaskPlace other = Place();
    other.name = "other";
    BeginRun(session_, other, RunKind::kScheduled, worker_);
  }
  std::int64_t Partitions(const std::string& parent) {
    return Ask<std::int64_t>(
        "select count(*) as v from pg_inherits where inhparent = to_regclass($1)",
        pg::QuoteIdentifier(database_.schema()) + "." + parent);
  }
  std::int64_t Jobs(const BegunRun& run) {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.job where run_id = $1",
                             run.run_id);
  }
  std::size_t Shown(const BegunRun& run) {
    return ReadObjects(session_, {{"media"}, run.run_id, std::nullopt, 1000}, std::nullopt).size();
  }
  // As beginning a run beside one that goes on does it.
  void AddSkippedRuns(const BegunRun& beside, int count) {
    Run("insert into bucketferry.run (run_id, task_id, task_name, kind, state, started_at,"
        " finished_at) select nextval('bucketferry.run_id'), $1, 'media', 'scheduled', 'skipped',"
        " now(), now() from generate_series(1, $2::int)",
        beside.task_id, count);
  }

  const std::int64_t worker_ = NewWorker();
};

TEST_F(PruneTest, WhatAClosedRunLeftUndoneIsDroppedButNotWhatALiveWorkerHas) {
  const BegunRun run = Plan(worker_, 6);
  const std::vector<Job> jobs = Claim(run, 3);
  Outcomes outcomes;
  outcomes.done = {Done(jobs[0])};
  Record(run, outcomes);
  FailRun(session_, run.run_id, "the bucket is away");
  EXPECT_EQ(Shown(run), 1U) << "undone jobs of a closed run are shown";
  EXPECT_EQ(Prune().jobs, 3);
  EXPECT_EQ(Jobs(run), 3);

  outcomes.done = {Done(jobs[1])};
  Record(run, outcomes);
  EXPECT_EQ(ReadRun(session_, run.run_id).totals.done, 2);
  EndLease(worker_);
  EXPECT_EQ(Prune().jobs, 1);
  EXPECT_EQ(Prune().jobs, 0);
  EXPECT_EQ(StateOf(run.run_id, 1), "done");
  EXPECT_EQ(StateOf(run.run_id, 2), "done");
  EXPECT_EQ(Jobs(run), 2);
}

TEST_F(PruneTest, WhatIsClaimedWhileItIsDroppedStays) {
  const BegunRun run = Plan(worker_, 2);
  FailRun(session_, run.run_id, "the bucket is away");
  pg::Session other(database_.options());
  std::future<Pruned> pruned;
  {
    pg::Transaction claiming(other);
    claiming.ExecuteText(
        "update bucketferry.job set state = 'in_flight', worker_id = $1 where job_id = 1", worker_);
    pruned = std::async(std::launch::async, [this] {
      pg::Session session(database_.options());
      return PruneHistory(session, kHistory, {});
    });
    AwaitSomebodyWhoWaits();
    claiming.Commit();
  }
  EXPECT_EQ(pruned.get().jobs, 1);
  EXPECT_EQ(StateOf(run.run_id, 1), "in_flight");
  EndLease(worker_);
  EXPECT_EQ(Prune().jobs, 1) << "it is looked at again";
}

TEST_F(PruneTest, RunsOfWhichSomebodyKeepsSomethingKeepNoOtherWaiting) {
  for (int i = 0; i < 12; ++i) {
    const BegunRun run = Plan(worker_, 1);
    ASSERT_EQ(Claim(run, 1).size(), 1U);
    FailRun(session_, run.run_id, "the bucket is away");
  }
  const BegunRun last = Plan(worker_, 1);
  FailRun(session_, last.run_id, "the bucket is away");
  EXPECT_EQ(Prune().jobs + Prune().jobs, 1);
  EXPECT_EQ(Jobs(last), 0);
}

TEST_F(PruneTest, WhatWasAddedToAClosedRunIsFoldedAndKeepsNeitherItNorItsWorker) {
  const std::int64_t gone = NewWorker();
  const BegunRun run = RunToItsEnd();
  RunToItsEnd();
  session_.Transact([&](pg::Transaction& tx) {
    AddTally(tx, run.run_id, gone, {.pending = -1, .in_flight = 1, .requests_source = 7});
  });
  EndLease(gone);
  LetPass("31 days");
  Run("update bucketferry.worker set leased_until = leased_until - interval '2 days'"
      " where worker_id = $1",
      gone);
  BeginAnotherTask();
  const Pruned pruned = Prune();
  EXPECT_EQ(pruned.runs, 1);
  EXPECT_EQ(pruned.workers, 1);
}

TEST_F(PruneTest, NothingOfARunThatGoesOnOrMayGoOnIsTouched) {
  const BegunRun run = Plan(worker_, 4);
  Claim(run, 2);
  EndLease(worker_);
  EXPECT_EQ(Prune(), Pruned{});
  InterruptRun(session_, run.run_id, worker_);
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");
  EXPECT_EQ(Prune(), Pruned{});
  EXPECT_EQ(Jobs(run), 4);
}

TEST_F(PruneTest, LevelsOfAClosedRunStayAtNothingWhateverComesLate) {
  const BegunRun run = Plan(worker_, 3);
  Claim(run, 2);
  FailRun(session_, run.run_id, "the bucket is away");
  JobQueue(session_, worker_, 1).ReleaseAll(run.run_id);
  const Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.pending, 0);
  EXPECT_EQ(totals.in_flight, 0);
  EXPECT_EQ(totals.retry_wait, 0);
}

TEST_F(PruneTest, PartsOfAnOpenUploadOutliveTheirJobAndTheirTime) {
  const BegunRun run = Plan(worker_, 1);
  const Job job = Claim(run, 1).at(0);
  JobQueue queue(session_, worker_, 1);
  queue.IntendUpload(run.task_id, job, 50, "nonce");
  ASSERT_TRUE(queue.Split(run.task_id, job, "upload-1", 50, job.source, {}, {}, "nonce"));
  Outcomes outcomes;
  for (const PartJob& part : queue.ClaimParts(run.run_id, 1)) {
    outcomes.parts = {{part.job_id, part.part.number, "e", Md5::Of("x"), part.upload_id}};
  }
  Record(run, outcomes);
  FailRun(session_, run.run_id, "the bucket is away");
  LetPass("31 days");
  BeginAnotherTask();
  const Pruned pruned = Prune();
  EXPECT_EQ(pruned.jobs, 1);
  EXPECT_EQ(pruned.partitions, 1);
  EXPECT_EQ(Partitions("job"), 1);
  EXPECT_EQ(Partitions("part"), 2);
  const std::vector<KnownUpload> open = queue.FindUploads(run.task_id, {job.key});
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(queue.ReadDoneParts(open[0].run_id, open[0].job_id).size(), 1U);

  Run("insert into bucketferry.upload select task_id, key, run_id, job_id, null, part_bytes,"
      " size_bytes, source_etag, source_modified_at, source_version, created_at, 'intent'"
      " from bucketferry.upload");
  EXPECT_EQ(Prune().partitions, 0);
  Run("update bucketferry.upload set abandoned_at = now() where upload_id is not null");
  EXPECT_EQ(Prune().partitions, 1) << "nobody goes on with what is left";
  EXPECT_EQ(Partitions("part"), 1);
}

TEST_F(PruneTest, ObjectsOfRunsThatEndedLongAgoGoWithTheirPartitionsAndTotalsStay) {
  const BegunRun old = RunToItsEnd();
  LetPass("29 days");
  const BegunRun young = RunToItsEnd();
  EXPECT_EQ(Prune(), Pruned{});
  LetPass("2 days");
  const BegunRun last = RunToItsEnd();
  const Pruned pruned = Prune();
  EXPECT_EQ(pruned.partitions, 2);
  EXPECT_EQ(pruned.runs, 1);
  EXPECT_EQ(Shown(old), 0U);
  EXPECT_EQ(Shown(young), 1U);
  EXPECT_EQ(Shown(last), 1U);
  EXPECT_EQ(Prune(), Pruned{});
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), 3);
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 3);
  EXPECT_TRUE(ReadLedgerRow(session_, old.task_id, Key("in/1")));
}

TEST_F(PruneTest, APartitionStaysWhileOneOfItsRunsIsOpen) {
  const BegunRun open = Plan(worker_, 1);
  Run("update bucketferry.run set started_at = started_at - interval '40 days'");
  Ask<std::int64_t>(
      "select setval('bucketferry.run_id', nextval('bucketferry.run_id') + 512) as v");
  BeginAnotherTask();
  EXPECT_EQ(Prune(), Pruned{});
  EXPECT_EQ(StateOf(open.run_id, 1), "pending");
}

TEST_F(PruneTest, TheLatestRunOfEachStateStaysAndRetryFindsItsDeadJobsHoweverOld) {
  RunToItsEnd();
  RunToItsEnd();
  const BegunRun failed = Plan(worker_, 1);
  FailRun(session_, failed.run_id, "the bucket is away");
  RunToItsEnd(/*dead=*/true);
  const BegunRun dead = RunToItsEnd(/*dead=*/true);
  LetPass("400 days");
  BeginAnotherTask();
  const Pruned pruned = Prune();
  EXPECT_EQ(pruned.runs, 2);
  EXPECT_EQ(pruned.partitions, 1) << "parts only";
  EXPECT_EQ(Ask<std::string>("select string_agg(state, ' ' order by run_id) as v"
                             " from bucketferry.run where task_name = 'media'"),
            "complete failed incomplete");
  const BegunRun retry = BeginRun(session_, Place(), RunKind::kRetry, worker_);
  EXPECT_EQ(session_.Transact([&](pg::Transaction& tx) {
    return CopyDeadJobs(tx, dead.task_id, retry.run_id, worker_, 100);
  }),
            1);
}

TEST_F(PruneTest, DeadJobsOutliveRunsThatDidNotSettleThem) {
  const BegunRun dead = RunToItsEnd(/*dead=*/true);
  FailRun(session_, Plan(worker_, 1).run_id, "the bucket is away");
  LetPass("400 days");
  BeginAnotherTask();
  Prune();
  EXPECT_EQ(Jobs(dead), 1);
  RunToItsEnd();
  LetPass("400 days");
  BeginAnotherTask();
  Prune();
  EXPECT_EQ(Jobs(dead), 0);
}

TEST_F(PruneTest, ARetryThatIsCompleteDoesNotReplaceTheScheduledRunThatWas) {
  const BegunRun scheduled = RunToItsEnd();
  const BegunRun retry = BeginRun(session_, Place(), RunKind::kRetry, worker_);
  FinishPlanning(session_, retry.run_id);
  LetPass("400 days");
  BeginAnotherTask();
  Prune();
  EXPECT_EQ(RunStateOf(scheduled.run_id), "complete");
}

TEST_F(PruneTest, SkippedRunsGoAfterADayButForTheLast) {
  const BegunRun live = Plan(worker_, 1);
  AddSkippedRuns(live, 1500);
  EXPECT_EQ(Prune(), Pruned{});
  Run("update bucketferry.run set started_at = started_at - interval '25 hours',"
      " finished_at = finished_at - interval '25 hours'");
  EXPECT_EQ(Prune().runs, 1499);
  EXPECT_EQ(RunStateOf(live.run_id), "copying");
}

TEST_F(PruneTest, WorkersThatNothingNamesGo) {
  const std::int64_t planner = NewWorker();
  Plan(planner, 0);
  EndLease(planner);
  EndLease(NewWorker());
  Run("update bucketferry.worker set leased_until = leased_until - interval '2 days'"
      " where worker_id <> $1",
      worker_);
  EXPECT_EQ(Prune().workers, 1);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.worker"), 2);
}

TEST_F(PruneTest, WhoReadsAPartitionIsNotWaitedForAndMakesNobodyWait) {
  RunToItsEnd();
  LetPass("31 days");
  const BegunRun run = RunToItsEnd();
  pg::Session reader(database_.options());
  {
    pg::Transaction reading(reader);
    reading.ExecuteText("select count(*) from bucketferry.job");
    EXPECT_EQ(Prune().partitions, 0);
    EXPECT_EQ(StateOf(run.run_id, 1), "done");
  }
  EXPECT_EQ(Prune().partitions, 2);
}

TEST_F(PruneTest, OfSeveralThatPruneAtATimeNoneFails) {
  for (int i = 0; i < 3; ++i) {
    const BegunRun run = Plan(worker_, 50);
    FailRun(session_, run.run_id, "the bucket is away");
    LetPass("31 days");
  }
  RunToItsEnd();
  std::vector<std::future<Pruned>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::async(std::launch::async, [this] {
      pg::Session session(database_.options());
      return PruneHistory(session, kHistory, {});
    }));
  }
  for (auto& one : all) EXPECT_NO_THROW(one.get());
  Prune();
  EXPECT_EQ(Partitions("job"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.job where state = 'pending'"),
            0);
}

TEST_F(PruneTest, HundredsOfSkippedRunsDoNotHideTheOneThatGoesOn) {
  const BegunRun before = RunToItsEnd();
  const BegunRun live = Plan(worker_, 1);
  AddSkippedRuns(live, 300);
  const TaskRuns shown = ReadRuns(session_, "media", 10);
  EXPECT_TRUE(shown.active);
  ASSERT_EQ(shown.runs.size(), 7U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(shown.runs[i].state, "skipped");
  EXPECT_EQ(shown.runs[5].run_id, live.run_id);
  EXPECT_TRUE(shown.runs[5].active);
  EXPECT_EQ(shown.runs[6].run_id, before.run_id);
  EXPECT_EQ(ReadRuns(session_, "media", 1).runs.at(0).run_id, live.run_id);
}

}  // namespace
}  // namespace ferry
