// What `verify --deep` finds, and what it must not call a difference.
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;

using test::ExitsWith;
using test::Finished;
using testing::HasSubstr;
using testing::Not;

class VerifyDeep : public test::Voyage {
 protected:
  void BringAll() { ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0)); }
  Finished Verify() { return Bucketferry({"verify", "--deep"}); }
};

TEST_F(VerifyDeep, EqualBucketsAreEqual) {
  Fill({"--small", "30", "--large"});  // metadata, tags, awkward keys, several parts
  BringAll();
  const Finished finished = Verify();
  EXPECT_THAT(finished, ExitsWith(0));
  EXPECT_THAT(finished.out, HasSubstr(", 0 differences; equal: 0 by ETag, 0 by the ledger, "));
  EXPECT_EQ(finished.err, "");
}

TEST_F(VerifyDeep, NeedsNoDatabase) {
  S3({"src", "put", source_bucket(), "a=10"});
  BringAll();
  config().state_dir = dir() / "another";
  EXPECT_THAT(Verify(), ExitsWith(0));
  EXPECT_FALSE(std::filesystem::exists(config().state_dir));
}

TEST_F(VerifyDeep, OneByteOfALargeObjectIsFoundAtItsPlace) {
  S3({"src", "put", source_bucket(), "large=20000000", "other=20000000"});
  BringAll();
  S3({"dst", "flip", destination_bucket(), "large", "17654321"});
  const Finished finished = Verify();
  EXPECT_THAT(finished, ExitsWith(1));
  EXPECT_THAT(finished.out,
              HasSubstr("media: bytes differ from byte 17654321 of 20000000: large\n"));
  EXPECT_THAT(finished.out, Not(HasSubstr(": other\n")));
}

TEST_F(VerifyDeep, EachKindOfDifferenceIsOneLine) {
  S3({"src", "put", source_bucket(), "equal=9", "bytes=9", "size=9", "meta=9", "tag=9", "gone=9"});
  BringAll();
  S3({"dst", "put", destination_bucket(), "bytes=9", "size=8", "extra=1"});
  S3({"dst", "meta", destination_bucket(), "meta", "colour=red", "content_type=text/plain"});
  S3({"dst", "tag", destination_bucket(), "tag", "team=film"});
  S3({"dst", "delete", destination_bucket(), "gone"});
  const Finished finished = Verify();
  EXPECT_THAT(finished, ExitsWith(1));
  for (const char* const line :
       {"media: bytes differ from byte ", "media: size differs (9 at the source, 8 at the ",
        "media: metadata content-type differs (source \"binary/octet-stream\", destination "
        "\"text/plain\"): meta\n",
        "media: metadata x-amz-meta-colour differs (source none, destination \"red\"): meta\n",
        "media: tags differ (source none, destination \"team=film\"): tag\n",
        "media: missing: gone\n", "6 objects compared, 6 differences; ",
        "; 1 only at the destination\n"}) {
    EXPECT_THAT(finished.out, HasSubstr(line));
  }
  EXPECT_THAT(finished.out, Not(HasSubstr(": equal\n")));
}

TEST_F(VerifyDeep, TheFilterHoldsAndSoDoesTheChoiceOfTasks) {
  S3({"src", "put", source_bucket(), "a/x=9", "a/x.tmp=9", "b/y=9"});
  task().source_prefix = task().destination_prefix = "a/";
  task().more = ", exclude: [\"*.tmp\"]";
  config().tasks.push_back(task());
  config().tasks.back().name = "other";
  config().tasks.back().source_prefix = config().tasks.back().destination_prefix = "b/";
  ASSERT_THAT(Bucketferry({"run", "--task", "media"}), ExitsWith(0));
  const Finished one = Bucketferry({"verify", "--deep", "--task", "media"});
  EXPECT_THAT(one, ExitsWith(0));
  EXPECT_THAT(one.out, HasSubstr("media: 1 objects compared, 0 differences; "));
  EXPECT_THAT(one.out, HasSubstr("; 1 left out by the filter"));
  const Finished both = Verify();
  EXPECT_THAT(both, ExitsWith(1));
  EXPECT_THAT(both.out, HasSubstr("media: 1 objects compared, 0 differences; "));
  EXPECT_THAT(both.out, HasSubstr("other: missing: b/y\n"));
}

TEST_F(VerifyDeep, AnObjectThatMayNotBeReadIsNamedAndEndsWithThree) {
  // The destination's user lists the source bucket, and may read only what is public.
  S3({"src", "put", source_bucket(), "open=9", "shut=9"});
  BringAll();
  S3({"src", "acl", source_bucket(), "public-read"});
  S3({"src", "acl", source_bucket(), "public-read", "open"});
  config().source_credentials = "{anonymous: true}";
  const Finished finished = Verify();
  EXPECT_THAT(finished, ExitsWith(3));
  EXPECT_THAT(finished.err, HasSubstr("could not be read"));
  EXPECT_THAT(finished.err, HasSubstr("shut"));
  EXPECT_THAT(finished.err, HasSubstr("AccessDenied"));
  EXPECT_THAT(finished.out, HasSubstr("0 differences; "));
  EXPECT_THAT(finished.out, HasSubstr("; 1 could not be read"));
}

TEST_F(VerifyDeep, WhatIsOverwrittenMeanwhileIsNotCalledADifference) {
  S3({"src", "put", source_bucket(), "a=9"});
  BringAll();
  test::Proxy proxy(environment().at("SRC_ENDPOINT"));
  config().source_endpoint = proxy.endpoint();
  proxy.Hold("/a", 0);
  const auto verify = Start({"verify", "--deep"});
  ASSERT_TRUE(test::Eventually([&] { return !proxy.Passed("list-type").empty(); }));
  S3({"src", "put", source_bucket(), "a=9"});
  proxy.Release();
  const Finished finished = Checked(verify->Wait());
  EXPECT_THAT(finished, ExitsWith(0));
  EXPECT_THAT(finished.out, HasSubstr("media: changed while it was read: a\n"));
  EXPECT_THAT(finished.out, HasSubstr("0 differences; "));
}

TEST_F(VerifyDeep, EndsWithFiveWhenItIsStoppedAndSaysHowFarItGot) {
  S3({"src", "put", source_bucket(), "a=9"});
  BringAll();
  test::Proxy proxy(environment().at("SRC_ENDPOINT"));
  config().source_endpoint = proxy.endpoint();
  proxy.LoseAnswers("/a ", 10, test::Proxy::Lost::kSilent);
  const auto verify = Start({"verify", "--deep"});
  ASSERT_TRUE(test::Eventually([&] { return !proxy.Passed("/a ").empty(); }));
  verify->Signal(SIGINT);
  const Finished finished = Checked(verify->Wait(30s));
  EXPECT_THAT(finished, ExitsWith(5));
  EXPECT_THAT(finished.out, HasSubstr("media: 1 objects begun and then stopped, 0 differences; "));
}

}  // namespace
}  // namespace ferry
