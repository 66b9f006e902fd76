// run, plan, work and retry over a real database, as far as they need no store.
#include <gtest/gtest.h>

#include <stdexcept>

#include "batch/app/commands.h"
#include "batch/app/dead_lines.h"
#include "batch/app/lost_planners.h"
#include "batch/app/plan_task.h"
#include "batch/app/task_parts.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class RunCommandTest : public QueueFixture {
 protected:
  RunCommandTest() {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(database_.options().uri);
    config_.database_schema = database_.options().schema;
    for (const char* name : {"far", "near"}) {
      StoreConfig store;
      store.name = name;
      store.region = "us-east-1";
      store.endpoint = ParseEndpoint("http://127.0.0.1:1");
      store.credentials.kind = CredentialsConfig::Kind::kAnonymous;
      config_.stores.push_back(store);
    }
    for (const char* name : {"media", "other"}) {
      TaskConfig task;
      task.name = name;
      task.source = {"far", "src", "in/"};
      task.destination = {"near", "dst", std::string(name) + "/"};
      config_.tasks.push_back(task);
    }
  }

  CommandContext Context() {
    CommandContext context{line_, config_, {}, environment_, clock_, stop_.get_token()};
    for (const TaskConfig& task : config_.tasks) context.tasks.push_back(&task);
    return context;
  }
  struct Said {
    int code = 0;
    std::string err;
  };
  Said Do(int (*command)(const CommandContext&)) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Said said;
    said.code = command(Context());
    testing::internal::GetCapturedStdout();
    said.err = testing::internal::GetCapturedStderr();
    return said;
  }
  Config config_;
  CommandLine line_;
  ProcessEnvironment environment_;
  SystemClock clock_;
  std::stop_source stop_;
};

TEST_F(RunCommandTest, APlanThatIsStoppedBeginsNoOtherTask) {
  stop_.request_stop();
  EXPECT_EQ(Do(PlanTasks).code, kExitStopped);
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.run"), 0);
}

TEST_F(RunCommandTest, WhateverAPlanThrowsFailsItsRunWithItsText) {
  const CommandContext context = Context();
  Engine engine(context);
  ferry::Plan plan;
  plan.task = &config_.tasks.front();
  CarryOutPlan(
      context, engine, RunKind::kScheduled,
      [](const CommandContext&, Engine&, PlannerSession&, ferry::Plan&) {
        throw std::length_error("too much of it");
      },
      plan);
  EXPECT_TRUE(plan.error);
  EXPECT_TRUE(plan.over);
  const RunState run = ReadRun(session_, plan.run_id);
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.error, "too much of it");
}

TEST_F(RunCommandTest, ARetryIsNotCompleteWhileDeadObjectsAreLeftThatItCannotDecideOn) {
  config_.tasks.pop_back();
  const std::int64_t worker = NewWorker();
  const BegunRun run = BeginRun(session_, PlaceOf(config_.tasks[0]), RunKind::kScheduled, worker);
  session_.Transact([&](pg::Transaction& tx) { AddTally(tx, run.run_id, worker, {.dead = 2}); });
  FinishPlanning(session_, run.run_id);
  for (int i = 0; i < 2; ++i) {
    const Said said = Do(RetryDead);
    EXPECT_EQ(said.code, kExitIncomplete);
    EXPECT_NE(said.err.find("2 dead objects were not retried"), std::string::npos) << said.err;
  }
}

TEST_F(RunCommandTest, AtMostTwentyDeadObjectsAreNamed) {
  const std::int64_t worker = NewWorker();
  const BegunRun run = BeginRun(session_, PlaceOf(config_.tasks[0]), RunKind::kScheduled, worker);
  AddPending(run, worker, 15);
  FinishPlanning(session_, run.run_id);
  std::int64_t cursor = 0;
  JobQueue queue(session_, worker, 1);
  Outcomes outcomes;
  for (const Job& job : queue.ClaimJobs(run.run_id, cursor, 100)) {
    outcomes.failed.push_back(Failed(job));
  }
  queue.Record(run.run_id, run.task_id, outcomes);
  std::vector<LedgerRow> refused;
  for (int i = 0; i < 20; ++i) {
    refused.push_back({Key("in/refused" + std::to_string(i)), {"e", 1, 1, ""}, "", "", {}});
    refused.back().verdict = Verdict::kKeyRefused;
  }
  session_.Transact(
      [&](pg::Transaction& tx) { WriteLedger(tx, run.task_id, run.run_id, refused); });
  const std::vector<std::string> lines = DeadLines(session_, run.task_id, run.run_id);
  ASSERT_EQ(lines.size(), 20U);
  EXPECT_EQ(lines.front(), "dead: in/1: broken");
  EXPECT_EQ(lines[15], "dead: in/refused0: the destination cannot hold this key");
}

TEST_F(RunCommandTest, WorkIsNotDoneWhileAPlannerThatLostItsLeaseMayComeBack) {
  config_.tasks.pop_back();
  const std::int64_t planner = NewWorker();
  BeginRun(session_, PlaceOf(config_.tasks[0]), RunKind::kScheduled, planner);
  EndLease(planner);
  line_.stop_after = std::chrono::milliseconds(100);
  EXPECT_EQ(Do(WorkOnTasks).code, kExitStopped);
}

TEST_F(RunCommandTest, WorkLeavesRunsOfAnotherStoreAlone) {
  config_.tasks.pop_back();
  const std::int64_t planner = NewWorker();
  TaskPlace other = PlaceOf(config_.tasks[0]);
  other.source_store = "elsewhere";
  const BegunRun run = BeginRun(session_, other, RunKind::kScheduled, planner);
  AddPending(run, planner, 1);
  FinishPlanning(session_, run.run_id);
  EXPECT_EQ(Do(WorkOnTasks).code, kExitDone);
  EXPECT_EQ(StateOf(run.run_id, 1), "pending");
}

TEST(ExitCodeOfPlan, SaysWhatBecameOfTheRun) {
  EXPECT_EQ(ExitCodeOfPlan("copying"), kExitDone);
  EXPECT_EQ(ExitCodeOfPlan("complete"), kExitDone);
  EXPECT_EQ(ExitCodeOfPlan("incomplete"), kExitIncomplete);
  EXPECT_EQ(ExitCodeOfPlan("failed"), kExitFailed);
  EXPECT_EQ(ExitCodeOfPlan("interrupted"), kExitStopped);
}

TEST(IsGenerationOf, EveryPartOfThePlaceTellsGenerationsApart) {
  TaskConfig task;
  task.name = "media";
  task.source = {"far", "src", "in/"};
  task.destination = {"near", "dst", "out/"};
  EXPECT_TRUE(IsGenerationOf(task, PlaceOf(task)));
  for (std::string TaskPlace::*const part :
       {&TaskPlace::source_store, &TaskPlace::source_bucket, &TaskPlace::source_prefix,
        &TaskPlace::destination_store, &TaskPlace::destination_bucket,
        &TaskPlace::destination_prefix}) {
    TaskPlace place = PlaceOf(task);
    place.*part += "x";
    EXPECT_FALSE(IsGenerationOf(task, place));
  }
}

TEST(LostPlanners, AreWaitedForUntilTheirTimeIsOver) {
  using std::chrono::seconds;
  LostPlanners lost(seconds(120));
  const SteadyTime now{};
  OpenRun run;
  run.run_id = 7;
  run.planning = true;
  EXPECT_FALSE(lost.MayComeBack({}, now));
  EXPECT_TRUE(lost.MayComeBack({run}, now));
  EXPECT_TRUE(lost.MayComeBack({run}, now + seconds(119)));
  EXPECT_FALSE(lost.MayComeBack({run}, now + seconds(120)));
  run.planner_alive = true;
  EXPECT_TRUE(lost.MayComeBack({run}, now + seconds(121)));
  run.planner_alive = false;  // lost once more
  EXPECT_TRUE(lost.MayComeBack({run}, now + seconds(200)));
  EXPECT_FALSE(lost.MayComeBack({run}, now + seconds(320)));
}

}  // namespace
}  // namespace ferry
