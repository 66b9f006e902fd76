// People are told once of each event, and not of runs that had nothing to do.
#include "batch/downstream/notify_work.h"

#include "tests/downstream/downstream_fixture.h"

namespace ferry {
namespace {

RunFacts Facts(std::string state, std::int64_t planned, bool closed = true) {
  RunFacts facts;
  facts.state = std::move(state);
  facts.planned = planned;
  facts.closed = closed;
  return facts;
}

TEST(DecideTelling, OfAStartOnlyOnceThereIsSomethingToDo) {
  EXPECT_EQ(DecideTelling(RunEvent::kStarted, Facts("planning", 0, false), false), Telling::kWait);
  EXPECT_EQ(DecideTelling(RunEvent::kStarted, Facts("planning", 1, false), false), Telling::kSend);
  EXPECT_EQ(DecideTelling(RunEvent::kStarted, Facts("complete", 0), false), Telling::kDrop);
  EXPECT_EQ(DecideTelling(RunEvent::kStarted, Facts("failed", 0), false), Telling::kDrop);
  EXPECT_EQ(DecideTelling(RunEvent::kStarted, Facts("planning", 0, false), true), Telling::kSend);
}

TEST(DecideTelling, OfAnEndThatMatters) {
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("complete", 0), false), Telling::kDrop);
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("complete", 0), true), Telling::kSend);
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("complete", 3), false), Telling::kSend);
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("failed", 0), false), Telling::kSend);
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("incomplete", 0), false), Telling::kSend);
  EXPECT_EQ(DecideTelling(RunEvent::kEnded, Facts("copying", 3, false), false), Telling::kWait);
}

class NotifyWork : public DownstreamFixture {
 protected:
  void Announce(std::int64_t run, RunEvent event) {
    session_.Transact([&](pg::Transaction& tx) { AnnounceRun(tx, run, event, "media", {"team"}); });
  }
  void Notify() { NotifyDue(Parts(), Plan(), config_.notify_targets.front(), stop_.get_token()); }
  std::vector<std::string> Told() {
    std::vector<std::string> events;
    for (const Occasion& occasion : notices_["team"].made()) events.push_back(occasion.event);
    return events;
  }
  std::string StateOf(const std::string& event) {
    return QueueFixture::Ask<std::string>(
        "select state as v from bucketferry.notification where event = $1", event);
  }
};

TEST_F(NotifyWork, TellsOnceAndInOrder) {
  const std::int64_t run = CompleteRun(2);
  for (int twice = 0; twice < 2; ++twice) {
    Announce(run, RunEvent::kEnded);
    Announce(run, RunEvent::kStarted);
    Notify();
  }
  EXPECT_THAT(Told(), testing::ElementsAre("started", "ended"));
  EXPECT_EQ(notices_["team"].made()[1].run.done, 2);
  EXPECT_EQ(StateOf("ended"), "sent");
}

TEST_F(NotifyWork, SaysNothingOfARunThatHadNothingToDo) {
  const std::int64_t run = CompleteRun(0);
  Announce(run, RunEvent::kStarted);
  Announce(run, RunEvent::kEnded);
  Notify();
  EXPECT_THAT(Told(), testing::IsEmpty());
  EXPECT_EQ(StateOf("started"), "dropped");
  EXPECT_EQ(StateOf("ended"), "dropped");
}

TEST_F(NotifyWork, SaysItAllTheSameWhereItIsAskedTo) {
  config_.tasks.front().notify_always = true;
  const std::int64_t run = CompleteRun(0);
  Announce(run, RunEvent::kEnded);
  Notify();
  EXPECT_THAT(Told(), testing::ElementsAre("ended"));
}

TEST_F(NotifyWork, NamesWhatDied) {
  const BegunRun run = QueueFixture::Plan(worker_, 1);
  std::int64_t cursor = 0;
  JobQueue queue(session_, worker_, 3);
  Outcomes outcomes;
  outcomes.failed = {Failed(queue.ClaimJobs(run.run_id, cursor, 1).at(0))};
  outcomes.failed[0].futile = true;
  queue.Record(run.run_id, run.task_id, outcomes);
  Announce(run.run_id, RunEvent::kEnded);
  Notify();
  ASSERT_EQ(notices_["team"].made().size(), 1U);
  ASSERT_EQ(notices_["team"].made()[0].dead.size(), 1U);
  EXPECT_EQ(notices_["team"].made()[0].dead[0].key, Key("in/1"));
}

TEST_F(NotifyWork, TriesAgainWhatATargetRefusesAndKeepsTheOrderOfTheRest) {
  notices_["team"].AnswerWith([](const Occasion&, const std::stop_token&) -> RefreshOutcome {
    throw Error(ErrorKind::kUnavailable, "team: HTTP 500");
  });
  const std::int64_t run = CompleteRun(1);
  Announce(run, RunEvent::kEnded);
  Notify();
  EXPECT_EQ(StateOf("ended"), "waiting");
  notices_["team"].AnswerWith({});
  Run("update bucketferry.notification set next_try_at = clock_timestamp()");
  Notify();
  EXPECT_EQ(StateOf("ended"), "sent");
  EXPECT_EQ(QueueFixture::Ask<std::int64_t>("select failures as v from bucketferry.notify_total"),
            1);
  EXPECT_EQ(QueueFixture::Ask<std::int64_t>("select requests as v from bucketferry.notify_total"),
            2);
}

TEST_F(NotifyWork, GivesUpAfterADay) {
  notices_["team"].AnswerWith([](const Occasion&, const std::stop_token&) -> RefreshOutcome {
    throw Error(ErrorKind::kUnavailable, "team: HTTP 500");
  });
  const std::int64_t run = CompleteRun(1);
  Announce(run, RunEvent::kEnded);
  Run("update bucketferry.notification set created_at = created_at - interval '25 hours'");
  Notify();
  EXPECT_EQ(StateOf("ended"), "given_up");
}

TEST_F(NotifyWork, IsNotAskedForARunThatIsNotThere) {
  Announce(12345, RunEvent::kEnded);
  const std::int64_t run = CompleteRun(1);
  session_.Transact(
      [&](pg::Transaction& tx) { AnnounceRun(tx, run, RunEvent::kEnded, "another", {"team"}); });
  Notify();
  EXPECT_THAT(Told(), testing::IsEmpty());
}

TEST_F(NotifyWork, GoesWithTheRunWhenItsHistoryGoes) {
  const std::int64_t run = CompleteRun(0);
  Announce(run, RunEvent::kEnded);
  Run("delete from bucketferry.run where run_id = $1", run);
  Notify();
  EXPECT_THAT(Told(), testing::IsEmpty());
}

TEST_F(NotifyWork, TellsTheEndOfARunThatTheNextOneClosed) {
  const BegunRun run = HalfARun();
  Announce(run.run_id, RunEvent::kStarted);
  Notify();
  EndLease(worker_);
  const std::int64_t next = NewWorker();
  BeginRun(session_, Place(), RunKind::kScheduled, next);
  for (int twice = 0; twice < 2; ++twice) {
    AnnounceEnds(session_, {"media"}, {"team"});
    Notify();
  }
  EXPECT_THAT(Told(), testing::ElementsAre("started", "ended"));
  EXPECT_EQ(notices_["team"].made()[1].run.state, "interrupted");
}

}  // namespace
}  // namespace ferry
