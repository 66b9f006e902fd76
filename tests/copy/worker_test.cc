// What a worker makes of failures: of an object, of a store, of its own.
#include "batch/copy/worker.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    tables_.interfere = [this](std::string_view, bool) {
      if (database_away_) throw Error(ErrorKind::kUnavailable, "the database is away");
    };
  }
  void AddJobs(int count, std::uint64_t size_bytes = 100) {
    run_ = tables_.AddRun("media", test::JobsOf(count, size_bytes));
  }
  void Begin() {
    const auto open_queue = [this] {
      return std::make_unique<test::FakeQueue>(tables_, term_.worker_id(), options_.attempts_max);
    };
    worker_.emplace(Worker::Parts{open_queue, term_, lanes_, clock_, observer_, observer_},
                    options_);
  }
  // Another worker with a lease that has something of the run in hand.
  void JoinAnother() {
    std::int64_t cursor = 0;
    test::FakeQueue other(tables_, tables_.NewWorker(std::chrono::hours(100)), 3);
    ASSERT_EQ(other.ClaimJobs(run_, cursor, 1).size(), 1U);
  }
  // Rounds until the worker ends; `answer` says what becomes of each item.
  Worker::End Work(const std::function<void(WorkResult&)>& answer) {
    for (int round = 0; round < 20'000; ++round) {
      const auto end = worker_->Step(until_, stop_);
      if (end) return *end;
      for (WorkItem& item : std::exchange(lanes_.running, {})) {
        WorkResult result;
        result.item = std::move(item);
        answer(result);
        lanes_.results.push_back(std::move(result));
      }
      clock_.Advance(milliseconds(500));
      term_.Renew(true);
    }
    ADD_FAILURE() << "the worker never ended";
    return Worker::End::kDrained;
  }
  static void Fail(WorkResult& result, ErrorKind kind) {
    result.error = Error(kind, "no");
    result.failed_side = Side::kDestination;
  }
  std::string StateOf(std::int64_t job) { return tables_.run(run_).jobs.at(job).state; }
  const std::string& RunState() { return tables_.run(run_).state; }

  test::TickedClock clock_;
  test::FakeTables tables_{clock_};
  test::SimulatedTerm term_{tables_, clock_};
  test::SimulatedLanes lanes_;
  test::Silence observer_;
  WorkerOptions options_ = test::SmallWorkerOptions();
  Worker::Until until_ = test::UntilDrained({"media"});
  std::optional<Worker> worker_;
  std::int64_t run_ = 0;
  bool stop_ = false;
  bool database_away_ = false;
};

TEST_F(WorkerTest, OneObjectThatFailsAlwaysEndsAsDeadAndNotAsAnOutage) {
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kThrottled}) {
    for (const int others : {0, 20}) {
      AddJobs(1 + others);
      Begin();
      EXPECT_EQ(Work([&](WorkResult& result) {
                  if (result.item.job.job_id != 1) return;
                  Fail(result, kind);
                  result.side_answers = result.item.in_outage;
                }),
                Worker::End::kDrained);
      EXPECT_EQ(StateOf(1), "dead") << ToString(kind) << " beside " << others;
      EXPECT_EQ(RunState(), "incomplete");
    }
  }
}

TEST_F(WorkerTest, AStoreThatFailsEverythingIsAwayAlsoWhenItAnswersLists) {
  AddJobs(20);
  Begin();
  Work([](WorkResult& result) {
    Fail(result, ErrorKind::kUnavailable);
    result.side_answers = result.item.in_outage;
  });
  EXPECT_EQ(RunState(), "failed");
  EXPECT_NE(StateOf(1), "dead");
}

TEST_F(WorkerTest, ABadNetworkCostsTheLastObjectNothing) {
  AddJobs(1);
  Begin();
  int tries = 0;
  Work([&](WorkResult& result) {
    if (++tries == 60) return;
    Fail(result, ErrorKind::kUnavailable);
    result.side_answers = result.item.in_outage && tries % 4 != 0;  // most of the time
  });
  EXPECT_EQ(StateOf(1), "done");
  EXPECT_EQ(tables_.run(run_).jobs.at(1).job.attempts, 0);
}

TEST_F(WorkerTest, AnOutageCostsTheLastObjectNothing) {
  AddJobs(1);
  Begin();
  const SteadyTime back = clock_.SteadyNow() + minutes(20);
  Work([&](WorkResult& result) {
    if (clock_.SteadyNow() < back) Fail(result, ErrorKind::kUnavailable);
  });
  EXPECT_EQ(StateOf(1), "done");
  EXPECT_EQ(tables_.run(run_).jobs.at(1).job.attempts, 0);
}

TEST_F(WorkerTest, AStoreThatNeverAnsweredThisProcessIsNotWaitedForLong) {
  AddJobs(20);
  Begin();
  observer_.have_answered = false;
  const SteadyTime began = clock_.SteadyNow();
  Work([](WorkResult& result) { Fail(result, ErrorKind::kUnavailable); });
  EXPECT_EQ(RunState(), "failed");
  EXPECT_LT(clock_.SteadyNow() - began, minutes(2));  // of the simulation's clock
}

TEST_F(WorkerTest, WhatThisProcessHasPlannedIsStartedWithoutWaitingForTheNextLook) {
  AddJobs(2);
  auto& run = tables_.run(run_);
  run.open.planning = run.open.planner_alive = true;
  run.jobs.at(1).state = "retry_wait";
  run.jobs.at(1).retry_at = clock_.SteadyNow() + minutes(1);
  auto planned = run.jobs.extract(2);
  Begin();
  ASSERT_FALSE(worker_->Step(until_, false));
  run.jobs.insert(std::move(planned));
  ASSERT_FALSE(worker_->Step(until_, false));
  ASSERT_TRUE(lanes_.running.empty()) << "it asks now and then, not always";
  worker_->LookAtOnce();
  ASSERT_FALSE(worker_->Step(until_, false));
  EXPECT_EQ(lanes_.running.size(), 1U);
}

TEST_F(WorkerTest, OfPartsFewerAreUnderWayThanOfObjects) {
  options_.concurrency = options_.concurrency_max = 32;
  options_.parts_max = 3;
  AddJobs(1, 40 << 20);
  Begin();
  std::size_t most = 0;
  Work([&](WorkResult& result) {
    if (result.item.kind == WorkItem::Kind::kSplit) {
      result.upload.nonce = result.item.nonce;
      result.upload.upload_id = "u";
      result.upload.part_bytes = result.item.part_bytes;
      result.upload.source = result.item.job.source;
    } else if (result.item.kind == WorkItem::Kind::kPart) {
      result.part = {result.item.part.part.number, "e", std::nullopt};
      most = std::max(most, lanes_.results.size() + 1);
    }
  });
  EXPECT_EQ(RunState(), "complete");
  EXPECT_EQ(most, 3U);
}

class WorkerOfMany : public WorkerTest, public testing::WithParamInterface<ErrorKind> {};

TEST_P(WorkerOfMany, LeavesARunAtWhichItAloneFailsToTheOthers) {
  AddJobs(20);
  JoinAnother();
  Begin();
  EXPECT_EQ(Work([&](WorkResult& result) { Fail(result, GetParam()); }), Worker::End::kWithdrawn);
  EXPECT_EQ(RunState(), "copying");
  EXPECT_EQ(observer_.given_up, 1);
  for (const auto& [id, row] : tables_.run(run_).jobs) {
    EXPECT_NE(row.worker_id, term_.worker_id()) << "what it had is for the others";
  }
}

INSTANTIATE_TEST_SUITE_P(Troubles, WorkerOfMany,
                         testing::Values(ErrorKind::kCredentials, ErrorKind::kUnavailable));

TEST_F(WorkerTest, ARunThatNobodyElseWorksOnIsClosedAsFailed) {
  AddJobs(20);
  Begin();
  Work([](WorkResult& result) { Fail(result, ErrorKind::kCredentials); });
  EXPECT_EQ(RunState(), "failed");
  EXPECT_EQ(observer_.given_up, 1);
}

TEST_F(WorkerTest, TheDeniedPartsOfAFewObjectsAreNotAHundredDeniedObjects) {
  AddJobs(3, 200 << 20);
  Begin();
  Work([](WorkResult& result) {
    if (result.item.kind == WorkItem::Kind::kSplit) {
      result.upload.upload_id = "u" + std::to_string(result.item.job.job_id);
      result.upload.part_bytes = 2 << 20;
      result.upload.source = result.item.object.source;
      result.upload.nonce = result.item.nonce;
    } else {
      Fail(result, ErrorKind::kDenied);
    }
  });
  EXPECT_EQ(RunState(), "incomplete");
  for (const int job : {1, 2, 3}) EXPECT_EQ(StateOf(job), "dead");
}

TEST_F(WorkerTest, ObjectsThatAreDeniedDoNotKeepThoseBehindThemFromBeingBrought) {
  AddJobs(4000);
  Begin();
  Work([](WorkResult& result) {
    if (result.item.job.job_id <= 2000) Fail(result, ErrorKind::kDenied);
  });
  int brought = 0;
  for (int job = 2001; job <= 4000; ++job) brought += StateOf(job) == "done";
  EXPECT_GT(brought, 1700);  // all but what lies together in less than a leap
  EXPECT_EQ(RunState(), "failed");
}

TEST_F(WorkerTest, ARunOfWhichEverythingIsDeniedIsGivenUpSoon) {
  AddJobs(4000);
  Begin();
  Work([](WorkResult& result) { Fail(result, ErrorKind::kDenied); });
  EXPECT_EQ(RunState(), "failed");
  EXPECT_EQ(StateOf(4000 / 2), "pending");
}

TEST_F(WorkerTest, AStopWhileTheDatabaseIsAwayIsAStop) {
  AddJobs(20);
  options_.grace = seconds(1);
  Begin();
  std::optional<SteadyTime> away;
  until_.enough = [&] { return away && clock_.SteadyNow() - *away > seconds(5); };
  const Worker::End end = Work([&](WorkResult&) {
    database_away_ = true;
    if (!away) away = clock_.SteadyNow();
  });
  EXPECT_EQ(end, Worker::End::kStopped);
}

TEST_F(WorkerTest, OnALongWayAnObjectIsSentInMoreParts) {
  options_.part_bytes = 16 << 20;
  observer_.Counters("media").destination_stats.Add(Operation::kList, milliseconds(200), nullptr);
  AddJobs(1, std::uint64_t{100} << 20);
  Begin();
  ASSERT_EQ(worker_->Step(until_, false), std::nullopt);
  ASSERT_EQ(lanes_.running.size(), 1U);
  EXPECT_EQ(lanes_.running.front().part_bytes, std::uint64_t{5} << 20);
}

TEST_F(WorkerTest, WhereAnObjectTakesLongMoreOfThemAreInFlight) {
  options_.concurrency_max = 32;
  AddJobs(200);
  Begin();
  ASSERT_EQ(worker_->Step(until_, false), std::nullopt);
  EXPECT_EQ(lanes_.running.size(), 4U);
  clock_.Advance(milliseconds(20));
  for (WorkItem& item : std::exchange(lanes_.running, {})) {
    WorkResult result;
    result.item = std::move(item);
    lanes_.results.push_back(std::move(result));
  }
  ASSERT_EQ(worker_->Step(until_, false), std::nullopt);
  EXPECT_GE(lanes_.running.size(), 20U);
  EXPECT_LE(lanes_.running.size(), 32U);
}

}  // namespace
}  // namespace ferry
