#include "batch/copy/event_planner.h"

#include <algorithm>

#include "tests/queue/queue_fixture.h"
#include "tests/support/fake_store.h"

namespace ferry {
namespace {

using test::ErrorOf;
using test::FakeStore;

// A run of events over two fake stores and a real database.
class EventPlannerTest : public QueueFixture {
 protected:
  EventPlannerTest() { Tell({"elsewhere/begins the run"}); }
  ~EventPlannerTest() override { runner_.Stop(); }

  void Tell(const std::vector<std::string>& keys) {
    std::vector<NewEvent> events;
    for (const std::string& key : keys) events.push_back({"media", Key(key)});
    AddEvents(session_, events);
  }
  std::string Waiting() {
    std::string keys;
    for (const WaitingEvent& event : ReadEvents(session_, "media", 1000)) {
      keys += (keys.empty() ? "" : " ") + event.key.bytes();
    }
    return keys;
  }
  // "out/REST" at the destination, as the ledger says that it was brought.
  void Bring(const std::string& rest) {
    const test::StoredObject& there = destination_.Add("out/" + rest, "1");
    LedgerRow row{Key("in/" + rest), {"s", 1, 1000, ""}, there.etag, "etag_md5", {}};
    session_.Transact([&](pg::Transaction& tx) { WriteLedger(tx, Run().task_id, 1, {row}); });
  }
  const BegunRun& Run() {
    if (!run_) run_ = planner_session_.Begin(Place(), RunKind::kEvent);
    return *run_;
  }
  EventPlanner& Planner() {
    if (!planner_) {
      look_.emplace(KeyLook::Bucket{{{runner_.loop(), source_}}, "in/"},
                    KeyLook::Bucket{{{runner_.loop(), destination_}}, "out/"}, versions_);
      rules_.task = "media";
      rules_.source_prefix = "in/";
      rules_.destination_prefix = "out/";
      planner_.emplace(EventPlanner::Parts{planner_session_, clock_, *look_, filter_,
                                           FindProvider("s3"), [this] { woken_ += 1; }},
                       rules_, Run());
    }
    return *planner_;
  }
  EventPlanner::Pass Look() {
    return Planner().LookAtEvents([] { return true; });
  }
  EventDeletes::Result PlanDeletes() {
    return Planner().PlanDeletes([this] {
      return std::any_of(source_.objects().begin(), source_.objects().end(),
                         [](const auto& one) { return one.first.StartsWith("in/"); });
    });
  }
  // "copy in/a, delete in/b", in the order of job ids.
  std::string Jobs() {
    return Ask<std::string>(
        "select coalesce(string_agg(action || ' ' || convert_from(key, 'UTF8'), ', '"
        " order by job_id), '') as v from bucketferry.job where run_id = $1",
        Run().run_id);
  }
  void FinishJobs() {
    std::int64_t cursor = 0;
    JobQueue queue(session_, worker_, 1);
    Outcomes outcomes;
    for (const Job& job : queue.ClaimJobs(Run().run_id, cursor, 100)) {
      outcomes.done.push_back(Done(job));
    }
    queue.Record(Run().run_id, Run().task_id, outcomes);
  }
  std::int64_t Staged() { return Ask<std::int64_t>("select count(*) as v from bucketferry.extra"); }

  test::LoopRunner runner_;
  FakeStore source_{runner_.loop()};
  FakeStore destination_{runner_.loop()};
  SystemClock clock_;
  const std::int64_t worker_ = NewWorker();
  PlannerSession planner_session_{
      {[this] { return std::make_unique<pg::Session>(database_.options()); },
       [this] { return worker_; },
       clock_,
       std::chrono::milliseconds(0),
       {}}};
  ObjectFilter filter_{KeyFilter({}, {"*.tmp"}), {.size_bytes_max = 5}};
  VersionPolicy versions_ = VersionPolicy::kLatest;
  EventPlanner::Rules rules_;
  std::optional<KeyLook> look_;
  std::optional<BegunRun> run_;
  std::optional<EventPlanner> planner_;
  int woken_ = 0;
};

TEST_F(EventPlannerTest, PlansWhatDiffersAndForgetsWhatItLookedAt) {
  source_.Add("in/new", "1");
  source_.Add("in/changed", "22");
  destination_.Add("out/changed", "2");
  source_.Add("in/same", "3");
  destination_.Add("out/same", "3");
  Tell({"in/new", "in/changed", "in/same", "in/never was"});
  const EventPlanner::Pass pass = Look();
  EXPECT_EQ(pass.seen, 5);
  EXPECT_FALSE(pass.error);
  EXPECT_EQ(Jobs(), "copy in/changed, copy in/new");
  EXPECT_EQ(Waiting(), "");
  EXPECT_GT(woken_, 0);
  EXPECT_EQ(ReadRun(session_, Run().run_id).totals.adopted, 1);  // in/same
}

TEST_F(EventPlannerTest, WhatTheLedgerSaysIsBroughtAlreadyCostsNoJob) {
  const test::StoredObject& here = source_.Add("in/a", "1");
  const test::StoredObject& there = destination_.Add("out/a", "1");
  LedgerRow row{Key("in/a"), {here.etag, 1, here.modified_ms, ""}, there.etag, "etag_md5", {}};
  session_.Transact([&](pg::Transaction& tx) { WriteLedger(tx, Run().task_id, 1, {row}); });
  Tell({"in/a"});
  Look();
  EXPECT_EQ(Jobs(), "");
  EXPECT_EQ(Waiting(), "");
}

TEST_F(EventPlannerTest, AKeyIsNotTakenForALongerOne) {
  source_.Add("in/ab", "1");
  Tell({"in/a"});
  Look();
  EXPECT_EQ(Jobs(), "");
}

TEST_F(EventPlannerTest, ManyTellingsOfAKeyAreOneJob) {
  source_.Add("in/a", "1");
  for (int i = 0; i < 3; ++i) Tell({"in/a"});
  Look();
  Look();
  EXPECT_EQ(Jobs(), "copy in/a");
}

TEST_F(EventPlannerTest, AnythingThatTheTaskDoesNotBringIsForgottenUnasked) {
  for (const char* key : {"in/a.tmp", "on/b"}) source_.Add(key, "1");
  Tell({"in/a.tmp", "on/b", "in/" + std::string(2000, 'k')});
  Look();
  EXPECT_EQ(Jobs(), "");
  EXPECT_EQ(Waiting(), "");
  EXPECT_EQ(source_.CountCalls("list"), 0);
}

TEST_F(EventPlannerTest, AnObjectOutsideTheSizesIsLeftAloneAndNotDeleted) {
  rules_.deletes = {DeletePolicy::kExtraAll, {true, 100}, Selection::kSame};
  source_.Add("in/a", "much too large");
  destination_.Add("out/a", "1");
  Tell({"in/a"});
  Look();
  EXPECT_EQ(PlanDeletes().planned, 0);
  EXPECT_EQ(Jobs(), "");
}

TEST_F(EventPlannerTest, AKeyThatIsToldOfWhileItIsPlannedIsLookedAtAgain) {
  source_.Add("in/a", "1");
  bool told = false;
  source_.before = [&](std::string_view, const Key&) {
    if (std::exchange(told, true)) return;
    pg::Session other(database_.options());
    AddEvents(other, {{"media", Key("in/a")}});
  };
  Tell({"in/a"});
  EXPECT_EQ(Look().seen, 2);
  EXPECT_EQ(Waiting(), "in/a");
}

TEST_F(EventPlannerTest, AKeyWaitsUntilItsJobIsFinal) {
  source_.Add("in/a", "1");
  Tell({"in/a"});
  Look();
  source_.Add("in/a", "22");
  Tell({"in/a"});
  EXPECT_EQ(Look().held_back, 1);
  EXPECT_EQ(Waiting(), "in/a");
  FinishJobs();
  EXPECT_EQ(Look().seen, 1);
  EXPECT_EQ(Jobs(), "copy in/a, copy in/a");
  EXPECT_EQ(Waiting(), "");
}

TEST_F(EventPlannerTest, WhatCannotBeAskedWaitsAndTheOthersAreSettled) {
  Tell({"in/a", "in/b"});
  source_.Add("in/a", "1");
  source_.Add("in/b", "1");
  source_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect,
                   Error(ErrorKind::kUnavailable, "away"));
  const EventPlanner::Pass pass = Look();
  ASSERT_TRUE(pass.error);
  EXPECT_EQ(pass.error->kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(pass.failed, 1);
  EXPECT_EQ(Jobs(), "copy in/b");
  EXPECT_EQ(Waiting(), "in/a");
  Look();
  EXPECT_EQ(Jobs(), "copy in/b, copy in/a");
}

TEST_F(EventPlannerTest, ADestinationThatIsAwayPlansNothing) {
  source_.Add("in/a", "1");
  destination_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect,
                        Error(ErrorKind::kDenied, "no"));
  Tell({"in/a"});
  EXPECT_TRUE(Look().error);
  EXPECT_EQ(Jobs(), "");
  EXPECT_EQ(Waiting(), "in/a");
}

TEST_F(EventPlannerTest, AKeyThatAStoreRefusesHoldsUpNoOther) {
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kDenied, ErrorKind::kCorrupt}) {
    Tell({"in/a", "in/b"});
    source_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect, Error(kind, "bad key"));
    EXPECT_FALSE(Look().error);
    EXPECT_EQ(Waiting(), "");
  }
}

TEST_F(EventPlannerTest, AKeyThatCannotBeAskedForNowHoldsUpNoneBehindIt) {
  std::vector<std::string> keys;
  for (int i = 1000; i < 1600; ++i) {
    keys.push_back("in/" + std::to_string(i));
    source_.Add(keys.back(), "1");
  }
  Tell(keys);
  source_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect,
                   Error(ErrorKind::kUnavailable, "away"));
  const EventPlanner::Pass pass = Look();
  EXPECT_EQ(pass.failed, 1);
  EXPECT_EQ(pass.seen, 600);  // with the one that the run began with
}

TEST_F(EventPlannerTest, KeysComeInBatchesWhateverTheirOrder) {
  std::vector<std::string> keys;
  for (int i = 0; i < 700; ++i) {
    keys.push_back("in/" + std::to_string(i * 7919 % 700));
    source_.Add(keys.back(), "1");
  }
  Tell(keys);
  EXPECT_EQ(Look().seen, 701);
  EXPECT_EQ(ReadRun(session_, Run().run_id).totals.planned, 700);
  EXPECT_EQ(Waiting(), "");
}

TEST_F(EventPlannerTest, ARunIsFullWhenItHoldsAsMuchAsOneMay) {
  rules_.caps.objects_max = 3;
  std::vector<std::string> keys;
  for (const char* key : {"in/a", "in/b", "in/c", "in/d", "in/e"}) {
    source_.Add(key, "1");
    keys.emplace_back(key);
  }
  Tell(keys);
  Look();
  EXPECT_TRUE(Planner().full());
  EXPECT_EQ(ReadRun(session_, Run().run_id).totals.planned, 3);
  EXPECT_EQ(Waiting(), "in/d in/e");
}

TEST_F(EventPlannerTest, AKeyThatIsGoneIsLeftAloneWhereTheTaskDoesNotDelete) {
  source_.Add("in/kept", "1");
  Bring("gone");
  Tell({"in/gone"});
  Look();
  EXPECT_EQ(PlanDeletes().planned, 0);
  EXPECT_EQ(Jobs(), "");
  EXPECT_EQ(Staged(), 0);
}

TEST_F(EventPlannerTest, WhereTheTaskDeletesAKeyThatIsGoneIsDeletedOnce) {
  rules_.deletes = {DeletePolicy::kExtra, {true, 100}, Selection::kSame};
  source_.Add("in/kept", "1");
  Bring("gone");
  destination_.Add("out/theirs", "1");
  for (int i = 0; i < 2; ++i) {
    Tell({"in/gone", "in/theirs"});
    Look();
  }
  EXPECT_EQ(Staged(), 1);
  EXPECT_EQ(Jobs(), "");
  EXPECT_EQ(PlanDeletes().planned, 1);
  EXPECT_EQ(Jobs(), "delete in/gone");
  EXPECT_EQ(Staged(), 0);
}

TEST_F(EventPlannerTest, AKeyThatComesBackBeforeTheEndIsNotDeleted) {
  rules_.deletes = {DeletePolicy::kExtra, {true, 100}, Selection::kSame};
  Bring("a");
  Tell({"in/a"});
  Look();
  EXPECT_EQ(Staged(), 1);
  source_.Add("in/a", "22");
  Tell({"in/a"});
  Look();
  EXPECT_EQ(PlanDeletes().planned, 0);
  EXPECT_EQ(Jobs(), "copy in/a");
}

TEST_F(EventPlannerTest, NothingIsDeletedWhereTheGuardsSayNo) {
  struct {
    const char* name;
    Selection selection;
    DeleteLimit limit;
    bool source_empty;
    DeleteVerdict verdict;
  } const cases[] = {
      {"first run", Selection::kFirstRun, {true, 100}, false, DeleteVerdict::kFirstRun},
      {"changed", Selection::kChanged, {true, 100}, false, DeleteVerdict::kSelectionChanged},
      {"empty source", Selection::kSame, {true, 100}, true, DeleteVerdict::kSourceEmpty},
      {"too many", Selection::kSame, {false, 1}, false, DeleteVerdict::kTooMany},
      {"too many of a share", Selection::kSame, {true, 50}, false, DeleteVerdict::kTooMany},
  };
  Bring("kept");
  for (const auto& c : cases) {
    planner_.reset();
    rules_.deletes = {DeletePolicy::kExtra, c.limit, c.selection};
    source_.objects().clear();
    if (!c.source_empty) source_.Add("in/kept", "1");
    for (const char* rest : {"a", "b"}) Bring(rest);
    Tell({"in/a", "in/b"});
    Look();
    EXPECT_EQ(PlanDeletes().verdict, c.verdict) << c.name;
    EXPECT_EQ(Jobs(), "") << c.name;
    EXPECT_EQ(Staged(), 0) << c.name;
  }
}

TEST_F(EventPlannerTest, WhatEventsDeletedSinceTheLastScheduledRunCountsForTheLimit) {
  rules_.deletes = {DeletePolicy::kExtra, {false, 2}, Selection::kSame};
  source_.Add("in/kept", "1");
  Bring("a");
  QueueFixture::Run(
      "insert into bucketferry.run (run_id, task_id, task_name, kind, state, deleted, started_at,"
      " planned_at, finished_at) select id, $1, 'media', kind, 'complete', deleted, now(), now(),"
      " now() from (values (10, 'event', 9), (11, 'scheduled', 5), (12, 'event', 2))"
      " as x (id, kind, deleted)",
      Run().task_id);
  Tell({"in/a"});
  Look();
  const EventDeletes::Result result = PlanDeletes();
  EXPECT_EQ(result.verdict, DeleteVerdict::kTooMany);
  EXPECT_EQ(result.deleted_before, 2U);
}

TEST_F(EventPlannerTest, TheVersionOfAnObjectIsSeenWhereTheyAreCompared) {
  versions_ = VersionPolicy::kCompared;
  source_.versioning = FakeStore::Versioning::kEnabled;
  source_.Add("in/a", "1");
  source_.Add("in/a", "2");
  source_.Add("in/b", "1");
  source_.Remove("in/b");
  Tell({"in/a", "in/b"});
  Look();
  EXPECT_EQ(Jobs(), "copy in/a");
  EXPECT_EQ(Ask<std::string>("select source_version as v from bucketferry.job"),
            source_.objects().at(Key("in/a")).version_id);
}

TEST_F(EventPlannerTest, EndsBetweenBatchesWhenAnotherRunWaits) {
  std::vector<std::string> keys;
  for (int i = 0; i < 600; ++i) keys.push_back("in/" + std::to_string(i));
  Tell(keys);
  int asked = 0;
  const EventPlanner::Pass pass = Planner().LookAtEvents([&] { return asked++ == 0; });
  EXPECT_LT(pass.seen, 601);
  EXPECT_NE(Waiting(), "");
}

}  // namespace
}  // namespace ferry
