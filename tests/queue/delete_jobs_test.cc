#include "batch/queue/delete_jobs.h"

#include "batch/pg/sql_table.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

constexpr std::int64_t kListedMs = 1'700'000'000'000;

class DeleteJobsTest : public QueueFixture {
 protected:
  BegunRun Begin() { return BeginRun(session_, Place(), RunKind::kScheduled, worker_); }

  // Extras 1..count of a run that is being planned: in/1 ... in/count, brought and ledgered.
  void Stage(const BegunRun& run, int count) {
    std::vector<StagedExtra> extras;
    std::vector<LedgerRow> rows;
    for (int number = 1; number <= count; ++number) {
      StagedExtra extra;
      extra.number = number;
      extra.key = Key("in/" + std::to_string(number));
      extra.brought = {"s", 10, kListedMs, ""};
      extra.destination_etag = "d";
      extra.destination_size_bytes = 10;
      extra.destination_modified_ms = kListedMs;
      extras.push_back(extra);
      rows.push_back({extra.key, extra.brought, "d", "etag_md5", {}});
    }
    session_.Transact([&](pg::Transaction& tx) {
      AddExtras(tx, run.run_id, extras);
      WriteLedger(tx, run.task_id, run.run_id, rows);
    });
  }
  void Promote(const BegunRun& run, std::int64_t above, std::int64_t upto) {
    session_.Transact(
        [&](pg::Transaction& tx) { PromoteExtras(tx, run.run_id, worker_, above, upto, 1); });
  }
  std::vector<Job> Claim(const BegunRun& run) {
    std::int64_t cursor = 0;
    return JobQueue(session_, worker_, 3).ClaimJobs(run.run_id, cursor, 100);
  }
  bool Record(const BegunRun& run, std::vector<FinishedDelete> deletes) {
    Outcomes outcomes;
    outcomes.deletes = std::move(deletes);
    return JobQueue(session_, worker_, 3).Record(run.run_id, run.task_id, outcomes).run_closed;
  }
  std::int64_t StagedRows() {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.extra");
  }
  bool ChangedDestination(const BegunRun& run) {
    return Ask<bool>("select changed_destination as v from bucketferry.run where run_id = $1",
                     run.run_id);
  }

  const std::int64_t worker_ = NewWorker();
};

TEST_F(DeleteJobsTest, WhatIsStagedCannotBeClaimedBeforeItIsPromoted) {
  const BegunRun run = Begin();
  Stage(run, 3);
  EXPECT_TRUE(Claim(run).empty());
  Promote(run, 0, 2);
  const std::vector<Job> jobs = Claim(run);
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].action, Action::kDelete);
  EXPECT_EQ(jobs[0].key, Key("in/1"));
  EXPECT_EQ(StagedRows(), 1);
  EXPECT_EQ(ReadRun(session_, run.run_id).totals.planned, 2);
}

TEST_F(DeleteJobsTest, AClaimedDeleteKnowsWhatItMayRemove) {
  const BegunRun run = Begin();
  Stage(run, 2);
  Promote(run, 0, 2);
  Run("update bucketferry.ledger set destination_etag = 'newer' where key = 'in/2'");
  const std::vector<DeleteJob> jobs = ReadDeletes(session_, run.run_id, run.task_id, {1, 2});
  ASSERT_EQ(jobs.size(), 2U);
  for (const DeleteJob& job : jobs) {
    EXPECT_EQ(job.target.kind, ExtraKind::kBrought);
    EXPECT_EQ(job.target.etag, "d");
    EXPECT_EQ(job.target.size_bytes, 10U);
    EXPECT_EQ(job.target.modified_ms, kListedMs);
    EXPECT_EQ(job.target.in_ledger, job.job_id == 1);
  }
}

TEST_F(DeleteJobsTest, OutcomesAreCountedAndWhatIsGoneLeavesTheLedger) {
  const BegunRun run = Begin();
  Stage(run, 3);
  Promote(run, 0, 3);
  FinishPlanning(session_, run.run_id);
  Claim(run);
  EXPECT_TRUE(Record(run, {{1, {}, true}, {2, "it came back", false}, {3, "gone", true}}));
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
  const Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.deleted, 1);
  EXPECT_EQ(totals.vanished, 2);
  EXPECT_EQ(totals.done, 0);
  EXPECT_EQ(totals.bytes_planned, 0);
  EXPECT_EQ(StateOf(run.run_id, 1), "done");
  EXPECT_EQ(StateOf(run.run_id, 2), "vanished");
  EXPECT_FALSE(ReadLedgerRow(session_, run.task_id, Key("in/1")));
  EXPECT_TRUE(ReadLedgerRow(session_, run.task_id, Key("in/2")));
  EXPECT_FALSE(ReadLedgerRow(session_, run.task_id, Key("in/3")));
  EXPECT_TRUE(ChangedDestination(run));
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 0);
}

// Perhaps our own delete, of which we never heard the end: who is downstream must look.
TEST_F(DeleteJobsTest, AnObjectThatWasGoneAlreadyStillRequiresARefresh) {
  const BegunRun run = Begin();
  Stage(run, 1);
  Promote(run, 0, 1);
  FinishPlanning(session_, run.run_id);
  Claim(run);
  Record(run, {{1, "gone", true}});
  EXPECT_EQ(Ask<std::int64_t>("select required_run_id as v from bucketferry.refresh"), run.run_id);
}

TEST_F(DeleteJobsTest, ARunThatDeletedNothingRequiresNoRefresh) {
  const BegunRun run = Begin();
  Stage(run, 1);
  Promote(run, 0, 1);
  FinishPlanning(session_, run.run_id);
  Claim(run);
  Record(run, {{1, "it came back", false}});
  EXPECT_FALSE(ChangedDestination(run));
}

TEST_F(DeleteJobsTest, ADeleteThatIsNotOursAnyMoreIsNotRecorded) {
  const BegunRun run = Begin();
  Stage(run, 1);
  Promote(run, 0, 1);
  Claim(run);
  Run("update bucketferry.job set worker_id = $1", NewWorker());
  Record(run, {{1, {}, true}});
  EXPECT_EQ(StateOf(run.run_id, 1), "in_flight");
  EXPECT_TRUE(ReadLedgerRow(session_, run.task_id, Key("in/1")));
  EXPECT_EQ(ReadRun(session_, run.run_id).totals.deleted, 0);
}

TEST_F(DeleteJobsTest, RetryLeavesDeletesToTheNextListing) {
  const BegunRun run = Begin();
  Stage(run, 1);
  Promote(run, 0, 1);
  FinishPlanning(session_, run.run_id);
  Outcomes outcomes;
  outcomes.failed = {Failed(Claim(run).at(0))};
  outcomes.failed[0].futile = true;
  JobQueue(session_, worker_, 3).Record(run.run_id, run.task_id, outcomes);
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  const BegunRun again = BeginRun(session_, Place(), RunKind::kRetry, worker_);
  session_.Transact([&](pg::Transaction& tx) {
    EXPECT_EQ(CopyDeadJobs(tx, run.task_id, again.run_id, worker_, 100), 0);
  });
  EXPECT_EQ(CountDeadNotRetried(session_, run.task_id, again.run_id), 1);
}

TEST_F(DeleteJobsTest, WhatFailedPlansStagedIsSweptByTheNextOne) {
  const BegunRun failed = Begin();
  Stage(failed, 5);
  FailRun(session_, failed.run_id, "the listing ended early");
  const BegunRun run = Begin();
  Stage(run, 2);
  TaskPlace other = Place();
  other.name = "other";
  const BegunRun next = BeginRun(session_, other, RunKind::kScheduled, worker_);
  SweepExtras(session_, next.run_id);
  EXPECT_EQ(StagedRows(), 2);  // of the plan that goes on
  SweepExtras(session_, run.run_id);
  EXPECT_EQ(StagedRows(), 0);
}

TEST_F(DeleteJobsTest, APlanWithAnErrorEndsIncompleteAndSaysWhy) {
  const BegunRun run = Begin();
  FinishPlanning(session_, run.run_id, {"digest", "too many"});
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  EXPECT_EQ(ReadRun(session_, run.run_id).error, "too many");
}

TEST_F(DeleteJobsTest, ThePlansErrorStaysUntilItsJobsAreDone) {
  const BegunRun run = Begin();
  Stage(run, 1);
  Promote(run, 0, 1);
  FinishPlanning(session_, run.run_id, {"digest", "too many"});
  EXPECT_EQ(RunStateOf(run.run_id), "copying");
  Claim(run);
  Record(run, {{1, {}, true}});
  EXPECT_EQ(RunStateOf(run.run_id), "incomplete");
  EXPECT_EQ(ReadRun(session_, run.run_id).error, "too many");
}

TEST_F(DeleteJobsTest, ASelectionIsRememberedByACompletePlanOnly) {
  const BegunRun first = Begin();
  EXPECT_EQ(ReadSelection(session_, first.task_id), std::nullopt);
  FinishPlanning(session_, first.run_id, {"one", {}});
  EXPECT_EQ(ReadSelection(session_, first.task_id), "one");
  const BegunRun failed = Begin();
  FailRun(session_, failed.run_id, "listing");
  FinishPlanning(session_, failed.run_id, {"two", {}});
  EXPECT_EQ(ReadSelection(session_, first.task_id), "one");
  const BegunRun retry = BeginRun(session_, Place(), RunKind::kRetry, worker_);
  FinishPlanning(session_, retry.run_id);
  EXPECT_EQ(ReadSelection(session_, first.task_id), "one");
}

// What the other pair wrote meanwhile may lie where this one deletes.
TEST_F(DeleteJobsTest, ComingBackToAnEarlierPairIsAChange) {
  const BegunRun first = Begin();
  FinishPlanning(session_, first.run_id, {"one", {}});
  TaskPlace other = Place();
  other.destination_prefix = "out/new/";
  const BegunRun second = BeginRun(session_, other, RunKind::kScheduled, worker_);
  FinishPlanning(session_, second.run_id, {"one", {}});
  EXPECT_EQ(ReadSelection(session_, first.task_id), "");
  EXPECT_EQ(ReadSelection(session_, second.task_id), "one");
  // A retry does not list; a plan that failed has brought objects all the same.
  FinishPlanning(session_, BeginRun(session_, Place(), RunKind::kRetry, worker_).run_id);
  EXPECT_EQ(ReadSelection(session_, first.task_id), "");
  FinishPlanning(session_, Begin().run_id, {"one", {}});
  EXPECT_EQ(ReadSelection(session_, first.task_id), "one");
  FailRun(session_, BeginRun(session_, other, RunKind::kScheduled, worker_).run_id, "listing");
  EXPECT_EQ(ReadSelection(session_, first.task_id), "");
}

// Partitions of an earlier version have their constraints as their own.
TEST(DeletesMigration, JobsOfAnOldPartitionMayDeleteToo) {
  test::TestDatabase database;
  pg::Session session(database.options());
  std::vector<pg::SqlText> first;
  for (const pg::SqlText& text : pg::SqlTable()) {
    if (text.name == "migrations/0001_initial") first.push_back(text);
  }
  EXPECT_EQ(pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate, first), 1);
  const auto run = [&](const char* sql) {
    session.Transact([&](pg::Transaction& tx) { tx.ExecuteText(sql); });
  };
  run("select bucketferry.ensure_partitions(7) is null as made");
  pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate);
  run("insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag,"
      " source_modified_at, destination_etag, destination_size_bytes, destination_modified_at)"
      " values (7, 1, 'k', 'delete', 'extra', 0, '', 'epoch', 'e', 1, 'epoch')");
  EXPECT_EQ(test::KindOf([&] {
              run("insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes,"
                  " source_etag, source_modified_at)"
                  " values (7, 2, 'k', 'delete', 'extra', 0, '', 'epoch')");
            }),
            "invalid");
}

}  // namespace
}  // namespace ferry
