// Two that do the last thing at the same moment: somebody sees that it was the last, every time.
#include <algorithm>
#include <barrier>
#include <functional>
#include <thread>

#include "batch/base/digest.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

constexpr int kRounds = 100;

class LastOneTest : public QueueFixture {
 protected:
  // Each with a session and a worker of its own.
  struct Actor {
    explicit Actor(const pg::ConnectOptions& options, std::int64_t worker)
        : session(options), worker_id(worker), queue(session, worker, 1) {}

    pg::Session session;
    const std::int64_t worker_id;
    JobQueue queue;
  };

  // Runs both at the same moment. What one throws fails the test.
  static void Together(const std::function<void()>& one, const std::function<void()>& two) {
    std::barrier start(2);
    const auto act = [&](const std::function<void()>& body) {
      start.arrive_and_wait();
      EXPECT_NO_THROW(body());
    };
    std::jthread other([&] { act(two); });
    act(one);
  }
  static std::vector<Job> Claim(Actor& actor, const BegunRun& run, int limit) {
    std::int64_t cursor = 0;
    return actor.queue.ClaimJobs(run.run_id, cursor, limit);
  }
  static Outcomes DoneAll(const std::vector<Job>& jobs) {
    Outcomes outcomes;
    for (const Job& job : jobs) outcomes.done.push_back(Done(job));
    return outcomes;
  }
  static Recorded Record(Actor& actor, const BegunRun& run, const Outcomes& outcomes) {
    return actor.queue.Record(run.run_id, run.task_id, outcomes);
  }
  static FinishedPart Finished(const PartJob& part) {
    return {part.job_id, part.part.number, "e" + std::to_string(part.part.number), Md5::Of("x"),
            part.upload_id};
  }
  static FailedJob BrokenPart(std::int64_t job_id) {
    FailedJob failed;
    failed.job_id = job_id;
    failed.error = "broken";
    failed.upload_id = "upload";
    return failed;
  }
  // Jobs 1..jobs of a new run, each with two parts that anybody may claim.
  BegunRun PlanParts(int jobs) {
    const BegunRun run = Plan(one_.worker_id, jobs);
    for (const Job& job : Claim(one_, run, jobs)) {
      const std::string nonce = job.key.bytes();  // of an upload, whatever the run
      one_.queue.IntendUpload(run.task_id, job, 50, nonce);
      EXPECT_TRUE(one_.queue.Split(run.task_id, job, "upload", 50, job.source, {}, {}, nonce));
    }
    return run;
  }

  Actor one_{database_.options(), NewWorker()};
  Actor two_{database_.options(), NewWorker()};
};

TEST_F(LastOneTest, OfTheLastTwoJobsOneClosesTheRun) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const BegunRun run = Plan(one_.worker_id, 2);
    const Outcomes first = DoneAll(Claim(one_, run, 1));
    const Outcomes second = DoneAll(Claim(two_, run, 1));
    bool closed_by_one = false;
    bool closed_by_two = false;
    Together([&] { closed_by_one = Record(one_, run, first).run_closed; },
             [&] { closed_by_two = Record(two_, run, second).run_closed; });
    EXPECT_NE(closed_by_one, closed_by_two) << "round " << round;
    EXPECT_EQ(RunStateOf(run.run_id), "complete");
    EXPECT_EQ(ReadRun(session_, run.run_id).totals.done, 2);
  }
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), kRounds);
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), 2 * kRounds);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.tally"), 0);
}

TEST_F(LastOneTest, OfTheLastTwoPartsOneMakesTheObjectComplete) {
  const BegunRun run = PlanParts(kRounds);
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    Outcomes first, second;
    first.parts = {Finished(one_.queue.ClaimParts(run.run_id, 1).at(0))};
    second.parts = {Finished(two_.queue.ClaimParts(run.run_id, 1).at(0))};
    ASSERT_EQ(first.parts[0].job_id, second.parts[0].job_id);
    std::vector<Job> by_one, by_two;
    Together(
        [&] {
          Record(one_, run, first);
          by_one = one_.queue.ClaimCompletions(run.run_id, 10);
        },
        [&] {
          Record(two_, run, second);
          by_two = two_.queue.ClaimCompletions(run.run_id, 10);
        });
    ASSERT_EQ(by_one.size() + by_two.size(), 1U) << "round " << round;
    ExpectLevelsOfRows(run);
    Record(by_one.empty() ? two_ : one_, run, DoneAll(by_one.empty() ? by_two : by_one));
  }
  EXPECT_EQ(RunStateOf(run.run_id), "complete");
}

// As two workers record them that share many objects: neither waits for what the other holds.
TEST_F(LastOneTest, PartsOfManyObjectsAreRecordedInAnyOrderByTwo) {
  constexpr int kObjects = 30;
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    const BegunRun run = PlanParts(kObjects);
    Outcomes first, second;
    for (int i = 0; i < kObjects; ++i) {
      first.parts.push_back(Finished(one_.queue.ClaimParts(run.run_id, 1).at(0)));
      second.parts.push_back(Finished(two_.queue.ClaimParts(run.run_id, 1).at(0)));
    }
    std::reverse(second.parts.begin(), second.parts.end());
    // And each has seen its part of the other's first object fail.
    for (Outcomes* one : {&first, &second}) {
      const FinishedPart& part = one->parts.back();
      one->failed = {BrokenPart(part.job_id)};
      one->returned_parts = {{part.job_id, part.number, part.upload_id}};
      one->parts.pop_back();
    }
    Together([&] { Record(one_, run, first); }, [&] { Record(two_, run, second); });
    ExpectLevelsOfRows(run);
    EXPECT_EQ(one_.queue.ClaimCompletions(run.run_id, 100).size(), kObjects - 2U);
    FailRun(session_, run.run_id, "enough");
  }
}

// One says of parts what it said before, while another has completed their objects.
TEST_F(LastOneTest, ObjectsAreCompletedInAnyOrderWhileSomebodyWritesOfTheirParts) {
  constexpr int kObjects = 60;
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    const BegunRun run = PlanParts(kObjects);
    Outcomes parts;
    for (const PartJob& part : two_.queue.ClaimParts(run.run_id, 2 * kObjects)) {
      parts.parts.push_back(Finished(part));
    }
    Record(two_, run, parts);
    Outcomes done = DoneAll(one_.queue.ClaimCompletions(run.run_id, kObjects));
    ASSERT_EQ(done.done.size(), std::size_t{kObjects});
    std::reverse(done.done.begin(), done.done.end());
    Together([&] { Record(one_, run, done); }, [&] { Record(two_, run, parts); });
    EXPECT_EQ(RunStateOf(run.run_id), "complete");
  }
}

TEST_F(LastOneTest, AnObjectThatIsSplitAgainAndAPartOfItThatEndsCountTheSame) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const BegunRun run = PlanParts(1);
    Outcomes failed, finished;
    const PartJob mine = one_.queue.ClaimParts(run.run_id, 1).at(0);
    finished.parts = {Finished(two_.queue.ClaimParts(run.run_id, 1).at(0))};
    failed.returned_parts = {{mine.job_id, mine.part.number, mine.upload_id}};
    failed.failed = {BrokenPart(mine.job_id)};
    failed.failed[0].costs_attempt = false;
    Record(one_, run, failed);
    const Job again = one_.queue.ClaimRetries(run.run_id, 1).at(0);
    Together(
        [&] {
          const std::string nonce = again.key.bytes();
          EXPECT_TRUE(
              one_.queue.Split(run.task_id, again, "upload", 50, again.source, {}, {}, nonce));
        },
        [&] { Record(two_, run, finished); });
    ExpectLevelsOfRows(run);
    Outcomes rest;
    for (const PartJob& part : one_.queue.ClaimParts(run.run_id, 10)) {
      rest.parts.push_back(Finished(part));
    }
    ASSERT_EQ(rest.parts.size(), 1U);
    Record(one_, run, rest);
    Record(one_, run, DoneAll(one_.queue.ClaimCompletions(run.run_id, 1)));
    EXPECT_EQ(RunStateOf(run.run_id), "complete") << "round " << round;
  }
}

TEST_F(LastOneTest, TheLastJobAndTheEndOfPlanningCloseTheRun) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const BegunRun run = BeginRun(session_, Place(), RunKind::kScheduled, two_.worker_id);
    AddPending(run, two_.worker_id, 1);
    const Outcomes last = DoneAll(Claim(one_, run, 1));
    Together([&] { Record(one_, run, last); }, [&] { FinishPlanning(two_.session, run.run_id); });
    EXPECT_EQ(RunStateOf(run.run_id), "complete") << "round " << round;
  }
}

TEST_F(LastOneTest, TheLastJobAndAFailureOfTheRunCloseItOnce) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const BegunRun run = Plan(two_.worker_id, 1);
    const Outcomes last = DoneAll(Claim(one_, run, 1));
    Together([&] { Record(one_, run, last); },
             [&] { FailRun(two_.session, run.run_id, "the bucket is away"); });
    const RunState state = ReadRun(session_, run.run_id);
    EXPECT_TRUE(state.state == "complete" || state.state == "failed") << state.state;
    EXPECT_EQ(state.error.has_value(), state.state == "failed");
    EXPECT_EQ(state.totals.done, 1);
    EXPECT_EQ(state.totals.in_flight, 0);
  }
  EXPECT_EQ(Ask<std::int64_t>("select runs as v from bucketferry.task"), kRounds);
  EXPECT_EQ(Ask<std::int64_t>("select objects_copied as v from bucketferry.task"), kRounds);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.tally"), 0);
}

TEST_F(LastOneTest, TheLastJobAndAWorkerThatLeavesCloseTheRun) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const std::int64_t leaving = NewWorker();
    const BegunRun run = Plan(leaving, 1);
    const Outcomes last = DoneAll(Claim(one_, run, 1));
    Together([&] { Record(one_, run, last); },
             [&] { InterruptRun(two_.session, run.run_id, leaving); });
    EXPECT_EQ(RunStateOf(run.run_id), "complete") << "round " << round;
  }
}

TEST_F(LastOneTest, OfTheLastTwoWorkersThatLeaveOneInterruptsTheRun) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const std::int64_t first = NewWorker();
    const std::int64_t second = NewWorker();
    const BegunRun run = Plan(first, 2);
    session_.Transact([&](pg::Transaction& tx) { AddTally(tx, run.run_id, second, {}); });
    Together([&] { InterruptRun(one_.session, run.run_id, first); },
             [&] { InterruptRun(two_.session, run.run_id, second); });
    EXPECT_EQ(RunStateOf(run.run_id), "interrupted") << "round " << round;
  }
}

// A lease that ends while its worker writes: each object and part is one's or the other's.
TEST_F(LastOneTest, WhatALostWorkerRecordsAndAnotherTakesBackIsCountedOnce) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const BegunRun run = PlanParts(1);
    AddPending(run, one_.worker_id, 1, /*from=*/2);
    Actor lost(database_.options(), NewWorker());
    Outcomes outcomes = DoneAll(Claim(lost, run, 1));
    ASSERT_EQ(outcomes.done.size(), 1U);
    for (const PartJob& part : lost.queue.ClaimParts(run.run_id, 2)) {
      outcomes.parts.push_back(Finished(part));
    }
    Together(
        [&] {
          try {
            Record(lost, run, outcomes);
          } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kConflict) << error.what();
          }
        },
        [&] {
          EndLease(lost.worker_id);
          two_.queue.RequeueLost(run.run_id);
        });
    ExpectLevelsOfRows(run);
    two_.queue.RequeueLost(run.run_id);
    EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.part where state <> 'done'"
                                " and state <> 'pending'"),
              0);
    FailRun(session_, run.run_id, "enough");
  }
}

}  // namespace
}  // namespace ferry
