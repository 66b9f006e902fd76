// A planner whose run is closed, or whose term ends, while it plans.
#include "batch/queue/planner_session.h"

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using test::ErrorOf;

class PlannerSessionTest : public QueueFixture {
 protected:
  // Writes one object found, as a planner's batch.
  void WriteOne() {
    planner_.Write(
        run_.run_id, [](pg::Transaction&) { return false; },
        [&](pg::Transaction& tx, std::int64_t worker_id) {
          AddTally(tx, run_.run_id, worker_id, {.source_objects = 1});
        });
  }
  std::int64_t Found() { return ReadRun(session_, run_.run_id).totals.source_objects; }
  std::int64_t Planner() {
    return Ask<std::int64_t>("select planner_id as v from bucketferry.run where run_id = $1",
                             run_.run_id);
  }
  // The terms to come; the last one stays.
  std::int64_t NextTerm() {
    const std::int64_t term = terms_.front();
    if (terms_.size() > 1) terms_.erase(terms_.begin());
    return term;
  }

  SystemClock clock_;
  const std::int64_t first_ = NewWorker();
  std::vector<std::int64_t> terms_{first_};
  PlannerSession planner_{{[this] { return std::make_unique<pg::Session>(database_.options()); },
                           [this] { return NextTerm(); },
                           clock_,
                           std::chrono::seconds(20),
                           {}}};
  const BegunRun run_ = planner_.Begin(Place(), RunKind::kScheduled);
};

TEST_F(PlannerSessionTest, ARunThatWasClosedIsNotPlannedOn) {
  WriteOne();
  FailRun(session_, run_.run_id, "a hundred objects were denied");
  for (const auto& act : {std::function<void()>([&] { WriteOne(); }),
                          std::function<void()>([&] { planner_.FinishPlanning(run_.run_id); })}) {
    const auto error = ErrorOf(act);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kConflict);
    EXPECT_NE(std::string(error->what()).find("a hundred objects were denied"), std::string::npos)
        << error->what();
  }
  EXPECT_EQ(Found(), 1);
  EXPECT_EQ(RunStateOf(run_.run_id), "failed");
}

TEST_F(PlannerSessionTest, GoesOnUnderTheNextTerm) {
  WriteOne();
  EndLease(first_);
  const std::int64_t next = NewWorker();
  terms_ = {next};
  WriteOne();
  EXPECT_EQ(Found(), 2);
  EXPECT_EQ(Planner(), next);
  EXPECT_EQ(planner_.worker_id(), next);
}

TEST_F(PlannerSessionTest, ATermThatEndsBeforeItIsTakenUpIsFollowedByAnother) {
  EndLease(first_);
  const std::int64_t lost = NewWorker();
  EndLease(lost);
  const std::int64_t next = NewWorker();
  terms_ = {lost, next};
  WriteOne();
  EXPECT_EQ(Found(), 1);
  EXPECT_EQ(Planner(), next);
}

TEST_F(PlannerSessionTest, FinishesUnderATermThatIsNotOver) {
  EndLease(first_);
  const std::int64_t next = NewWorker();
  terms_ = {first_, next};
  planner_.FinishPlanning(run_.run_id);
  EXPECT_EQ(Planner(), next);
  EXPECT_EQ(RunStateOf(run_.run_id), "complete");
}

}  // namespace
}  // namespace ferry
