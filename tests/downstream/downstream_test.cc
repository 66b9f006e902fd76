// The poller: what is due is done without anybody calling, by a hook and by a run.
#include "batch/downstream/downstream.h"

#include <nlohmann/json.hpp>

#include "tests/config/config_file.h"
#include "tests/downstream/downstream_fixture.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;

class DownstreamTest : public DownstreamFixture {
 protected:
  DownstreamTest() {
    config_.refresh_targets = {{"cdn", WebhookTarget{Secret(refresh_.url()), {}, {}}}};
    config_.notify_targets = {{"team", WebhookTarget{Secret(notify_.url()), {}, {}}}};
    refresh_.AnswerAlways({.bytes = test::HttpText(200)});
    notify_.AnswerAlways({.bytes = test::HttpText(200)});
    config_.tasks.front().refresh_via = SignalVia::kRun;
    config_.tasks.front().notify_via = SignalVia::kRun;
  }
  std::unique_ptr<Downstream> Start(Downstream::Asked asked) {
    const SignalPlan plan = asked == Downstream::Asked::kHere ? PlanOfRun({&config_.tasks.front()})
                                                              : PlanOfHook(config_);
    return std::make_unique<Downstream>(
        Downstream::Parts{[this] { return std::make_unique<pg::Session>(database_.options()); },
                          config_, environment_, clock_},
        plan, asked);
  }

  test::ScriptedHttpServer refresh_;
  test::ScriptedHttpServer notify_;
  test::MapEnvironment environment_;
};

TEST_F(DownstreamTest, OfARunAsksForItselfAndTellsOfItsRuns) {
  const auto downstream = Start(Downstream::Asked::kHere);
  const std::int64_t run = CompleteRun(1);
  downstream->Watch(config_.tasks.front(), run);
  EXPECT_TRUE(downstream->Finish(60s, {}));
  EXPECT_EQ(refresh_.seen(), 1U);
  EXPECT_EQ(notify_.seen(), 3U) << "started, ended, refreshed";
  EXPECT_TRUE(downstream->Finish(60s, {}));
  EXPECT_EQ(refresh_.seen(), 1U);
}

TEST_F(DownstreamTest, OfARunThatHadNothingToDoIsSilent) {
  const auto downstream = Start(Downstream::Asked::kHere);
  downstream->Watch(config_.tasks.front(), CompleteRun(0));
  EXPECT_TRUE(downstream->Finish(60s, {}));
  EXPECT_EQ(refresh_.seen() + notify_.seen(), 0U);
}

TEST_F(DownstreamTest, OfAHookDoesWhatWasAskedForAndNothingElse) {
  CompleteRun(1);
  EXPECT_FALSE(Start(Downstream::Asked::kElsewhere)->Finish(1500ms, {}));
  EXPECT_EQ(refresh_.seen(), 0U) << "nobody asked";
  const auto downstream = Start(Downstream::Asked::kElsewhere);
  Ask();
  downstream->Wake();
  EXPECT_EQ(refresh_.Take().method, "POST");
  EXPECT_TRUE(downstream->Finish(60s, {}));
}

TEST_F(DownstreamTest, OfALongRunRefreshesWhileItGoesOn) {
  config_.tasks.front().refresh_every = 6h;
  const BegunRun run = HalfARun();
  Run("update bucketferry.run set started_at = started_at - interval '7 hours'");
  const auto downstream = Start(Downstream::Asked::kHere);
  downstream->Watch(config_.tasks.front(), run.run_id);
  EXPECT_EQ(nlohmann::json::parse(refresh_.Take().body)["state"], "copying");
  EXPECT_EQ(QueueFixture::RunStateOf(run.run_id), "copying");
}

TEST_F(DownstreamTest, GivesUpWaitingForATargetThatIsAwayAndLeavesItDue) {
  refresh_.AnswerAlways({.bytes = test::HttpText(503)});
  config_.tasks.front().notify.clear();
  const auto downstream = Start(Downstream::Asked::kHere);
  downstream->Watch(config_.tasks.front(), CompleteRun(1));
  EXPECT_FALSE(downstream->Finish(1500ms, {}));
  EXPECT_EQ(OfRefresh("requested_seq - acknowledged_seq"), 1);
  EXPECT_GE(OfRefresh("failures"), 1);
}

TEST_F(DownstreamTest, BothAHookAndARunActOnce) {
  const auto hook = Start(Downstream::Asked::kElsewhere);
  const auto run = Start(Downstream::Asked::kHere);
  for (int round = 0; round < 5; ++round) {
    run->Watch(config_.tasks.front(), CompleteRun(1));
    Ask();
    hook->Wake();
    EXPECT_TRUE(run->Finish(60s, {}));
  }
  EXPECT_EQ(refresh_.seen(), 5U);
  EXPECT_EQ(notify_.seen(), 15U);
}

TEST_F(DownstreamTest, StopsAtOnceAlthoughATargetDoesNotAnswer) {
  refresh_.AnswerAlways({.bytes = test::HttpText(200), .delay = 8s});
  auto downstream = Start(Downstream::Asked::kHere);
  CompleteRun(1);
  downstream->Wake();
  refresh_.Take();
  const SteadyTime began = clock_.SteadyNow();
  downstream.reset();
  EXPECT_LT(clock_.SteadyNow() - began, 6s);
  EXPECT_EQ(OfRefresh("requested_seq - acknowledged_seq"), 1);
}

TEST_F(DownstreamTest, CallsNobodyAfterTheOneThatTookTooLong) {
  notify_.AnswerAlways({.bytes = test::HttpText(200), .delay = 8s});
  config_.notify_targets.front().timeout = 3s;
  config_.tasks.front().refresh.clear();
  const auto downstream = Start(Downstream::Asked::kHere);
  downstream->Watch(config_.tasks.front(), CompleteRun(1));
  EXPECT_EQ(notify_.Take().method, "POST");
  EXPECT_FALSE(downstream->Finish(1ms, {}));
  EXPECT_EQ(notify_.seen(), 1U) << "the end of the run is the next run's to tell";
}

}  // namespace
}  // namespace ferry
