#include "batch/queue/run_table.h"

#include <future>
#include <thread>

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using test::ErrorOf;
using test::KindOf;

class RunTableTest : public QueueFixture {
 protected:
  BegunRun Begin(std::int64_t worker, RunKind kind = RunKind::kScheduled) {
    return BeginRun(session_, Place(), kind, worker);
  }
  std::vector<Job> ClaimAll(const BegunRun& run, std::int64_t worker) {
    std::int64_t cursor = 0;
    return JobQueue(session_, worker, 1).ClaimJobs(run.run_id, cursor, 1000);
  }
  Recorded Record(const BegunRun& run, std::int64_t worker, const Outcomes& outcomes) {
    return JobQueue(session_, worker, 1).Record(run.run_id, run.task_id, outcomes);
  }
  void FinishAll(const BegunRun& run, std::int64_t worker) {
    Outcomes outcomes;
    for (const Job& job : ClaimAll(run, worker)) outcomes.done.push_back(Done(job));
    Record(run, worker, outcomes);
  }

  const std::int64_t worker_ = NewWorker();
};

TEST_F(RunTableTest, ARunWithNothingToDoIsCompleteAtOnce) {
  const BegunRun run = Plan(worker_, 0);
  EXPECT_FALSE(run.skipped);
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
}

TEST_F(RunTableTest, RunIdsBeginAtTheTimeOfTheSchemaAndGrow) {
  const BegunRun first = Plan(worker_, 0);
  const BegunRun second = Plan(worker_, 0);
  EXPECT_GT(first.run_id, 1'700'000'000);
  EXPECT_GT(second.run_id, first.run_id);
  EXPECT_EQ(second.task_id, first.task_id);
}

TEST_F(RunTableTest, AnotherPlaceUnderTheSameNameIsAnotherTask) {
  const BegunRun first = Plan(worker_, 0);
  TaskPlace other = Place();
  other.destination_prefix = "elsewhere/";
  EXPECT_EQ(FindTask(session_, other), std::nullopt);
  EXPECT_EQ(FindTask(session_, Place()), first.task_id);
  const BegunRun second = BeginRun(session_, other, RunKind::kScheduled, worker_);
  EXPECT_NE(second.task_id, first.task_id);
  EXPECT_FALSE(second.skipped);
}

TEST_F(RunTableTest, ARunBesidesALiveOneIsSkippedAndCounted) {
  const BegunRun live = Begin(worker_);
  const BegunRun second = Begin(NewWorker());
  EXPECT_TRUE(second.skipped);
  EXPECT_EQ(second.other_run, live.run_id);
  EXPECT_EQ(RunStateOf(second.run_id), "skipped");
  EXPECT_EQ(RunStateOf(live.run_id), "planning");
  EXPECT_EQ(Ask<std::int64_t>("select runs_skipped as v from bucketferry.task"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), 0);
}

TEST_F(RunTableTest, OfManyThatBeginTogetherExactlyOneRuns) {
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::async(std::launch::async, [this, worker = NewWorker()] {
      pg::Session session(database_.options());
      return BeginRun(session, Place(), RunKind::kScheduled, worker).skipped;
    }));
  }
  int skipped = 0;
  for (auto& one : all) skipped += one.get() ? 1 : 0;
  EXPECT_EQ(skipped, 3);
}

TEST_F(RunTableTest, ARunWhosePlannerIsLostIsClosedFailedByTheNext) {
  const BegunRun lost = Begin(worker_);
  EndLease(worker_);
  const BegunRun next = Begin(NewWorker());
  EXPECT_FALSE(next.skipped);
  EXPECT_EQ(RunStateOf(lost.run_id), "failed");
  EXPECT_TRUE(ReadRun(session_, lost.run_id).error);
}

TEST_F(RunTableTest, ARunWhoseWorkersAreLostIsClosedInterruptedByTheNext) {
  const BegunRun lost = Plan(worker_, 3);
  EndLease(worker_);
  EXPECT_FALSE(Begin(NewWorker()).skipped);
  EXPECT_EQ(RunStateOf(lost.run_id), "interrupted");
  EXPECT_EQ(Ask<bool>("select finished_at is not null as v from bucketferry.run where run_id = $1",
                      lost.run_id),
            true);
}

TEST_F(RunTableTest, AWorkerThatLeavesInterruptsARunOnlyWhereNobodyElseWorksOnIt) {
  const BegunRun run = Plan(worker_, 3);
  const std::int64_t other = NewWorker();
  std::int64_t cursor = 0;
  JobQueue(session_, other, 1).ClaimJobs(run.run_id, cursor, 1);
  InterruptRun(session_, run.run_id, worker_);
  EXPECT_EQ(RunStateOf(run.run_id), "copying");
  InterruptRun(session_, run.run_id, other);
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");
}

TEST_F(RunTableTest, APlannerThatLeavesInterruptsItsRunWhoeverElseWorksOnIt) {
  const BegunRun run = Begin(worker_);
  AddPending(run, worker_, 3);
  const std::int64_t other = NewWorker();
  std::int64_t cursor = 0;
  JobQueue(session_, other, 1).ClaimJobs(run.run_id, cursor, 1);
  InterruptRun(session_, run.run_id, other);
  EXPECT_EQ(RunStateOf(run.run_id), "planning");
  InterruptRun(session_, run.run_id, worker_);
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");
}

TEST_F(RunTableTest, APlannerThatComesBackWhileItsRunIsAboutToBeClosedKeepsIt) {
  const BegunRun run = Begin(worker_);
  EndLease(worker_);
  const std::int64_t again = NewWorker();
  const std::int64_t other = NewWorker();
  std::future<BegunRun> next;
  session_.Transact([&](pg::Transaction& tx) {
    LockRun(tx, run.run_id);
    next = std::async(std::launch::async, [&] {
      pg::Session session(database_.options());
      return BeginRun(session, Place(), RunKind::kScheduled, other);
    });
    while (tx.ExecuteText("select count(*) as v from pg_locks"
                          " where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))")
               .One()
               .Get<std::int64_t>("v") == 0) {
      std::this_thread::yield();
    }
    tx.Execute("queries/take_over_planning", run.run_id, worker_, again);
    AddTally(tx, run.run_id, again, {});
  });
  EXPECT_TRUE(next.get().skipped);
  EXPECT_EQ(RunStateOf(run.run_id), "planning");
}

TEST_F(RunTableTest, ARunIsNotClosedWhileItIsPlanned) {
  const BegunRun run = Begin(worker_);
  session_.Transact([&](pg::Transaction& tx) { EXPECT_FALSE(CloseIfFinal(tx, run.run_id)); });
  EXPECT_EQ(RunStateOf(run.run_id), "planning");
  FinishPlanning(session_, run.run_id);
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
}

TEST_F(RunTableTest, OfTwoWorkersThatFinishTheLastJobsOneClosesTheRun) {
  const BegunRun run = Plan(worker_, 40);
  std::vector<std::future<int>> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(std::async(std::launch::async, [this, run, worker = NewWorker()] {
      pg::Session session(database_.options());
      JobQueue queue(session, worker, 1);
      std::int64_t cursor = 0;
      int closed = 0;
      while (true) {
        const std::vector<Job> jobs = queue.ClaimJobs(run.run_id, cursor, 1);
        if (jobs.empty()) return closed;
        Outcomes outcomes;
        outcomes.done = {Done(jobs[0])};
        closed += queue.Record(run.run_id, run.task_id, outcomes).run_closed ? 1 : 0;
      }
    }));
  }
  EXPECT_EQ(all[0].get() + all[1].get(), 1);
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
  EXPECT_EQ(ReadRun(session_, run.run_id).totals.done, 40);
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 40);
}

TEST_F(RunTableTest, AFailedRunStaysFailed) {
  const BegunRun run = Plan(worker_, 1);
  FailRun(session_, run.run_id, "the bucket is away");
  EXPECT_EQ(RunStateOf(run.run_id), "failed");
  FailRun(session_, run.run_id, "again");
  EXPECT_EQ(ReadRun(session_, run.run_id).error, "the bucket is away");
  InterruptRun(session_, run.run_id, worker_);
  EXPECT_EQ(RunStateOf(run.run_id), "failed");
  EXPECT_EQ(Ask<std::int64_t>("select runs_failed as v from bucketferry.task"), 1);
}

TEST_F(RunTableTest, ARefreshIsRequiredWhenTheDestinationChangedAndOnlyThen) {
  const char* const required =
      "select coalesce(max(required_run_id), 0) as v from bucketferry.refresh";
  Plan(worker_, 0);
  EXPECT_EQ(Ask<std::int64_t>(required), 0);
  const BegunRun run = Plan(worker_, 2);
  FinishAll(run, worker_);
  EXPECT_EQ(Ask<std::int64_t>(required), run.run_id);
  Plan(worker_, 0);
  EXPECT_EQ(Ask<std::int64_t>(required), run.run_id);
}

TEST_F(RunTableTest, WhatEndsAfterARunWasClosedIsStillCountedInIt) {
  const BegunRun run = Plan(worker_, 2);
  const std::vector<Job> jobs = ClaimAll(run, worker_);
  FailRun(session_, run.run_id, "away");
  Outcomes outcomes;
  outcomes.done = {Done(jobs.at(0))};
  EXPECT_TRUE(Record(run, worker_, outcomes).run_closed);
  const Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.done, 1);
  EXPECT_EQ(totals.in_flight, 0);
  EXPECT_EQ(RunStateOf(run.run_id), "failed");
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), 1);
  EXPECT_EQ(Ask<std::int64_t>("select required_run_id as v from bucketferry.refresh"), run.run_id);
}

TEST_F(RunTableTest, NothingOfAClosedRunIsClaimed) {
  const BegunRun run = Plan(worker_, 2);
  FailRun(session_, run.run_id, "away");
  EXPECT_TRUE(ClaimAll(run, worker_).empty());
}

TEST_F(RunTableTest, ARunThatFailedAfterItWroteRequiresARefreshToo) {
  const BegunRun run = Plan(worker_, 2);
  Outcomes outcomes;
  outcomes.done = {Done(ClaimAll(run, worker_).at(0))};
  Record(run, worker_, outcomes);
  FailRun(session_, run.run_id, "away");
  EXPECT_EQ(Ask<std::int64_t>("select required_run_id as v from bucketferry.refresh"), run.run_id);
}

TEST_F(RunTableTest, OpenRunsSayWhetherTheirPlannerLives) {
  const BegunRun run = Begin(worker_);
  std::vector<OpenRun> open = FindOpenRuns(session_, {"media", "other"});
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].run_id, run.run_id);
  EXPECT_TRUE(open[0].planning);
  EXPECT_TRUE(open[0].planner_alive);
  EXPECT_EQ(open[0].place.source_prefix, "in/");
  EndLease(worker_);
  EXPECT_FALSE(FindOpenRuns(session_, {"media"}).at(0).planner_alive);
  EXPECT_TRUE(FindOpenRuns(session_, {"other"}).empty());
}

// The last line of defence: what no statement of ours writes, the database refuses by name.
TEST_F(RunTableTest, ConstraintsRefuseStatesThatCannotBe) {
  const BegunRun run = Plan(worker_, 1);
  const std::pair<const char*, const char*> cases[] = {
      {"job_state", "update bucketferry.job set state = 'lost'"},
      {"job_action", "update bucketferry.job set action = 'guess'"},
      {"job_size", "update bucketferry.job set size_bytes = -1"},
      {"job_retry_has_time", "update bucketferry.job set state = 'retry_wait'"},
      {"job_retry_has_time", "update bucketferry.job set retry_at = now()"},
      {"job_in_flight_is_somebodys", "update bucketferry.job set state = 'in_flight'"},
      {"job_upload_is_whole", "update bucketferry.job set upload_id = 'u'"},
      {"job_parts_left",
       "update bucketferry.job set upload_id = 'u', part_bytes = 1, parts_left = -1"},
      {"job_finished_when_final", "update bucketferry.job set finished_at = now()"},
      {"job_finished_when_final", "update bucketferry.job set state = 'vanished'"},
      {"job_done_says_by_what", "update bucketferry.job set state = 'done', finished_at = now()"},
      {"job_dead_says_why", "update bucketferry.job set state = 'dead', finished_at = now()"},
      {"part_number",
       "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes)"
       " select run_id, 1, 10001, 0, 1 from bucketferry.job"},
      {"part_in_flight_is_somebodys",
       "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state)"
       " select run_id, 1, 1, 0, 1, 'in_flight' from bucketferry.job"},
      {"part_done_is_whole",
       "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state)"
       " select run_id, 1, 1, 0, 1, 'done' from bucketferry.job"},
      {"part_md5",
       "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes,"
       " state, etag, md5) select run_id, 1, 1, 0, 1, 'done', 'e', 'short'"
       " from bucketferry.job"},
      {"run_state", "update bucketferry.run set state = 'sleeping', finished_at = now()"},
      {"run_finished_when_closed", "update bucketferry.run set state = 'complete'"},
      {"run_planned_when_copying", "update bucketferry.run set planned_at = null"},
      {"run_ends_after_it_starts",
       "update bucketferry.run set state = 'failed', finished_at = started_at - interval '1 s'"},
      {"ledger_holds_or_says_why",
       "insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at,"
       " source_etag) values (1, 'k', 1, 1, now(), 'e')"},
      {"ledger_verdict",
       "insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at,"
       " source_etag, verdict) values (1, 'k', 1, 1, now(), 'e', 'bored')"},
  };
  for (const auto& [constraint, sql] : cases) {
    const auto error = ErrorOf([&] { Run(sql); });
    ASSERT_TRUE(error) << sql;
    EXPECT_NE(std::string(error->what()).find(constraint), std::string::npos) << sql << "\n"
                                                                              << error->what();
  }
  EXPECT_EQ(StateOf(run.run_id, 1), "pending");
}

class LedgerTest : public QueueFixture {};

TEST_F(LedgerTest, IsReadInPagesInKeyOrderOfBytes) {
  const BegunRun run = Plan(NewWorker(), 0);
  const std::vector<std::string> keys = {"Z",
                                         "a",
                                         "a!",
                                         "a/",
                                         "a0",
                                         "\xC3\xA9",
                                         "\xEF\xBF\xBD",
                                         "\xF0\x9F\x98\x80",
                                         "\xFF",
                                         std::string("\xFF\x00", 2)};
  std::vector<LedgerRow> rows;
  for (const std::string& key : keys) {
    rows.insert(rows.begin(), {Key(key), {"e", 5, 1'700'000'000'123, "v"}, "d", "etag_md5", {}});
  }
  session_.Transact([&](pg::Transaction& tx) { WriteLedger(tx, run.task_id, run.run_id, rows); });
  std::vector<std::string> read;
  Key after;
  while (true) {
    const std::vector<LedgerEntry> page = ReadLedger(session_, run.task_id, after, 3);
    for (const LedgerEntry& entry : page) read.push_back(entry.key.bytes());
    if (page.size() < 3) break;
    after = page.back().key;
  }
  EXPECT_EQ(read, keys);
}

TEST_F(LedgerTest, ARowIsReplacedByWhatIsNewer) {
  const BegunRun run = Plan(NewWorker(), 0);
  const auto write = [&](LedgerRow row) {
    session_.Transact(
        [&](pg::Transaction& tx) { WriteLedger(tx, run.task_id, run.run_id, {std::move(row)}); });
    return *ReadLedgerRow(session_, run.task_id, Key("k"));
  };
  LedgerEntry now = write({Key("k"), {"e1", 5, 1'700'000'000'123, ""}, "d1", "etag_md5", {}});
  EXPECT_EQ(now.source.modified_ms, 1'700'000'000'123);
  EXPECT_EQ(now.verdict, std::nullopt);
  now = write({Key("k"), {"e2", 6, 1, ""}, "", "", Verdict::kKeyRefused});
  EXPECT_EQ(now.verdict, Verdict::kKeyRefused);
  EXPECT_EQ(ListRefusedKeys(session_, run.task_id), std::vector<Key>{Key("k")});
  now = write({Key("k"), {"e3", 7, 1, ""}, "d3", "read_back", {}});
  EXPECT_EQ(now.destination_etag, "d3");
  EXPECT_EQ(now.verdict, std::nullopt);
}

class WorkerLeaseTest : public QueueFixture {
 protected:
  std::unique_ptr<pg::Session> Connect() {
    return std::make_unique<pg::Session>(database_.options());
  }
  SystemClock clock_;
};

TEST_F(WorkerLeaseTest, IsTrustedWhileItIsRenewedAndGivenBackAtItsEnd) {
  std::int64_t worker = 0;
  {
    const WorkerLease lease([this] { return Connect(); }, clock_, {std::chrono::milliseconds(600)});
    worker = lease.worker_id();
    clock_.SleepFor(std::chrono::milliseconds(1500), {});
    EXPECT_TRUE(lease.Trusted());
    session_.Transact([&](pg::Transaction& tx) { CheckWorker(tx, worker); });
  }
  EXPECT_EQ(
      KindOf([&] { session_.Transact([&](pg::Transaction& tx) { CheckWorker(tx, worker); }); }),
      "conflict");
}

TEST_F(WorkerLeaseTest, IsLostForGoodOnceTheDatabaseSaysSo) {
  const WorkerLease lease([this] { return Connect(); }, clock_, {std::chrono::milliseconds(400)});
  EndLease(lease.worker_id());
  for (int i = 0; i < 100 && lease.Trusted(); ++i) {
    clock_.SleepFor(std::chrono::milliseconds(20), {});
  }
  EXPECT_FALSE(lease.Trusted());
  Run("update bucketferry.worker set leased_until = clock_timestamp() + interval '1 hour'");
  clock_.SleepFor(std::chrono::milliseconds(300), {});
  EXPECT_FALSE(lease.Trusted());
}

TEST_F(WorkerLeaseTest, EveryTermIsANewRow) { EXPECT_NE(NewWorker(), NewWorker()); }

}  // namespace
}  // namespace ferry
