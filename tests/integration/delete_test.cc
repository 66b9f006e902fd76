// Deletes at the destination: what goes, and everything that must make them stay.
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::ExitsWith;
using test::Finished;
using test::Json;
using testing::HasSubstr;
using testing::Not;

class Deletes : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    Options("delete: extra, max_delete: 50%");
  }
  void Options(const std::string& options) { task().more = ", " + options; }
  Finished RunOnce(int exit_code = 0) {
    Finished finished = Bucketferry({"run"});
    EXPECT_THAT(finished, ExitsWith(exit_code));
    return finished;
  }
  void Put(const std::vector<std::string>& keys) {
    std::vector<std::string> words = {"src", "put", source_bucket()};
    for (const std::string& key : keys) words.push_back(key + "=10");
    S3(words);
  }
  void DeleteAtSource(const std::vector<std::string>& keys) {
    std::vector<std::string> words = {"src", "delete", source_bucket()};
    words.insert(words.end(), keys.begin(), keys.end());
    S3(words);
  }
  std::string Destination() { return S3({"dst", "keys", destination_bucket()}); }
};

TEST_F(Deletes, ExactlyWhatTheSourceNoLongerHasGoes) {
  Fill({"--small", "40", "--large", "6m"});
  Put({"gone", "gone too"});
  RunOnce();
  DeleteAtSource({"gone", "gone too"});
  const Finished finished = RunOnce();
  EXPECT_THAT(finished.out, HasSubstr("2 deleted"));
  ExpectEqualBuckets();
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["deleted"], 2);
  EXPECT_EQ(run["objects"]["planned"], 2);
  EXPECT_EQ(run["objects"]["pending"], 0);
  EXPECT_EQ(Number("select count(*) as n from bucketferry.ledger where key like 'gone%'"), 0);
  RunOnce();
  EXPECT_EQ(LastObjects("planned"), 0);
}

TEST_F(Deletes, ATaskThatDoesNotAskForItDeletesNothing) {
  Options("delete: never");
  Put({"a", "b"});
  RunOnce();
  DeleteAtSource({"a"});
  RunOnce();
  EXPECT_EQ(Destination(), "a\nb\n");
}

TEST_F(Deletes, WhatOthersPutThereStaysAndGoesOnlyWithExtraAll) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  S3({"dst", "put", destination_bucket(), "theirs=10", "b=11"});
  DeleteAtSource({"a", "b"});
  RunOnce();
  EXPECT_EQ(Destination(), "b\nc\nd\ntheirs\n");
  Options("delete: extra-all, max_delete: 2");
  RunOnce();
  EXPECT_EQ(Destination(), "c\nd\n");
}

TEST_F(Deletes, MoreThanAllowedDeletesNothingCopiesTheRestAndFailsTheRun) {
  Options("delete: extra");  // 10%
  Put({"a", "b", "c", "d", "e"});
  RunOnce();
  DeleteAtSource({"a", "b"});
  Put({"new"});
  const Finished finished = RunOnce(1);
  EXPECT_EQ(Destination(), "a\nb\nc\nd\ne\nnew\n");
  EXPECT_THAT(finished.err, HasSubstr("nothing was deleted: 2 objects"));
  EXPECT_THAT(finished.err, HasSubstr("allows 1 (10% of 5 ledgered objects)"));
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "incomplete");
  EXPECT_THAT(run["error"].get<std::string>(), HasSubstr("max_delete"));
  EXPECT_EQ(run["objects"]["done"], 1);
  EXPECT_EQ(run["objects"]["deleted"], 0);
  RunOnce(1);  // not once only
  Options("delete: extra, max_delete: 2");
  RunOnce();
  EXPECT_EQ(Destination(), "c\nd\ne\nnew\n");
}

TEST_F(Deletes, AnEmptySourceDeletesNothing) {
  Options("delete: extra, max_delete: 100%");
  Put({"a", "b"});
  RunOnce();
  DeleteAtSource({"a", "b"});
  const Finished finished = RunOnce();
  EXPECT_THAT(finished.err, HasSubstr("deletes are off for this run"));
  EXPECT_EQ(Destination(), "a\nb\n");
}

TEST_F(Deletes, AChangedFilterDeletesNothingForOneRun) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a"});
  Options("delete: extra, max_delete: 50%, exclude: [\"*.tmp\"]");
  EXPECT_THAT(RunOnce().err, HasSubstr("the filter or an endpoint"));
  EXPECT_EQ(Destination(), "a\nb\nc\nd\n");
  RunOnce();
  EXPECT_EQ(Destination(), "b\nc\nd\n");
}

TEST_F(Deletes, AChangedLineOfThePatternFileDeletesNothingForOneRun) {
  const std::string file = dir() / "ignore.txt";
  std::ofstream(file) << "*.tmp\n";
  Options("delete: extra, max_delete: 50%, exclude_from: " + file);
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a"});
  std::ofstream(file) << "*.bak\n";
  RunOnce();
  EXPECT_EQ(Destination(), "a\nb\nc\nd\n");
}

TEST_F(Deletes, WhatTheFilterLeavesOutStays) {
  Options("delete: extra-all, max_delete: 100, exclude: [\"*.tmp\"]");
  Put({"a"});
  S3({"dst", "put", destination_bucket(), "x.tmp=10", "y=10"});
  RunOnce();
  EXPECT_EQ(Destination(), "a\nx.tmp\ny\n");  // the first run deletes nothing
  RunOnce();
  EXPECT_EQ(Destination(), "a\nx.tmp\n");
}

TEST_F(Deletes, OnlyBelowTheDestinationPrefix) {
  task().source_prefix = "in/";
  task().destination_prefix = "to/";
  Options("delete: extra-all, max_delete: 100");
  Put({"in/a", "in/b"});
  S3({"dst", "put", destination_bucket(), "outside=10", "to=10"});
  RunOnce();
  DeleteAtSource({"in/a"});
  RunOnce();
  EXPECT_EQ(Destination(), "outside\nto\nto/b\n");
}

TEST_F(Deletes, AnObjectThatComesBackBetweenPlanAndDeleteStays) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a", "b"});
  EXPECT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  Put({"a"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  EXPECT_EQ(Destination(), "a\nc\nd\n");
  const Json run = LastRun();
  EXPECT_EQ(run["objects"]["deleted"], 1);
  EXPECT_EQ(run["objects"]["vanished"], 1);
  EXPECT_THAT(Bucketferry({"jobs", "--state", "vanished"}).out,
              HasSubstr("not deleted: the source has it again"));
}

TEST_F(Deletes, AnObjectThatIsOverwrittenBetweenPlanAndDeleteStays) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a", "b"});
  EXPECT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  S3({"dst", "put", destination_bucket(), "a=10"});
  S3({"dst", "delete", destination_bucket(), "b"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  EXPECT_EQ(Destination(), "a\nc\nd\n");
  EXPECT_EQ(LastObjects("deleted"), 0);
  EXPECT_EQ(LastObjects("vanished"), 2);
}

TEST_F(Deletes, AWorkerWhoseConfigurationForbidsItDeletesNothing) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a"});
  EXPECT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  Options("delete: never");
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  EXPECT_EQ(Destination(), "a\nb\nc\nd\n");
}

TEST_F(Deletes, ADryRunShowsEachAndDeletesNone) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  DeleteAtSource({"a", "b"});
  const Finished shown = Bucketferry({"run", "--dry-run"});
  EXPECT_THAT(shown, ExitsWith(0));
  EXPECT_THAT(shown.out, HasSubstr("delete a (extra, 10 bytes)\ndelete b (extra, 10 bytes)\n"));
  EXPECT_THAT(shown.out, HasSubstr("dry run: 2 to delete at the destination"));
  Options("delete: extra, max_delete: 1");
  EXPECT_THAT(Bucketferry({"run", "--dry-run"}).out,
              HasSubstr("0 to delete at the destination, 2 held back: nothing was deleted"));
  EXPECT_EQ(Destination(), "a\nb\nc\nd\n");
}

TEST_F(Deletes, ExplainSaysWhetherAnExtraWouldGo) {
  Put({"a", "b", "c", "d"});
  RunOnce();
  S3({"dst", "put", destination_bucket(), "theirs=10"});
  DeleteAtSource({"a"});
  const auto explain = [this](const std::string& key) { return Bucketferry({"explain", key}).out; };
  EXPECT_THAT(explain("a"), HasSubstr("delete:      yes (extra)"));
  EXPECT_THAT(explain("theirs"), HasSubstr("delete:      no: the ledger does not know it"));
  EXPECT_THAT(explain("b"), Not(HasSubstr("delete:")));
  Options("delete: never");
  EXPECT_THAT(explain("a"), HasSubstr("delete:      no: this task has `delete: never`"));
}

TEST_F(Deletes, ADeleteMarkerAtTheSourceCountsAsAbsentAndACurrentVersionDoesNot) {
  S3({"src", "versioning", source_bucket(), "Enabled"});
  Put({"a", "b", "c", "d"});
  Put({"b"});
  RunOnce();
  DeleteAtSource({"a"});
  RunOnce();
  EXPECT_EQ(Destination(), "b\nc\nd\n");
  EXPECT_EQ(LastObjects("deleted"), 1);
}

TEST_F(Deletes, TheHistorySaysWhyNothingWasDeleted) {
  Options("delete: extra, max_delete: 0");
  Put({"a", "b"});
  RunOnce();
  DeleteAtSource({"a"});
  RunOnce(1);
  EXPECT_EQ(Number("select count(*) as n from bucketferry.run_history where state = 'incomplete'"
                   " and error like '%max_delete allows 0%'"),
            1);
}

}  // namespace
}  // namespace ferry
