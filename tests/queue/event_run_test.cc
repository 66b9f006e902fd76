// Runs of events among the others: when they begin, give way, and what is left of them.
#include "batch/queue/event_table.h"
#include "batch/queue/history.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using Keys = std::vector<std::string>;

class EventRunTest : public QueueFixture {
 protected:
  void Tell(const Keys& keys) {
    std::vector<NewEvent> events;
    for (const std::string& key : keys) events.push_back({"media", Key(key)});
    AddEvents(session_, events);
  }
  Keys Waiting() {
    Keys keys;
    for (const WaitingEvent& event : ReadEvents(session_, "media", 1000)) {
      keys.push_back(event.key.bytes());
    }
    return keys;
  }
  void ForgetAll() {
    session_.Transact([&](pg::Transaction& tx) {
      ForgetEvents(tx, "media", ReadEvents(other_session_, "media", 1000));
    });
  }
  BegunRun Begin(RunKind kind, std::int64_t worker) {
    return BeginRun(session_, Place(), kind, worker);
  }
  // One that has planned jobs for the keys in/1 to in/JOBS, which wait no more.
  BegunRun BeginWithJobs(int jobs) {
    Tell({"in/1"});
    const BegunRun run = Begin(RunKind::kEvent, listener_);
    AddPending(run, listener_, jobs);
    ForgetAll();
    return run;
  }
  void LetWishesPass() { Run("update bucketferry.task set run_wanted_until = now()"); }

  pg::Session other_session_{database_.options()};
  const std::int64_t listener_ = NewWorker();
  const std::int64_t scheduler_ = NewWorker();
};

TEST_F(EventRunTest, BeginsWhenKeysWaitAndNotBefore) {
  EXPECT_EQ(Begin(RunKind::kEvent, listener_).run_id, 0);
  Tell({"in/a"});
  const BegunRun run = Begin(RunKind::kEvent, listener_);
  EXPECT_EQ(RunStateOf(run.run_id), "planning");
  EXPECT_EQ(Begin(RunKind::kEvent, listener_).run_id, run.run_id);  // of whose commit nobody heard
  EXPECT_EQ(Begin(RunKind::kEvent, NewWorker()).run_id, 0);
}

TEST_F(EventRunTest, BesideARunThatGoesOnNothingIsBegunAndNothingRecorded) {
  const BegunRun scheduled = Begin(RunKind::kScheduled, scheduler_);
  Tell({"in/a"});
  const BegunRun run = Begin(RunKind::kEvent, listener_);
  EXPECT_EQ(run.run_id, 0);
  EXPECT_FALSE(run.skipped);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.run"), 1);
  EXPECT_EQ(Waiting(), Keys{"in/a"});
  FinishPlanning(session_, scheduled.run_id);
  EXPECT_NE(Begin(RunKind::kEvent, listener_).run_id, 0);
}

TEST_F(EventRunTest, GivesWayToEveryOtherRun) {
  for (const RunKind kind : {RunKind::kScheduled, RunKind::kRetry}) {
    Tell({"in/a"});
    const BegunRun events = Begin(RunKind::kEvent, listener_);
    ASSERT_NE(events.run_id, 0);
    EXPECT_FALSE(ReadEventRun(session_, events.run_id).run_wanted);
    const BegunRun waits = Begin(kind, scheduler_);
    EXPECT_TRUE(waits.awaits_events);
    EXPECT_EQ(waits.other_run, events.run_id);
    EXPECT_EQ(waits.run_id, 0);
    EXPECT_TRUE(ReadEventRun(session_, events.run_id).run_wanted);
    FinishPlanning(session_, events.run_id);
    EXPECT_EQ(Begin(RunKind::kEvent, listener_).run_id, 0);  // the other one's turn
    const BegunRun begun = Begin(kind, scheduler_);
    EXPECT_NE(begun.run_id, 0);
    EXPECT_FALSE(begun.skipped);
    FinishPlanning(session_, begun.run_id);
    LetWishesPass();
    FinishPlanning(session_, Begin(RunKind::kEvent, listener_).run_id);
  }
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.run where state = 'skipped'"),
            0);
}

TEST_F(EventRunTest, ARunThatIsWantedNoMoreHoldsUpNoEvents) {
  Tell({"in/a"});
  FinishPlanning(session_, Begin(RunKind::kEvent, listener_).run_id);
  Run("update bucketferry.task set run_wanted_until = now() + interval '1 hour'");
  EXPECT_EQ(Begin(RunKind::kEvent, listener_).run_id, 0);
  LetWishesPass();
  EXPECT_NE(Begin(RunKind::kEvent, listener_).run_id, 0);
}

TEST_F(EventRunTest, OfAListenerThatDiedTheRunIsInterruptedAndItsKeysWaitAgain) {
  const BegunRun lost = BeginWithJobs(3);
  EndLease(listener_);
  EXPECT_EQ(FindEventTasks(session_, {"media"}), Keys{"media"});
  const BegunRun next = Begin(RunKind::kEvent, NewWorker());
  EXPECT_EQ(RunStateOf(lost.run_id), "interrupted");
  EXPECT_EQ(Waiting(), (Keys{"in/1", "in/2", "in/3"}));
  EXPECT_NE(next.run_id, 0);
}

TEST_F(EventRunTest, AScheduledRunBeginsAtOnceWhereTheListenerDied) {
  const BegunRun lost = BeginWithJobs(1);
  EndLease(listener_);
  const BegunRun next = Begin(RunKind::kScheduled, scheduler_);
  EXPECT_FALSE(next.awaits_events);
  EXPECT_EQ(RunStateOf(next.run_id), "planning");
  EXPECT_EQ(RunStateOf(lost.run_id), "interrupted");
}

TEST_F(EventRunTest, WhatIsInterruptedIsClosedAndOnlyWhatWasNotDoneWaitsAgain) {
  const BegunRun run = BeginWithJobs(3);
  std::int64_t cursor = 0;
  JobQueue queue(session_, listener_, 1);
  Outcomes outcomes;
  outcomes.done = {Done(queue.ClaimJobs(run.run_id, cursor, 1).at(0))};
  queue.Record(run.run_id, run.task_id, outcomes);
  InterruptRun(session_, run.run_id, listener_);
  EXPECT_EQ(RunStateOf(run.run_id), "interrupted");
  EXPECT_TRUE(Ask<bool>("select finished_at is not null as v from bucketferry.run"));
  EXPECT_EQ(Waiting(), (Keys{"in/2", "in/3"}));
}

TEST_F(EventRunTest, WhatAFailedRunDidNotDoWaitsAgain) {
  const BegunRun run = BeginWithJobs(2);
  session_.Transact([&](pg::Transaction& tx) {
    AddExtras(tx, run.run_id, {{1, Key("in/gone"), ExtraKind::kBrought, {}, "etag", 1, 1}});
  });
  FailRun(session_, run.run_id, "denied");
  EXPECT_EQ(Waiting(), (Keys{"in/1", "in/2", "in/gone"}));
}

TEST_F(EventRunTest, WhatAScheduledRunDidNotDoIsNoEvent) {
  const BegunRun run = Begin(RunKind::kScheduled, scheduler_);
  AddPending(run, scheduler_, 2);
  FailRun(session_, run.run_id, "denied");
  EXPECT_EQ(Waiting(), Keys{});
}

TEST_F(EventRunTest, SaysNothingOfWhatTheScheduleSelects) {
  const BegunRun scheduled = Begin(RunKind::kScheduled, scheduler_);
  FinishPlanning(session_, scheduled.run_id, {"digest", {}});
  Tell({"in/a"});
  FinishPlanning(session_, Begin(RunKind::kEvent, listener_).run_id);
  EXPECT_EQ(ReadSelection(session_, scheduled.task_id), "digest");
}

TEST_F(EventRunTest, JobsThatAreFinalAreNotUnfinished) {
  const BegunRun run = BeginWithJobs(3);
  std::int64_t cursor = 0;
  JobQueue queue(session_, listener_, 1);
  Outcomes outcomes;
  outcomes.done = {Done(queue.ClaimJobs(run.run_id, cursor, 2).at(0))};
  queue.Record(run.run_id, run.task_id, outcomes);
  std::vector<std::int64_t> left = FindUnfinishedJobs(session_, run.run_id, {1, 2, 3, 4});
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::int64_t>{2, 3}));
}

}  // namespace
}  // namespace ferry
