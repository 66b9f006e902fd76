// A refresh is done at least once for each requirement, never two at a time, and acknowledged for
// what was required before it.
#include "batch/downstream/refresh_work.h"

#include "tests/downstream/downstream_fixture.h"

namespace ferry {
namespace {

class RefreshWork : public DownstreamFixture {
 protected:
  void TwoTasksRequireOneTarget() {
    config_.tasks.push_back(config_.tasks.front());
    config_.tasks.back().name = "other";
    CompleteRun(1);
    Ask();
    Run("insert into bucketferry.refresh (task_name, target, required_run_id, required_seq,"
        " requested_seq, required_at)"
        " values ('other', 'cdn', 5, 1, 1, clock_timestamp())");
  }
};

TEST_F(RefreshWork, IsDoneOnceAndAcknowledged) {
  const std::int64_t run = CompleteRun(1);
  Ask();
  Refresh();
  Refresh();
  ASSERT_EQ(refreshes_["cdn"].made().size(), 1U);
  EXPECT_EQ(refreshes_["cdn"].made()[0].run.run_id, run);
  EXPECT_EQ(OfRefresh("acknowledged_run_id"), run);
  EXPECT_EQ(OfRefresh<std::string>("outcome"), "done");
  EXPECT_EQ(OfRefresh("requests"), 1);
}

TEST_F(RefreshWork, IsNotDoneUnasked) {
  CompleteRun(1);
  Refresh();
  EXPECT_TRUE(refreshes_["cdn"].made().empty());
}

TEST_F(RefreshWork, IsNotRequiredByARunThatChangedNothing) {
  CompleteRun(1);
  Ask();
  Refresh();
  CompleteRun(0);
  Ask();
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
}

TEST_F(RefreshWork, OfManyRunsIsOneCallForTheNewest) {
  CompleteRun(1);
  Ask();
  CompleteRun(1);
  const std::int64_t newest = CompleteRun(1);
  Ask();
  Refresh();
  ASSERT_EQ(refreshes_["cdn"].made().size(), 1U);
  EXPECT_EQ(OfRefresh("acknowledged_run_id"), newest);
}

TEST_F(RefreshWork, LeavesDueWhatIsRequiredWhileItIsUnderWay) {
  CompleteRun(1);
  Ask();
  std::int64_t second = 0;
  refreshes_["cdn"].AnswerWith([&](const Occasion&, const std::stop_token&) {
    if (second == 0) second = CompleteRun(1);
    return RefreshOutcome::kDone;
  });
  RefreshDue(Parts(), Plan(), *config_.FindRefreshTarget("cdn"), {});
  EXPECT_LT(OfRefresh("acknowledged_run_id"), second);
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 1);
  Ask();
  Refresh();
  EXPECT_EQ(OfRefresh("acknowledged_run_id"), second);
  EXPECT_EQ(refreshes_["cdn"].made().size(), 2U);
}

TEST_F(RefreshWork, ThatFailsIsTriedAgainLaterAndNotForgotten) {
  CompleteRun(1);
  Ask();
  refreshes_["cdn"].AnswerWith([](const Occasion&, const std::stop_token&) -> RefreshOutcome {
    throw Error(ErrorKind::kUnavailable, "cdn: HTTP 503");
  });
  Refresh();
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U) << "before its pause is over";
  EXPECT_EQ(OfRefresh("tries"), 1);
  EXPECT_EQ(OfRefresh("failures"), 1);
  EXPECT_EQ(OfRefresh<std::string>("error"), "cdn: HTTP 503");
  refreshes_["cdn"].AnswerWith({});
  Run("update bucketferry.refresh set next_try_at = clock_timestamp()");
  Refresh();
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 0);
  EXPECT_EQ(OfRefresh("tries"), 0);
  EXPECT_EQ(OfRefresh<std::string>("coalesce(error, 'none')"), "none");
}

TEST_F(RefreshWork, TellsWhetherItWasDoneOrOnlyAccepted) {
  CompleteRun(1);
  Ask();
  refreshes_["cdn"].AnswerWith(
      [](const Occasion&, const std::stop_token&) { return RefreshOutcome::kAccepted; });
  Refresh();
  EXPECT_EQ(OfRefresh<std::string>("outcome"), "accepted");
}

TEST_F(RefreshWork, IsLeftToWhoHasTheLease) {
  CompleteRun(1);
  Ask();
  ASSERT_TRUE(TakeRefreshLease(session_, "cdn", "another", std::chrono::minutes(1)));
  Refresh();
  EXPECT_TRUE(refreshes_["cdn"].made().empty());
  ReleaseRefreshLease(session_, "cdn", "another");
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
}

TEST_F(RefreshWork, IsTakenOverFromOneWhoDied) {
  CompleteRun(1);
  Ask();
  ASSERT_TRUE(TakeRefreshLease(session_, "cdn", "dead", std::chrono::milliseconds(0)));
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
}

TEST_F(RefreshWork, OfTwoAtATimeOneIsDone) {
  CompleteRun(1);
  Ask();
  std::promise<void> inside;
  std::promise<void> go_on;
  refreshes_["cdn"].AnswerWith([&](const Occasion&, const std::stop_token&) {
    inside.set_value();
    go_on.get_future().wait();
    return RefreshOutcome::kDone;
  });
  auto first = std::async(std::launch::async, [&] { Refresh(); });
  inside.get_future().wait();
  RefreshDue(Parts(), Plan(), *config_.FindRefreshTarget("cdn"), {});
  go_on.set_value();
  first.get();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
  EXPECT_FALSE(refreshes_["cdn"].overlapped);
}

TEST_F(RefreshWork, OfAGatewayKeepsAMinuteFromTheLastOne) {
  StorageGatewayTarget gateway;
  gateway.file_share = "arn:share";
  config_.refresh_targets = {{"cdn", gateway}};
  CompleteRun(1);
  Ask();
  Refresh();
  CompleteRun(1);
  Ask();
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U) << "the gateway would accept it, and do nothing";
  Run("update bucketferry.refresh_lease set leased_until = clock_timestamp()");
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 2U);
}

TEST_F(RefreshWork, StoppedIsNeitherDoneNorFailed) {
  CompleteRun(1);
  Ask();
  refreshes_["cdn"].AnswerWith([&](const Occasion&, const std::stop_token&) -> RefreshOutcome {
    stop_.request_stop();
    throw Error(ErrorKind::kStopped, "stopped");
  });
  Refresh();
  EXPECT_EQ(OfRefresh("failures"), 0);
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 1);
}

TEST_F(RefreshWork, DuringARunDoesNotStandForTheOneAtItsEnd) {
  const BegunRun run = HalfARun();
  ASSERT_TRUE(RequireInterimRefresh(session_, run.run_id, std::chrono::milliseconds(0)));
  Ask();
  Refresh();
  EXPECT_EQ(OfRefresh("acknowledged_run_id"), run.run_id);
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 0);
  FailRun(session_, run.run_id, "the bucket is away");
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 1);
  Ask();
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 2U);
  EXPECT_EQ(OfRefresh("required_seq - acknowledged_seq"), 0);
  EXPECT_NE(refreshes_["cdn"].made()[0].idempotency_key,
            refreshes_["cdn"].made()[1].idempotency_key);
}

TEST_F(RefreshWork, DuringARunIsRequiredOnceInSoLong) {
  const BegunRun run = HalfARun();
  EXPECT_FALSE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)))
      << "it began just now";
  Run("update bucketferry.run set started_at = started_at - interval '7 hours'");
  EXPECT_TRUE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)));
  EXPECT_FALSE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)));
  Run("update bucketferry.refresh set required_at = required_at - interval '7 hours'");
  EXPECT_TRUE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)));
}

TEST_F(RefreshWork, DuringARunThatHasWrittenNothingIsNotRequired) {
  const BegunRun run = QueueFixture::Plan(worker_, 2);
  EXPECT_FALSE(RequireInterimRefresh(session_, run.run_id, std::chrono::milliseconds(0)));
}

TEST_F(RefreshWork, OfOneTargetForTwoTasksIsOneCall) {
  TwoTasksRequireOneTarget();
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
  EXPECT_EQ(QueueFixture::Ask<std::int64_t>("select count(*) as v from bucketferry.refresh"
                                            " where acknowledged_seq < required_seq"),
            0);
}

TEST_F(RefreshWork, OfAWebhookForTwoTasksIsACallEach) {
  config_.refresh_targets = {{"cdn", WebhookTarget{}}};
  TwoTasksRequireOneTarget();
  Refresh();
  ASSERT_EQ(refreshes_["cdn"].made().size(), 2U);
  EXPECT_EQ(refreshes_["cdn"].made()[1].run.task, "other");
}

TEST_F(RefreshWork, OfTheLastTargetIsToldToPeople) {
  config_.tasks.front().refresh = {"cdn", "mount"};
  config_.refresh_targets.push_back({"mount", RcloneTarget{}});
  const std::int64_t run = CompleteRun(1);
  Run("insert into bucketferry.refresh (task_name, target, required_run_id, required_seq,"
      " required_at) values ('media', 'mount', $1, 1, clock_timestamp())",
      run);
  const auto told = [&] {
    return QueueFixture::Ask<std::int64_t>(
        "select count(*) as v from bucketferry.notification where event = 'refreshed'");
  };
  Ask("cdn");
  Refresh("cdn");
  EXPECT_EQ(told(), 0);
  Ask("mount");
  Refresh("mount");
  EXPECT_EQ(told(), 1);
}

TEST_F(RefreshWork, OfTheLastTwoTargetsAtATimeIsToldToPeople) {
  config_.tasks.front().refresh = {"cdn", "mount"};
  config_.refresh_targets.push_back({"mount", RcloneTarget{}});
  const std::int64_t run = CompleteRun(1);
  Run("insert into bucketferry.refresh (task_name, target, required_run_id, required_seq,"
      " requested_seq, required_at) values ('media', 'mount', $1, 1, 1, clock_timestamp())",
      run);
  // One acknowledgement is made and not committed yet when the other one comes.
  pg::Session other(database_.options());
  pg::Transaction first(other);
  first.Execute("queries/lock_refreshes", "media");
  first.Execute("queries/acknowledge_refresh", "media", "cdn", run, 1, "done");
  first.Execute("queries/announce_refreshed", "media", config_.tasks.front().refresh,
                config_.tasks.front().notify);
  auto second = std::async(std::launch::async, [&] { Refresh("mount"); });
  const auto waits = [&] {
    return QueueFixture::Ask<std::int64_t>(
               "select count(*) as v from pg_locks where locktype = 'advisory' and not granted") >
           0;
  };
  while (second.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready && !waits()) {
  }
  first.Commit();
  second.get();
  EXPECT_EQ(QueueFixture::Ask<std::int64_t>(
                "select count(*) as v from bucketferry.notification where event = 'refreshed'"),
            1);
}

TEST_F(RefreshWork, DuringARunThatStandsStillIsNotRequiredAgain) {
  const BegunRun run = HalfARun();
  Run("update bucketferry.run set started_at = started_at - interval '7 hours'");
  ASSERT_TRUE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)));
  Run("update bucketferry.refresh set required_at = required_at - interval '7 hours'");
  Run("update bucketferry.tally set advanced_at = advanced_at - interval '8 hours'");
  EXPECT_FALSE(RequireInterimRefresh(session_, run.run_id, std::chrono::hours(6)));
}

}  // namespace
}  // namespace ferry
