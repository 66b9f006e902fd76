// What arrives, what is left alone, and what is brought again.
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::ExitsWith;
using test::Json;
using namespace std::chrono_literals;

class Copy : public test::Voyage {
 protected:
  void RunOnce() { ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0)); }
  std::int64_t JobRows() { return Number("select count(*) as n from bucketferry.job"); }
};

TEST_F(Copy, BringsAwkwardKeysMetadataTagsAndLargeObjectsExactly) {
  Fill({"--small", "300", "--large", "4", "6", "23m"});
  RunOnce();
  ExpectEqualBuckets();
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["done"], run["objects"]["source"]);
  EXPECT_EQ(run["bytes"]["done"], run["bytes"]["planned"]);
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "");
}

// RGW 16.2 knows no checksums, whatever its provider is said to be.
TEST_F(Copy, ProvesByMd5WhereADestinationShouldAnswerChecksumsAndDoesNot) {
  S3({"src", "put", source_bucket(), "a=10", "b=1000", "middle=2000000", "large=12000000"});
  config().destination_provider = "aws";
  const auto run = Bucketferry({"run"});
  ASSERT_THAT(run, ExitsWith(0));
  EXPECT_THAT(run.err, testing::HasSubstr("should answer a checksum and does not"));
  ExpectEqualBuckets();
  EXPECT_EQ(Number("select count(*) as n from bucketferry.job where proof = 'etag_md5'"), 3);
  EXPECT_EQ(Number("select count(*) as n from bucketferry.job where proof = 'checksum'"), 0);
}

TEST_F(Copy, FindsNothingToDoTheSecondTime) {
  Fill({"--small", "60", "--large", "6m"});
  RunOnce();
  const std::int64_t rows = JobRows();
  RunOnce();
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["planned"], 0);
  EXPECT_EQ(run["objects"]["done"], 0);
  EXPECT_EQ(run["objects"]["adopted"], 0);
  EXPECT_EQ(run["objects"]["source"], rows);
  EXPECT_EQ(JobRows(), rows) << "an idle run wrote jobs";
}

TEST_F(Copy, CountsTheRequestsOfAnIdleRunsListings) {
  Fill({"--small", "5", "--large", "--no-awkward"});
  RunOnce();
  RunOnce();
  const Json requests = LastRun()["requests"];
  EXPECT_GE(requests["source"], 1);
  EXPECT_GE(requests["destination"], 1);
}

TEST_F(Copy, MapsOnePrefixToAnother) {
  S3({"src", "put", source_bucket(), "in/a=10", "in/b/c=20", "in//d=30", "in=1", "other/e=40"});
  task().source_prefix = "in/";
  task().destination_prefix = "from-partner/";
  RunOnce();
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}),
            "from-partner//d\nfrom-partner/a\nfrom-partner/b/c\n");
  ExpectEqualBuckets({"--source-prefix", "in/", "--destination-prefix", "from-partner/"});
}

TEST_F(Copy, BringsOnlyWhatTheFilterLetsThrough) {
  S3({"src", "put", source_bucket(), "a.txt=1", "a.tmp=1", "d/b.txt=1", "d/b.tmp=1", "d/c.bin=1"});
  task().more = ", include: [\"*.txt\", \"*.tmp\"], exclude: [\"d/*.tmp\"]";
  RunOnce();
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "a.tmp\na.txt\nd/b.txt\n");
}

TEST_F(Copy, BringsAnObjectAgainThatTheSourceOverwroteInTheSameSize) {
  S3({"src", "put", source_bucket(), "kept=1000", "changed=1000"});
  RunOnce();
  S3({"src", "put", source_bucket(), "changed=1000"});
  RunOnce();
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
}

TEST_F(Copy, BringsAnObjectAgainThatTheDestinationOverwrote) {
  S3({"src", "put", source_bucket(), "kept=1000", "changed=1000"});
  RunOnce();
  S3({"dst", "put", destination_bucket(), "changed=1000"});
  RunOnce();
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
}

TEST_F(Copy, BringsAnObjectAgainThatTheDestinationLost) {
  S3({"src", "put", source_bucket(), "kept=1000", "lost=1000"});
  RunOnce();
  S3({"dst", "delete", destination_bucket(), "lost"});
  RunOnce();
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
}

TEST_F(Copy, LeavesOtherObjectsOfTheDestinationAlone) {
  S3({"src", "put", source_bucket(), "ours=10"});
  S3({"dst", "put", destination_bucket(), "theirs=10"});
  RunOnce();
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "ours\ntheirs\n");
}

TEST_F(Copy, AdoptsWhatIsThereWhenTheLedgerIsLost) {
  Fill({"--small", "40", "--large"});
  RunOnce();
  config().state_dir = dir() / "another-state";
  RunOnce();
  const Json objects = LastRun()["objects"];
  EXPECT_EQ(objects["adopted"], objects["source"]);
  EXPECT_EQ(objects["done"], 0);
  EXPECT_EQ(objects["planned"], 0);
  RunOnce();
  EXPECT_EQ(LastObjects("adopted"), 0) << "adopted twice";
}

// ETags of uploads in parts of different sizes cannot be compared.
TEST_F(Copy, ReadsBothSidesBeforeItAdoptsWhatEtagsCannotTell) {
  Fill({"--small", "0", "--large", "9m", "10m", "--no-awkward"});
  RunOnce();
  S3({"dst", "put", destination_bucket(), "large/1-10MiB.bin=" + std::to_string(10 << 20)});
  config().state_dir = dir() / "another-state";
  RunOnce();
  const Json objects = LastRun()["objects"];
  EXPECT_EQ(objects["adopted"], 1) << objects;
  ExpectEqualBuckets();
}

TEST_F(Copy, BringsEverythingAgainToAnotherDestinationOfTheSameTask) {
  S3({"src", "put", source_bucket(), "a=10", "b=10"});
  RunOnce();
  task().destination_prefix = "second/";
  RunOnce();
  EXPECT_EQ(LastObjects("done"), 2);
  ExpectEqualBuckets({"--destination-prefix", "second/"});
}

TEST_F(Copy, BringsTwoTasksInOneRun) {
  S3({"src", "put", source_bucket(), "in/a=10", "out/b=10"});
  config().tasks.push_back(task());
  config().tasks[0].source_prefix = config().tasks[0].destination_prefix = "in/";
  config().tasks[1].source_prefix = config().tasks[1].destination_prefix = "out/";
  config().tasks[1].name = "other";
  RunOnce();
  ExpectEqualBuckets();
}

TEST_F(Copy, CallsAnObjectVanishedThatTheSourceDeletedAfterPlanning) {
  S3({"src", "put", source_bucket(), "stays=10", "goes=10", "goes-large=6000000"});
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  S3({"src", "delete", source_bucket(), "goes", "goes-large"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["vanished"], 2);
  EXPECT_EQ(run["objects"]["done"], 1);
  ExpectEqualBuckets();
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "");
}

TEST_F(Copy, BringsTheNewBytesOfAnObjectThatChangedAfterPlanning) {
  S3({"src", "put", source_bucket(), "small=10", "large=6000000"});
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  S3({"src", "put", source_bucket(), "small=20", "large=7000000"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  RunOnce();  // whatever the first did about them
  ExpectEqualBuckets();
}

// Anybody may list this bucket, and read one object of it.
TEST_F(Copy, NamesAnObjectThatMayNotBeReadAndBringsTheRest) {
  S3({"src", "put", source_bucket(), "open=10", "closed=10"});
  S3({"src", "acl", source_bucket(), "public-read"});
  S3({"src", "acl", source_bucket(), "public-read", "open"});
  config().source_credentials = "{anonymous: true}";
  const test::Finished finished = Bucketferry({"run", "--log-level", "error"});
  EXPECT_THAT(finished, ExitsWith(1));
  EXPECT_THAT(finished.err, testing::HasSubstr("closed"));
  EXPECT_THAT(finished.err, testing::Not(testing::HasSubstr("open")));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "open\n");
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "incomplete");
  EXPECT_EQ(run["objects"]["dead"], 1);
  EXPECT_EQ(run["objects"]["done"], 1);

  S3({"src", "acl", source_bucket(), "public-read", "closed"});
  EXPECT_THAT(Bucketferry({"retry"}), ExitsWith(0));
  ExpectEqualBuckets();
}

TEST_F(Copy, NamesTwentyDeadObjectsAtMostAndTheirCount) {
  std::vector<std::string> words = {"src", "put", source_bucket()};
  for (int i = 0; i < 30; ++i) words.push_back("closed-" + std::to_string(i) + "=10");
  S3(words);
  S3({"src", "acl", source_bucket(), "public-read"});
  config().source_credentials = "{anonymous: true}";
  const test::Finished finished = Bucketferry({"run", "--log-level", "error"});
  EXPECT_THAT(finished, ExitsWith(1));
  int named = 0;
  for (std::size_t at = 0; (at = finished.err.find("closed-", at)) != std::string::npos; ++at) {
    named += 1;
  }
  EXPECT_LE(named, 40) << finished.err;  // an error may say the key once more
  EXPECT_GE(named, 20) << finished.err;
  EXPECT_THAT(finished.err, testing::HasSubstr("30"));
}

}  // namespace
}  // namespace ferry
