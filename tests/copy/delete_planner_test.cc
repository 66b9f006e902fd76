#include "batch/copy/delete_planner.h"

#include "batch/listing/listing_stream.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/fake_store.h"

namespace ferry {
namespace {

using test::ErrorOf;
using test::FakeStore;

// A whole plan over two fake stores and a real database.
class DeletePlannerTest : public QueueFixture {
 protected:
  ~DeletePlannerTest() override { runner_.Stop(); }

  // "out/REST" at the destination, as the ledger says that it was brought.
  void Bring(const std::string& rest) {
    const test::StoredObject& there = destination_.Add("out/" + rest, "1");
    LedgerRow row{Key("in/" + rest), {"s", 1, 1000, ""}, there.etag, "etag_md5", {}};
    session_.Transact(
        [&](pg::Transaction& tx) { WriteLedger(tx, run_.task_id, run_.run_id, {row}); });
  }
  void AddAtSource(const std::string& rest) { source_.Add("in/" + rest, "1"); }

  DeletePlanner::Result Plan(const ObjectFilter& filter = ObjectFilter(KeyFilter({}, {}))) {
    Run("delete from bucketferry.job");
    ListingStream source({{runner_.loop(), source_}}, "in/", "far:src");
    ListingStream destination({{runner_.loop(), destination_}}, "out/", "near:dst");
    LedgerStream ledger(
        [this](const Key& after, std::int64_t limit) {
          return ReadLedger(session_, run_.task_id, after, limit);
        },
        "in/");
    PlanWriter writer(planner_, run_.run_id, run_.task_id, clock_);
    DeletePlanner planner(planner_, run_.run_id, rules_);
    CompareInput input{
        source, destination, ledger, filter, AdoptPolicy::kVerify, FindProvider("s3"),
        "in/",  "out/"};
    input.extra = [&](const ExtraFound& extra) {
      EXPECT_EQ(extra.destination_key.bytes(), "out/" + extra.source_key.bytes().substr(3));
      planner.Add(extra);
    };
    const CompareCounts counts =
        Compare(input, stop_.get_token(), [&](const Found& found) { writer.Add(found); });
    writer.Finish();
    return planner.Finish(counts, writer.next_job_id());
  }
  // "in/a in/b", in the order of job ids.
  std::string Deletes() {
    return Ask<std::string>(
        "select coalesce(string_agg(convert_from(key, 'UTF8'), ' ' order by job_id), '') as v"
        " from bucketferry.job where action = 'delete'");
  }
  std::int64_t StagedRows() {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.extra");
  }

  test::LoopRunner runner_;
  FakeStore source_{runner_.loop()};
  FakeStore destination_{runner_.loop()};
  SystemClock clock_;
  std::stop_source stop_;
  const std::int64_t worker_ = NewWorker();
  PlannerSession planner_{{[this] { return std::make_unique<pg::Session>(database_.options()); },
                           [this] { return worker_; },
                           clock_,
                           std::chrono::milliseconds(0),
                           {}}};
  const BegunRun run_ = BeginRun(session_, Place(), RunKind::kScheduled, worker_);
  DeleteRules rules_{DeletePolicy::kExtra, {true, 100}, Selection::kSame};
};

TEST_F(DeletePlannerTest, PlansTheExtrasBeforeBetweenAndAfterTheKeysOfTheSource) {
  for (const char* rest : {"a", "b", "c", "d", "e"}) Bring(rest);
  for (const char* rest : {"b", "d"}) AddAtSource(rest);
  EXPECT_EQ(Plan().verdict, DeleteVerdict::kGo);
  EXPECT_EQ(Deletes(), "in/a in/c in/e");
  EXPECT_EQ(StagedRows(), 0);
}

TEST_F(DeletePlannerTest, CopiesAreClaimedBeforeDeletes) {
  Bring("a");
  AddAtSource("z");
  Plan();
  EXPECT_EQ(Ask<std::string>("select string_agg(action, ' ' order by job_id) as v"
                             " from bucketferry.job"),
            "copy delete");
}

TEST_F(DeletePlannerTest, WhatOthersPutThereIsACandidateOnlyWithExtraAll) {
  Bring("ours");
  Bring("overwritten");
  destination_.Add("out/overwritten", "by somebody");
  destination_.Add("out/theirs", "1");
  AddAtSource("kept");
  EXPECT_EQ(Plan().scope.candidates, 1U);
  EXPECT_EQ(Deletes(), "in/ours");
  rules_.policy = DeletePolicy::kExtraAll;
  EXPECT_EQ(Plan().scope.ledgered_objects, 2U);
  EXPECT_EQ(Deletes(), "");  // three, and two are allowed
  rules_.limit = {false, 3};
  Plan();
  EXPECT_EQ(Deletes(), "in/ours in/overwritten in/theirs");
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.job"
                              " where reason = 'extra_foreign'"),
            2);
}

TEST_F(DeletePlannerTest, WhatTheFilterLeavesOutIsNoCandidateAndDoesNotCount) {
  for (const char* rest : {"a", "a.tmp", "b", "b.tmp"}) Bring(rest);
  AddAtSource("b");
  AddAtSource("b.tmp");
  const DeletePlanner::Result result = Plan(ObjectFilter(KeyFilter({}, {"*.tmp"})));
  EXPECT_EQ(Deletes(), "in/a");
  EXPECT_EQ(result.scope.ledgered_objects, 2U);
  EXPECT_EQ(result.scope.source_objects, 1U);
}

TEST_F(DeletePlannerTest, WhatIsOnlyTooLargeOrTooOldIsStillAtTheSource) {
  for (const char* rest : {"a", "b", "gone"}) Bring(rest);
  AddAtSource("a");
  source_.Add("in/b", "larger");
  EXPECT_EQ(Plan(ObjectFilter(KeyFilter({}, {}), {.size_bytes_max = 1})).scope.source_objects, 1U);
  EXPECT_EQ(Deletes(), "in/gone");
}

TEST_F(DeletePlannerTest, AnEmptySourceDeletesNothing) {
  Bring("a");
  EXPECT_EQ(Plan().verdict, DeleteVerdict::kSourceEmpty);
  EXPECT_EQ(Deletes(), "");
  EXPECT_EQ(StagedRows(), 0);
}

TEST_F(DeletePlannerTest, ASourceWhoseEveryKeyIsFilteredOutIsEmpty) {
  Bring("a");
  AddAtSource("b.tmp");
  EXPECT_EQ(Plan(ObjectFilter(KeyFilter({}, {"*.tmp"}))).verdict, DeleteVerdict::kSourceEmpty);
}

TEST_F(DeletePlannerTest, MoreThanAllowedPlansNoneAtAll) {
  for (int i = 0; i < 20; ++i) Bring("k" + std::to_string(100 + i));
  for (int i = 3; i < 20; ++i) AddAtSource("k" + std::to_string(100 + i));
  for (const DeleteLimit limit : {DeleteLimit{true, 10}, DeleteLimit{false, 2}}) {
    rules_.limit = limit;
    const DeletePlanner::Result result = Plan();
    EXPECT_EQ(result.verdict, DeleteVerdict::kTooMany);
    EXPECT_EQ(result.scope.candidates, 3U);
    EXPECT_EQ(result.scope.ledgered_objects, 20U);
    EXPECT_EQ(Deletes(), "");
    EXPECT_EQ(StagedRows(), 0);
  }
  rules_.limit = {true, 15};
  EXPECT_EQ(Plan().verdict, DeleteVerdict::kGo);
}

TEST_F(DeletePlannerTest, AFirstRunAndAChangedSelectionOnlyCount) {
  Bring("a");
  AddAtSource("b");
  rules_.selection = Selection::kFirstRun;
  EXPECT_EQ(Plan().verdict, DeleteVerdict::kFirstRun);
  rules_.selection = Selection::kChanged;
  const DeletePlanner::Result result = Plan();
  EXPECT_EQ(result.verdict, DeleteVerdict::kSelectionChanged);
  EXPECT_EQ(result.scope.candidates, 1U);
  EXPECT_EQ(Deletes(), "");
}

TEST_F(DeletePlannerTest, AListingThatFailsLateLeavesNothingToClaim) {
  rules_.limit = {true, 100};
  for (int i = 0; i < 3500; ++i) Bring("k" + std::to_string(10'000 + i));
  AddAtSource("z");
  destination_.FailCall("list", 4, FakeStore::Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "away"));
  EXPECT_TRUE(ErrorOf([&] { Plan(); }));
  EXPECT_GT(StagedRows(), 0);
  std::int64_t cursor = 0;
  EXPECT_TRUE(JobQueue(session_, worker_, 3).ClaimJobs(run_.run_id, cursor, 10).empty());
}

TEST_F(DeletePlannerTest, ManyExtrasGoInBatchesAndAllArrive) {
  for (int i = 0; i < 4500; ++i) Bring("k" + std::to_string(10'000 + i));
  AddAtSource("z");
  EXPECT_EQ(Plan().verdict, DeleteVerdict::kGo);
  EXPECT_EQ(Ask<std::int64_t>("select count(distinct job_id) as v from bucketferry.job"
                              " where action = 'delete'"),
            4500);
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.pending, 4501);
  EXPECT_EQ(StagedRows(), 0);
}

TEST_F(DeletePlannerTest, APlannerThatLostItsLeaseMakesNoDeletes) {
  Bring("a");
  AddAtSource("b");
  DeletePlanner planner(planner_, run_.run_id, rules_);
  const LedgerEntry ledger = *ReadLedgerRow(session_, run_.task_id, Key("in/a"));
  const test::StoredObject& there = destination_.objects().at(Key("out/a"));
  const ListedEntry entry{Key("a"), there.etag, 1, there.modified_ms, false};
  planner.Add({Key("in/a"), Key("out/a"), entry, &ledger});
  EndLease(worker_);
  EXPECT_EQ(test::KindOf([&] { planner.Finish({1, 1}, 1); }), "unavailable");
  EXPECT_EQ(Deletes(), "");
}

// A folder marker of the prefix itself, below no prefix, would have an empty key: the bucket's.
TEST_F(DeletePlannerTest, AnEmptyKeyIsNoCandidate) {
  rules_.policy = DeletePolicy::kExtraAll;
  DeletePlanner planner(planner_, run_.run_id, rules_);
  const ListedEntry entry{Key(""), "etag", 0, 1000, false};
  planner.Add({Key(""), Key("out/"), entry, nullptr});
  planner.Add({Key("in/"), Key(""), entry, nullptr});
  EXPECT_EQ(planner.Finish({1, 1}, 1).scope.candidates, 0U);
}

}  // namespace
}  // namespace ferry
