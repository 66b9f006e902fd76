#include "batch/copy/planner.h"

#include <deque>

#include "batch/copy/object_copy.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/fake_store.h"
#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using test::ErrorOf;
using test::FakeStore;

constexpr const char* kEtag = "0cc175b9c0f1b6a831c399e269772661";

ListPage PageOf(const std::vector<std::string>& keys, std::optional<std::string> token = {}) {
  ListPage page;
  for (const std::string& key : keys) page.objects.push_back({Key(key), kEtag, 1, "", 1000});
  page.truncated = token.has_value();
  page.continuation_token = std::move(token);
  return page;
}

class CompareTest : public testing::Test {
 protected:
  ~CompareTest() override { runner_.Stop(); }

  // "KEY:decision" of each key, in order.
  std::vector<std::string> Plan(const ObjectFilter& filter = ObjectFilter(KeyFilter({}, {}))) {
    ListingStream source({{runner_.loop(), source_}}, "in/", "far:src", versions_);
    ListingStream destination({{runner_.loop(), destination_}}, "out/", "near:dst");
    LedgerStream ledger(
        [this](const Key& after, std::int64_t limit) { return Ledger(after, limit); }, "in/");
    std::vector<std::string> found;
    CompareInput input{
        source, destination, ledger, filter, AdoptPolicy::kVerify, FindProvider("s3"),
        "in/",  "out/"};
    input.looked = [this] { looked_ += 1; };
    Compare(input, stop_.get_token(), [&](const Found& one) {
      EXPECT_EQ(one.destination_key.bytes(), "out/" + one.source_key.bytes().substr(3));
      found.push_back(one.source_key.bytes() + ":" + std::string(ToString(one.finding.decision)));
    });
    return found;
  }
  std::vector<LedgerEntry> Ledger(const Key& after, std::int64_t limit) {
    std::vector<LedgerEntry> page;
    for (const LedgerEntry& row : ledger_) {
      if (after < row.key && std::ssize(page) < limit) page.push_back(row);
    }
    return page;
  }
  std::string FailPlan() {
    const auto error = ErrorOf([&] { Plan(); });
    return error ? std::string(ToString(error->kind())) + ": " + error->what() : "none";
  }

  test::LoopRunner runner_;
  FakeStore source_{runner_.loop()};
  FakeStore destination_{runner_.loop()};
  std::vector<LedgerEntry> ledger_;
  int looked_ = 0;
  VersionPolicy versions_ = VersionPolicy::kLatest;
  std::stop_source stop_;
};

TEST_F(CompareTest, MergesThreeStreamsInKeyOrder) {
  for (const char* key : {"in/a", "in/b", "in/b/c", "in/z", "elsewhere"}) source_.Add(key, "1");
  for (const char* key : {"out/a", "out/aa", "out/b/c", "other/b"}) destination_.Add(key, "1");
  destination_.Add("out/z", "another");
  const std::string etag = source_.objects().at(Key("in/a")).etag;
  const std::int64_t modified = source_.objects().at(Key("in/a")).modified_ms;
  ledger_ = {{Key("in/a"), {etag, 1, modified, ""}, etag, {}},
             {Key("in/gone"), {etag, 1, modified, ""}, etag, {}}};
  EXPECT_EQ(Plan(),
            (std::vector<std::string>{"in/a:nothing", "in/b:copy", "in/b/c:adopt", "in/z:copy"}));
}

TEST_F(CompareTest, FollowsPagesOfBothSides) {
  for (int i = 0; i < 2500; ++i) {
    const std::string rest = std::to_string(100'000 + i);
    source_.Add("in/" + rest, "1");
    if (i % 2 == 0) destination_.Add("out/" + rest, "1");
  }
  const std::vector<std::string> found = Plan();
  EXPECT_EQ(found.size(), 2500U);
  EXPECT_EQ(std::count_if(found.begin(), found.end(),
                          [](const std::string& one) { return one.ends_with(":copy"); }),
            1250);
  EXPECT_EQ(source_.CountCalls("list"), 3);
}

TEST_F(CompareTest, LeavesOutWhatTheFilterLeavesOut) {
  for (const char* key : {"in/a.tmp", "in/b", "in/c/d.tmp"}) source_.Add(key, "1");
  EXPECT_EQ(Plan(ObjectFilter(KeyFilter({}, {"*.tmp"}))), (std::vector<std::string>{"in/b:copy"}));
}

TEST_F(CompareTest, LeavesAloneWhatIsOutsideTheSizes) {
  for (const char* key : {"in/a", "in/b"}) source_.Add(key, "123");
  source_.Add("in/c", "1234");
  destination_.Add("out/b", "other");
  destination_.Add("out/c", "older");
  EXPECT_EQ(Plan(ObjectFilter(KeyFilter({}, {}), {.size_bytes_max = 3})),
            (std::vector<std::string>{"in/a:copy", "in/b:copy"}));
}

TEST_F(CompareTest, AnEmptyRestIsAKeyLikeOthers) {
  source_.Add("in/", "folder");
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/:copy"}));
}

TEST_F(CompareTest, AKeyThatTheDestinationCannotHoldIsRefused) {
  source_.Add("in/" + std::string(1021, 'k'), "1");  // 1,024 there, 1,025 with "out/"
  EXPECT_TRUE(Plan().at(0).ends_with(":key_refused"));
}

TEST_F(CompareTest, AListingThatCannotBeTrustedFailsThePlan) {
  struct {
    const char* name;
    std::vector<ListPage> pages;
    const char* says;
  } const cases[] = {
      {"unordered", {PageOf({"in/b", "in/a"})}, "not in key order"},
      {"a key twice", {PageOf({"in/a", "in/a"})}, "not in key order"},
      {"unordered over pages", {PageOf({"in/b"}, "t"), PageOf({"in/a"})}, "not in key order"},
      {"a page again", {PageOf({"in/a"}, "t"), PageOf({"in/a"}, "u")}, "not in key order"},
      {"outside the prefix", {PageOf({"in/a", "on/b"})}, "outside its prefix"},
      {"the same token for ever", {PageOf({"in/a"}, "t"), PageOf({"in/b"}, "t")}, "not where"},
  };
  for (const auto& c : cases) {
    std::size_t asked = 0;
    source_.list_instead = [&](const ListRequest&) {
      return c.pages.at(std::min(asked++, c.pages.size() - 1));
    };
    const std::string failure = FailPlan();
    EXPECT_TRUE(failure.starts_with("corrupt: far:src: ")) << c.name << ": " << failure;
    EXPECT_NE(failure.find(c.says), std::string::npos) << c.name << ": " << failure;
  }
}

TEST_F(CompareTest, AListingThatGoesOnButNotWhereFailsThePlan) {
  source_.list_instead = [](const ListRequest&) {
    ListPage page = PageOf({"in/a"});
    page.truncated = true;
    return page;
  };
  EXPECT_NE(FailPlan().find("not where"), std::string::npos);
}

TEST_F(CompareTest, AFailedListingOfEitherSideFailsThePlan) {
  source_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect, Error(ErrorKind::kDenied, "no"));
  EXPECT_EQ(FailPlan(), "denied: no");
  // An empty source says nothing of a destination that is not there.
  destination_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect,
                        Error(ErrorKind::kNotFound, "no bucket"));
  EXPECT_EQ(FailPlan(), "not_found: no bucket");
}

class CompareVersionsTest : public CompareTest {
 protected:
  CompareVersionsTest() {
    versions_ = VersionPolicy::kCompared;
    source_.versioning = FakeStore::Versioning::kEnabled;
  }
  // Brings what is there now to the destination and into the ledger.
  void Bring(const std::string& rest, bool with_version = true) {
    const test::StoredObject& object = source_.objects().at(Key("in/" + rest));
    destination_.Add("out/" + rest, object.bytes);
    ledger_.push_back({Key("in/" + rest),
                       {object.etag, object.bytes.size(), object.modified_ms,
                        with_version ? object.version_id : ""},
                       object.etag,
                       {}});
  }
};

TEST_F(CompareVersionsTest, OnlyTheLatestVersionOfEachKeyCounts) {
  for (const char* bytes : {"1", "2", "3"}) source_.Add("in/a", bytes);
  source_.Add("in/deleted", "1");
  source_.Remove("in/deleted");
  source_.Add("in/recreated", "1");
  source_.Remove("in/recreated");
  source_.Add("in/recreated", "2");
  Bring("a");
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/a:nothing", "in/recreated:copy"}));
  EXPECT_EQ(source_.CountCalls("list"), 0);
}

TEST_F(CompareVersionsTest, TheSameBytesUploadedAgainAreACopy) {
  source_.Add("in/a", "1");
  Bring("a");
  source_.Add("in/a", "1");
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/a:copy"}));
  versions_ = VersionPolicy::kLatest;
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/a:nothing"}));
}

TEST_F(CompareVersionsTest, ALedgerWithoutVersionsLearnsThemAndNothingIsCopied) {
  source_.Add("in/a", "1");
  source_.Add("in/b", "2");
  Bring("a", /*with_version=*/false);
  Bring("b", /*with_version=*/false);
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/a:repair_ledger", "in/b:repair_ledger"}));
}

TEST_F(CompareVersionsTest, ABucketThatNeverKeptVersionsIsComparedToo) {
  source_.versioning = FakeStore::Versioning::kNever;
  source_.Add("in/a", "1");
  source_.Add("in/b", "1");
  Bring("b");
  ledger_.back().source.version = "null";
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/a:copy", "in/b:nothing"}));
}

TEST_F(CompareVersionsTest, PagesMayEndWithinOneKey) {
  for (int i = 0; i < 2500; ++i) source_.Add("in/many", std::to_string(i));
  source_.Add("in/z", "1");
  Bring("many");
  EXPECT_EQ(Plan(), (std::vector<std::string>{"in/many:nothing", "in/z:copy"}));
  EXPECT_EQ(source_.CountCalls("list_versions"), 3);
}

TEST_F(CompareVersionsTest, AFailedListOfVersionsFailsThePlan) {
  source_.FailCall("list_versions", 1, FakeStore::Moment::kBeforeEffect,
                   Error(ErrorKind::kDenied, "no"));
  EXPECT_EQ(FailPlan(), "denied: no");
}

TEST_F(CompareTest, AStopEndsThePlan) {
  source_.Add("in/a", "1");
  stop_.request_stop();
  EXPECT_TRUE(FailPlan().starts_with("stopped"));
}

TEST_F(CompareTest, TellsThatItLooksAlsoWhereTheFilterLetsNothingThrough) {
  for (int i = 0; i < 2'500; ++i) source_.Add("in/" + std::to_string(10'000 + i), "1");
  looked_ = 0;
  EXPECT_TRUE(Plan(ObjectFilter(KeyFilter({"*.none"}, {}))).empty());
  EXPECT_EQ(looked_, 2);
}

class PlanWriterTest : public QueueFixture {
 protected:
  void Begin() { run_ = BeginRun(session_, Place(), RunKind::kScheduled, worker_); }
  Found One(const std::string& rest, Decision decision, Reason reason, bool known = false) {
    entries_.push_back({Key(rest), kEtag, 10, 1'700'000'000'000, false});
    const ListedEntry& entry = entries_.back();
    return {Key("in/" + rest),
            Key("out/" + rest),
            entry,
            &entry,
            {decision, reason, known},
            decision == Decision::kKeyRefused ? "too long" : ""};
  }
  PlanWriter Writer() { return {planner_, run_.run_id, run_.task_id, clock_}; }
  std::int64_t CountJobs() {
    return Ask<std::int64_t>("select count(*) as v from bucketferry.job");
  }

  SystemClock clock_;
  const std::int64_t worker_ = NewWorker();
  PlannerSession planner_{{[this] { return std::make_unique<pg::Session>(database_.options()); },
                           [this] { return worker_; },
                           clock_,
                           std::chrono::milliseconds(0),
                           {}}};
  BegunRun run_;
  std::deque<ListedEntry> entries_;
};

TEST_F(PlanWriterTest, WhatIsTrustedIsNotWrittenDownAsComparedAndStaysSo) {
  Begin();
  PlanWriter writer = Writer();
  writer.Add(One("compared", Decision::kAdopt, Reason::kEqualEtags));
  writer.Add(One("trusted", Decision::kAdopt, Reason::kTrustedBySizeAndTime));
  writer.Finish();
  PlanWriter next = Writer();
  next.Add(One("trusted", Decision::kRepairLedger, Reason::kVersionLearnt));
  next.Finish();
  EXPECT_FALSE(ReadLedgerRow(session_, run_.task_id, Key("in/compared"))->trusted);
  EXPECT_TRUE(ReadLedgerRow(session_, run_.task_id, Key("in/trusted"))->trusted);
  EXPECT_TRUE(ReadLedger(session_, run_.task_id, Key("in/compared"), 10).at(0).trusted);
}

TEST_F(PlanWriterTest, WhatIsOverTheCapsIsLeftForTheNextRunInKeyOrder) {
  Begin();
  PlanWriter writer{planner_, run_.run_id, run_.task_id, clock_, [] {}, {.objects_max = 2}};
  for (const char* rest : {"a", "b", "c"}) writer.Add(One(rest, Decision::kCopy, Reason::kMissing));
  writer.Add(One("d", Decision::kAdopt, Reason::kEqualEtags));
  writer.Add(One("e", Decision::kVerify, Reason::kNotComparable));
  writer.Finish();
  EXPECT_EQ(writer.left_over().objects, 2);
  EXPECT_EQ(writer.left_over().bytes, 20);
  EXPECT_EQ(CountJobs(), 2);
  const Tally totals = ReadRun(session_, run_.run_id).totals;
  EXPECT_EQ(totals.planned, 2);
  EXPECT_EQ(totals.adopted, 1);
  EXPECT_EQ(totals.source_objects, 5);
}

TEST_F(PlanWriterTest, OneObjectIsPlannedHoweverFewBytesARunMayHave) {
  Begin();
  PlanWriter writer{planner_, run_.run_id, run_.task_id, clock_, [] {}, {.bytes_max = 9}};
  writer.Add(One("a", Decision::kCopy, Reason::kMissing));
  writer.Add(One("b", Decision::kCopy, Reason::kMissing));
  writer.Finish();
  EXPECT_EQ(CountJobs(), 1);
  EXPECT_EQ(writer.left_over().objects, 1);
}

TEST_F(PlanWriterTest, ArchivedObjectsAreTriedWhereTheyMayBeRestoredUpToSoMany) {
  Begin();
  PlanWriter writer{planner_, run_.run_id, run_.task_id, clock_, [] {}, {.restores_max = 2}};
  for (const char* key : {"a", "b", "c"}) {
    writer.Add(One(key, Decision::kArchived, Reason::kArchivedAtSource, /*known=*/true));
  }
  writer.Add(One("d", Decision::kArchived, Reason::kBeingRestored, /*known=*/true));
  writer.Finish();
  EXPECT_EQ(
      Ask<std::string>("select string_agg(convert_from(key, 'UTF8') || ' ' || action || ' ' ||"
                       "  state || ' ' || reason, ', ' order by key) as v"
                       " from bucketferry.job"),
      "in/a copy pending archived_at_source, in/b copy pending archived_at_source, "
      "in/d copy pending being_restored");
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.archived, 1);
}

TEST_F(PlanWriterTest, FindingsBecomeJobsLedgerRowsAndCounts) {
  Begin();
  PlanWriter writer = Writer();
  writer.Add(One("a", Decision::kNothing, Reason::kUnchanged));
  writer.Add(One("b", Decision::kCopy, Reason::kMissing));
  writer.Add(One("c", Decision::kVerify, Reason::kNotComparable));
  writer.Add(One("d", Decision::kAdopt, Reason::kEqualEtags));
  writer.Add(One("e", Decision::kRepairLedger, Reason::kEqualEtags));
  writer.Add(One("f", Decision::kArchived, Reason::kArchivedAtSource));
  writer.Add(One("g", Decision::kKeyRefused, Reason::kKeyNotAllowed));
  EXPECT_EQ(CountJobs(), 0);  // nothing before its batch
  writer.Finish();
  EXPECT_EQ(CountJobs(), 4);
  const Tally totals = ReadRun(session_, run_.run_id).totals;
  EXPECT_EQ(totals.source_objects, 7);
  EXPECT_EQ(totals.planned, 2);
  EXPECT_EQ(totals.pending, 2);
  EXPECT_EQ(totals.bytes_planned, 20);
  EXPECT_EQ(totals.adopted, 1);
  EXPECT_EQ(totals.archived, 1);
  EXPECT_EQ(totals.dead, 1);
  EXPECT_EQ(ReadLedger(session_, run_.task_id, Key(), 10).size(), 4U);
  EXPECT_EQ(ReadLedgerRow(session_, run_.task_id, Key("in/f"))->verdict, Verdict::kArchived);
  EXPECT_EQ(ReadLedgerRow(session_, run_.task_id, Key("in/d"))->destination_etag, kEtag);
}

TEST_F(PlanWriterTest, TheLedgerLearnsAVersionAndKeepsWhatProvedTheObject) {
  Begin();
  const Found found = One("a", Decision::kRepairLedger, Reason::kVersionLearnt);
  LedgerRow row;
  row.key = Key("in/a");
  row.source = IdentityOf(found.source);
  row.destination_etag = kEtag;
  row.proof = kProofComposite;
  session_.Transact(
      [&](pg::Transaction& tx) { WriteLedger(tx, run_.task_id, run_.run_id, {row}); });
  entries_.back().version = "v1";
  PlanWriter writer = Writer();
  writer.Add(found);
  writer.Finish();
  EXPECT_EQ(ReadLedgerRow(session_, run_.task_id, Key("in/a"))->source.version, "v1");
  EXPECT_EQ(Ask<std::string>("select proof as v from bucketferry.ledger"), kProofComposite);
}

TEST_F(PlanWriterTest, AKnownVerdictCostsNoRow) {
  Begin();
  PlanWriter writer = Writer();
  writer.Add(One("f", Decision::kArchived, Reason::kArchivedAtSource, /*known=*/true));
  writer.Add(One("g", Decision::kKeyRefused, Reason::kKeyNotAllowed, /*known=*/true));
  writer.Finish();
  EXPECT_EQ(CountJobs(), 0);
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.archived, 1);
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals.dead, 1);
}

TEST_F(PlanWriterTest, JobsCanBeClaimedWhileThePlanGoesOn) {
  Begin();
  PlanWriter writer = Writer();
  for (int i = 0; i < 4100; ++i) {
    writer.Add(One(std::to_string(100'000 + i), Decision::kCopy, Reason::kMissing));
  }
  JobQueue queue(session_, NewWorker(), 3);
  std::int64_t cursor = 0;
  EXPECT_EQ(queue.ClaimJobs(run_.run_id, cursor, 10).at(0).key, Key("in/100000"));
  writer.Finish();
  EXPECT_EQ(CountJobs(), 4100);
  EXPECT_EQ(Ask<std::int64_t>("select max(job_id) as v from bucketferry.job"), 4100);
  EXPECT_EQ(writer.totals().planned, 4100);
}

// Or claims and outcomes read all jobs of a run each time, until autovacuum comes round.
TEST_F(PlanWriterTest, TheDatabaseKnowsHowManyJobsARunHasAsSoonAsTheyArePlanned) {
  Begin();
  PlanWriter writer = Writer();
  for (int i = 0; i < 2000; ++i) {
    writer.Add(One(std::to_string(i), Decision::kCopy, Reason::kMissing));
  }
  writer.Finish();
  // Of this schema: other tests have some of their own.
  EXPECT_EQ(Ask<std::int64_t>("select sum(reltuples)::bigint as v from pg_class where reltuples > 0"
                              " and oid in (select inhrelid from pg_inherits"
                              " where inhparent = 'bucketferry.job'::regclass)"),
            2000);
}

TEST_F(PlanWriterTest, ABatchThatWaitsIsWrittenWhileThePlannerLooksAtOtherKeys) {
  Begin();
  test::TickedClock clock;
  PlanWriter writer(planner_, run_.run_id, run_.task_id, clock);
  writer.Add(One("a", Decision::kCopy, Reason::kMissing));
  writer.Looked();
  EXPECT_EQ(CountJobs(), 0);
  clock.Advance(std::chrono::milliseconds(600));
  writer.Looked();
  EXPECT_EQ(CountJobs(), 1);
}

TEST_F(PlanWriterTest, APlannerThatFindsNothingSaysEveryTenSecondsThatItLooks) {
  Begin();
  const auto advanced = [&] {
    return Ask<std::optional<std::string>>(
        "select max(advanced_at)::text as v from bucketferry.tally");
  };
  test::TickedClock clock;
  PlanWriter writer(planner_, run_.run_id, run_.task_id, clock);
  writer.Looked();
  EXPECT_EQ(advanced(), std::nullopt) << "that a run began is no progress";
  clock.Advance(std::chrono::seconds(11));
  writer.Looked();
  const auto first = advanced();
  EXPECT_NE(first, std::nullopt);
  clock.Advance(std::chrono::seconds(9));
  writer.Looked();
  EXPECT_EQ(advanced(), first);
  clock.Advance(std::chrono::seconds(2));
  writer.Looked();
  EXPECT_NE(advanced(), first);
  EXPECT_EQ(ReadRun(session_, run_.run_id).totals, Tally{});
}

TEST_F(PlanWriterTest, APlannerThatLostItsLeaseWritesNothing) {
  Begin();
  PlanWriter writer = Writer();
  writer.Add(One("b", Decision::kCopy, Reason::kMissing));
  EndLease(worker_);
  EXPECT_EQ(test::KindOf([&] { writer.Finish(); }), "unavailable");
  EXPECT_EQ(CountJobs(), 0);
}

}  // namespace
}  // namespace ferry
