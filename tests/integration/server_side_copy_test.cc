// Two buckets of one server: the store copies itself, and what arrives is what would have arrived.
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::ExitsWith;
using test::Json;

class ServerSideCopy : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    MakeBucket("src", destination_bucket());
    task().destination_store = "src";
    config().transfer =
        "{part_size: 5MiB, multipart_threshold: 20MiB, lease: 10s, outage_patience: 20s}";
  }

  void ExpectEqual() { ExpectEqualBuckets({"--destination-store", "SRC"}); }
  void RunOnce() { ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0)); }
  // In and out, by the last run.
  std::int64_t BytesMoved() {
    return Number(
        "select source_bytes_read + destination_bytes_written as n"
        " from bucketferry.run order by run_id desc limit 1");
  }
  void ExpectNoBytesMoved(const Json& run) {
    EXPECT_EQ(run["bytes"]["done"], run["bytes"]["planned"]) << run;
    EXPECT_EQ(BytesMoved(), 0);
  }
};

TEST_F(ServerSideCopy, AwkwardKeysMetadataAndTagsArriveWithoutAByteOrARequestTooMany) {
  Fill({"--small", "100", "--large", "6", "33"});
  RunOnce();
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  ExpectEqual();
  ExpectNoBytesMoved(run);
  // A listing on each side, and one request for each object.
  const auto objects = run["objects"]["done"].get<std::int64_t>();
  EXPECT_LE(run["requests"]["destination"].get<std::int64_t>(), objects + 3) << run["requests"];
  EXPECT_LE(run["requests"]["source"].get<std::int64_t>(), 3) << run["requests"];
  EXPECT_THAT(Bucketferry({"verify", "--deep"}), ExitsWith(0));
  RunOnce();
  EXPECT_EQ(LastObjects("planned"), 0);
}

TEST_F(ServerSideCopy, AnObjectInPartsIsCopiedByItsPartsAndKeepsItsEtag) {
  Fill({"--small", "0", "--large", "23m", "40m", "--no-awkward"});  // parts of 8 MiB
  RunOnce();
  ExpectEqual();
  ExpectNoBytesMoved(LastRun());
  EXPECT_EQ(S3({"src", "etags", source_bucket()}), S3({"src", "etags", destination_bucket()}));
  EXPECT_EQ(S3({"src", "uploads", destination_bucket()}), "");
}

TEST_F(ServerSideCopy, OfPartsThatNobodyWouldGuessTheBytesAreMoved) {
  S3({"src", "put_parts", source_bucket(), "odd", std::to_string(29 << 20), "7000001"});
  RunOnce();
  ExpectEqual();
  EXPECT_EQ(LastRun()["state"], "complete");
  EXPECT_EQ(BytesMoved(), 2 * (29 << 20));
  EXPECT_EQ(S3({"src", "uploads", destination_bucket()}), "");
}

TEST_F(ServerSideCopy, OnePrefixOfABucketIsCopiedToAnother) {
  S3({"src", "put", source_bucket(), "in/a=10", "in/b c=20", "in/+=0"});
  task().source_prefix = "in/";
  task().destination_bucket = source_bucket();
  task().destination_prefix = "out/";
  RunOnce();
  ExpectNoBytesMoved(LastRun());
  EXPECT_EQ(S3({"src", "keys", source_bucket()}), "in/+\nin/a\nin/b c\nout/+\nout/a\nout/b c\n");
}

TEST_F(ServerSideCopy, SwitchedOffTheBytesAreMoved) {
  config().transfer = "{server_side_copy: off}";
  S3({"src", "put", source_bucket(), "a=1000"});
  RunOnce();
  ExpectEqual();
  EXPECT_EQ(BytesMoved(), 2 * 1000);
}

// Two names for one server, and a source that anybody may read.
TEST_F(ServerSideCopy, TheDestinationsKeysCopyFromAPublicSource) {
  config().destination_endpoint = config().source_endpoint;
  config().destination_credentials = config().source_credentials;
  config().source_credentials = "{anonymous: true}";
  task().destination_store = "dst";
  S3({"src", "put", source_bucket(), "a=1000"});
  S3({"src", "acl", source_bucket(), "public-read"});
  S3({"src", "acl", source_bucket(), "public-read", "a"});
  RunOnce();
  ExpectEqual();
  ExpectNoBytesMoved(LastRun());
}

TEST_F(ServerSideCopy, APinnedVersionIsTheOneThatIsCopied) {
  S3({"src", "versioning", source_bucket(), "Enabled"});
  task().more = ", versions: compared";
  S3({"src", "put_marked", source_bucket(), "a+ b", "1000", "old"});
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  const std::string old = S3({"src", "version", source_bucket(), "a+ b"});
  S3({"src", "put_marked", source_bucket(), "a+ b", "1000", "new"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  EXPECT_EQ(S3({"src", "describe", destination_bucket(), "a+ b"}),
            S3({"src", "describe", source_bucket(), "a+ b", old}));
  ExpectNoBytesMoved(LastRun());
  RunOnce();
  ExpectEqual();
}

TEST_F(ServerSideCopy, AnObjectThatChangedAfterPlanningIsCopiedAsItIs) {
  S3({"src", "put", source_bucket(), "small=10", "large=30000000"});
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  S3({"src", "put", source_bucket(), "small=20", "large=31000000"});
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
  RunOnce();
  ExpectEqual();
}

}  // namespace
}  // namespace ferry
