// What a worker does outside the window of a task, and how much it starts for its bandwidth.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "batch/copy/worker.h"
#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint64_t kMiB = 1 << 20;

class SimulatedLimits final : public TaskLimits {
 public:
  std::string Closed(const std::string& task) override {
    return closed.contains(task) ? "outside its window until 22:00 (UTC)" : "";
  }
  std::uint64_t BodyBytesMax(const std::string&) override { return bodies_max; }

  std::set<std::string> closed;
  std::uint64_t bodies_max = UINT64_MAX;
};

class WorkerWindowTest : public testing::Test {
 protected:
  WorkerWindowTest() {
    worker_.emplace(Worker::Parts{[this] {
                                    return std::make_unique<test::FakeQueue>(
                                        tables_, term_.worker_id(), options_.attempts_max);
                                  },
                                  term_, lanes_, clock_, observer_, observer_, limits_},
                    options_);
  }
  std::int64_t AddRun(const std::string& task, int count, std::uint64_t size_bytes = 100) {
    return tables_.AddRun(task, test::JobsOf(count, size_bytes));
  }

  // A round that ends nothing that was started.
  std::optional<Worker::End> Step(bool stop = false) {
    clock_.Advance(milliseconds(500));
    term_.Renew(true);
    return worker_->Step(until_, stop);
  }
  // What was started ends well, and the next round hears of it.
  void EndAll() {
    for (WorkItem& item : std::exchange(lanes_.running, {})) {
      WorkResult result;
      result.item = std::move(item);
      if (result.item.kind == WorkItem::Kind::kSplit) {
        result.upload = {result.item.nonce,
                         "u" + std::to_string(result.item.job.job_id),
                         options_.part_bytes,
                         result.item.object.source,
                         {}};
      }
      result.part.number = result.item.part.part.number;
      lanes_.results.push_back(std::move(result));
    }
  }
  void FailAll() {
    for (WorkItem& item : std::exchange(lanes_.running, {})) {
      WorkResult result;
      result.item = std::move(item);
      result.error = Error(ErrorKind::kUnavailable, "away");
      result.failed_side = Side::kSource;
      lanes_.results.push_back(std::move(result));
    }
  }
  Worker::End WorkToTheEnd() {
    for (int round = 0; round < 20'000; ++round) {
      if (const auto end = Step()) return *end;
      EndAll();
    }
    ADD_FAILURE() << "the worker never ended";
    return Worker::End::kDrained;
  }
  std::int64_t Count(std::int64_t run, const std::string& state) {
    const auto& jobs = tables_.run(run).jobs;
    return std::count_if(jobs.begin(), jobs.end(),
                         [&](const auto& row) { return row.second.state == state; });
  }

  test::TickedClock clock_;
  test::FakeTables tables_{clock_};
  test::SimulatedTerm term_{tables_, clock_};
  test::SimulatedLanes lanes_;
  test::Silence observer_;
  SimulatedLimits limits_;
  WorkerOptions options_ = test::SmallWorkerOptions();
  Worker::Until until_ = test::UntilDrained({"media", "other"});
  std::optional<Worker> worker_;
};

TEST_F(WorkerWindowTest, NothingIsClaimedWhileTheWindowIsClosed) {
  limits_.closed = {"media"};
  const std::int64_t run = AddRun("media", 20);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Step(), std::nullopt);
  EXPECT_TRUE(lanes_.running.empty());
  EXPECT_EQ(Count(run, "pending"), 20);
  EXPECT_EQ(tables_.run(run).state, "copying");
  limits_.closed.clear();
  EXPECT_EQ(WorkToTheEnd(), Worker::End::kDrained);
  EXPECT_EQ(Count(run, "done"), 20);
  EXPECT_EQ(tables_.run(run).state, "complete");
}

TEST_F(WorkerWindowTest, WhatIsInFlightWhenItClosesEndsAndTheRestGoesBack) {
  const std::int64_t run = AddRun("media", 20);
  Step();
  ASSERT_EQ(lanes_.running.size(), 4U);
  limits_.closed = {"media"};
  Step();
  EXPECT_EQ(lanes_.running.size(), 4U);
  EXPECT_EQ(Count(run, "in_flight"), 8) << "given back before what is in flight had ended";
  EndAll();
  for (int i = 0; i < 3; ++i) Step();
  EXPECT_EQ(Count(run, "done"), 4);
  EXPECT_EQ(Count(run, "in_flight"), 0);
  EXPECT_TRUE(lanes_.running.empty());
  limits_.closed.clear();
  EXPECT_EQ(WorkToTheEnd(), Worker::End::kDrained);
  EXPECT_EQ(Count(run, "done"), 20);
}

TEST_F(WorkerWindowTest, ALargeObjectGoesOnFromThePartsItHas) {
  const std::int64_t run = AddRun("media", 1, 20 * kMiB);
  const auto parts_run = [&] {
    return !lanes_.running.empty() && lanes_.running[0].kind == WorkItem::Kind::kPart;
  };
  for (int i = 0; i < 10 && !parts_run(); ++i) {
    EndAll();
    Step();
  }
  limits_.closed = {"media"};
  for (int i = 0; i < 10; ++i) {
    Step();
    EndAll();
  }
  const auto done_parts = [&] {
    const auto& parts = tables_.run(run).parts;
    return std::count_if(parts.begin(), parts.end(),
                         [](const auto& row) { return row.second.state == "done"; });
  };
  const auto before = done_parts();
  EXPECT_EQ(before, 4);
  for (int i = 0; i < 100; ++i) Step();
  EXPECT_EQ(done_parts(), before);
  limits_.closed.clear();
  std::int64_t sent = 0;
  for (int i = 0; i < 1000 && tables_.run(run).state == "copying"; ++i) {
    Step();
    for (const WorkItem& item : lanes_.running) sent += item.kind == WorkItem::Kind::kPart;
    EndAll();
  }
  EXPECT_EQ(tables_.run(run).state, "complete");
  EXPECT_EQ(sent, 10 - before);
}

TEST_F(WorkerWindowTest, ARunThatWaitsComesForwardEveryMinute) {
  limits_.closed = {"media"};
  const std::int64_t run = AddRun("media", 20);
  const SteadyTime began = clock_.SteadyNow();
  while (clock_.SteadyNow() - began < minutes(30)) Step();
  EXPECT_NEAR(tables_.run(run).waits_said, 30, 1);
  limits_.closed.clear();
  const int said = tables_.run(run).waits_said;
  for (int i = 0; i < 300; ++i) Step();
  EXPECT_EQ(tables_.run(run).waits_said, said);
}

TEST_F(WorkerWindowTest, OtherTasksGoOn) {
  limits_.closed = {"media"};
  const std::int64_t waiting = AddRun("media", 20), other = AddRun("other", 20);
  for (int i = 0; i < 50; ++i) {
    Step();
    EndAll();
  }
  EXPECT_EQ(tables_.run(other).state, "complete");
  EXPECT_EQ(Count(waiting, "pending"), 20);
}

TEST_F(WorkerWindowTest, AStopEndsTheWaitAtOnce) {
  limits_.closed = {"media"};
  AddRun("media", 20);
  for (int i = 0; i < 10; ++i) Step();
  EXPECT_EQ(Step(/*stop=*/true), Worker::End::kStopped);
}

TEST_F(WorkerWindowTest, WhatAStoreDidBeforeANightIsNoOutageOfANight) {
  const std::int64_t run = AddRun("media", 20);
  for (int i = 0; i < 200; ++i) {  // it is away, for less than the patience
    Step();
    FailAll();
  }
  limits_.closed = {"media"};
  const SteadyTime closed = clock_.SteadyNow();
  while (clock_.SteadyNow() - closed < hours(8)) {
    Step();
    FailAll();
  }
  limits_.closed.clear();
  for (int i = 0; i < 20; ++i) {
    Step();
    FailAll();
  }
  EXPECT_EQ(tables_.run(run).state, "copying");
  EXPECT_EQ(WorkToTheEnd(), Worker::End::kDrained);
  EXPECT_EQ(tables_.run(run).state, "complete");
}

TEST_F(WorkerWindowTest, FewLargeBodiesShareASmallBandwidth) {
  limits_.bodies_max = 10 * kMiB;
  AddRun("media", 20, 5 * kMiB);
  Step();
  EXPECT_EQ(lanes_.running.size(), 2U);
  limits_.bodies_max = 1;  // one is always let through
  EndAll();
  Step();
  EXPECT_EQ(lanes_.running.size(), 1U);
  limits_.bodies_max = 100 * kMiB;
  Step();
  EXPECT_EQ(lanes_.running.size(), 4U);
}

TEST_F(WorkerWindowTest, SmallBodiesAreAsManyAsThereMayBe) {
  limits_.bodies_max = 2 * kMiB;
  AddRun("media", 20, 1000);
  Step();
  EXPECT_EQ(lanes_.running.size(), 4U);
  limits_.bodies_max = 2500;
  EndAll();
  Step();
  EXPECT_EQ(lanes_.running.size(), 2U);
}

}  // namespace
}  // namespace ferry
