// What is wrong is said in one clear line with the right exit code, and nothing else happens.
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::ExitsWith;
using test::Finished;
using test::Json;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kUsage = 2;
constexpr int kFailed = 3;

class BadInput : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    S3({"src", "put", source_bucket(), "a=10"});
  }

  // Runs it; looks at the exit code and that one line begins with `bucketferry:`; returns that.
  std::string Complaint(int exit_code, const std::vector<std::string>& words = {"run"}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--log-level", "error"});
    const Finished finished = Bucketferry(all, 60s);
    EXPECT_THAT(finished, ExitsWith(exit_code));
    std::istringstream lines(finished.err);
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("bucketferry: ")) found.push_back(line);
    }
    EXPECT_EQ(found.size(), 1u) << finished;
    return found.empty() ? "" : found.front();
  }

  // A run that could begin says the same in its row.
  void ExpectFailedRun() {
    const Json run = LastRun();
    EXPECT_EQ(run["state"], "failed");
    EXPECT_TRUE(run["error"].is_string());
    EXPECT_FALSE(run["finished_at"].is_null());
  }

  void ExpectNothingContacted() {
    EXPECT_FALSE(std::filesystem::exists(config().state_dir)) << "it made the state directory";
    EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
  }
};

TEST_F(BadInput, AMisspeltKeyIsNamedWithFileAndLine) {
  config().before = "tasc: []\n";
  EXPECT_THAT(Complaint(kUsage), AllOf(HasSubstr(".yaml:1"), HasSubstr("tasc")));
  ExpectNothingContacted();
}

TEST_F(BadInput, AMisspeltKeyOfATaskIsNamedWithFileAndLine) {
  task().more = ", exlude: [a]";
  EXPECT_THAT(Complaint(kUsage), AllOf(HasSubstr(".yaml:"), HasSubstr("exlude")));
  ExpectNothingContacted();
}

TEST_F(BadInput, AVariableThatIsNotSetIsNamed) {
  config().source_credentials = "{access_key_id: a, secret_access_key: \"${FERRY_IS_NOT_SET}\"}";
  EXPECT_THAT(Complaint(kUsage), HasSubstr("FERRY_IS_NOT_SET"));
  ExpectNothingContacted();
}

TEST_F(BadInput, AMissingFileIsNamed) {
  const Finished finished =
      Checked(test::Child({FERRY_BINARY_DIR "/bucketferry", "run", "--config", "/nowhere/x.yaml"},
                          environment(), dir())
                  .Wait());
  EXPECT_THAT(finished, ExitsWith(kUsage));
  EXPECT_THAT(finished.err, HasSubstr("/nowhere/x.yaml"));
}

TEST_F(BadInput, TwoTasksOfOneNameAreRefused) {
  config().tasks.push_back(task());
  config().tasks[0].source_prefix = config().tasks[0].destination_prefix = "a/";
  config().tasks[1].source_prefix = config().tasks[1].destination_prefix = "b/";
  EXPECT_THAT(Complaint(kUsage), HasSubstr("media"));
  ExpectNothingContacted();
}

TEST_F(BadInput, ASourceThatIsItsDestinationIsRefused) {
  task().destination_store = "src";
  task().destination_bucket = source_bucket();
  EXPECT_THAT(Complaint(kUsage), HasSubstr("same"));
  ExpectNothingContacted();
}

TEST_F(BadInput, ASourceThatIsItsDestinationByAnotherStoreNameIsRefused) {
  config().destination_endpoint = config().source_endpoint;
  config().destination_credentials = config().source_credentials;
  task().destination_bucket = source_bucket();
  Complaint(kUsage);
  ExpectNothingContacted();
}

TEST_F(BadInput, NestedPrefixesOfOneBucketAreRefused) {
  task().destination_store = "src";
  task().destination_bucket = source_bucket();
  task().source_prefix = "in/";
  task().destination_prefix = "in/copy/";
  Complaint(kUsage);
  std::swap(task().source_prefix, task().destination_prefix);
  Complaint(kUsage);
  ExpectNothingContacted();
}

TEST_F(BadInput, SeparatePrefixesOfOneBucketAreNoProblem) {
  S3({"src", "put", source_bucket(), "in/a=10"});
  task().destination_store = "src";
  task().destination_bucket = source_bucket();
  task().source_prefix = "in/";
  task().destination_prefix = "in-copy/";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(S3({"src", "keys", source_bucket()}), "a\nin-copy/a\nin/a\n");
}

TEST_F(BadInput, ATaskThatIsNotConfiguredIsNamed) {
  EXPECT_THAT(Complaint(kUsage, {"run", "--task", "medai"}), HasSubstr("medai"));
  ExpectNothingContacted();
}

TEST_F(BadInput, AWrongSecretIsSaidOfItsStore) {
  config().source_credentials =
      "{access_key_id: \"${SRC_ACCESS_KEY}\", secret_access_key: not-the-right-one-at-all}";
  const std::string line = Complaint(kFailed);
  EXPECT_THAT(line, AllOf(HasSubstr("src"), HasSubstr(source_bucket())));
  EXPECT_THAT(line, Not(HasSubstr("not-the-right-one-at-all")));
  ExpectFailedRun();
}

TEST_F(BadInput, AWrongSecretOfTheDestinationIsSaidOfItsStore) {
  config().destination_credentials =
      "{access_key_id: \"${DST_ACCESS_KEY}\", secret_access_key: not-the-right-one-at-all}";
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("dst"), HasSubstr(destination_bucket())));
  ExpectFailedRun();
}

TEST_F(BadInput, AMissingSourceBucketIsNamed) {
  task().source_bucket = "ferry-there-is-no-such-bucket";
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("src"), HasSubstr(task().source_bucket)));
  ExpectFailedRun();
}

TEST_F(BadInput, AMissingDestinationBucketIsNamed) {
  task().destination_bucket = "ferry-there-is-no-such-bucket";
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("dst"), HasSubstr(task().destination_bucket)));
  ExpectFailedRun();
}

TEST_F(BadInput, AnEndpointThatNobodyListensOnIsToldWithinHalfAMinute) {
  const test::ClosedPort port;
  config().destination_endpoint = "http://" + port.address();
  config().transfer = "{outage_patience: 30m}";
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(Complaint(kFailed), HasSubstr("dst"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 35s);
  ExpectFailedRun();
}

TEST_F(BadInput, AnEndpointThatSpeaksHtmlIsToldApart) {
  const test::Listener intranet(test::ServeHtml);
  config().source_endpoint = "http://" + intranet.address();
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("src"), HasSubstr(source_bucket())));
  ExpectFailedRun();
}

TEST_F(BadInput, ADestinationThatSpeaksHtmlIsToldApart) {
  const test::Listener intranet(test::ServeHtml);
  config().destination_endpoint = "http://" + intranet.address();
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("dst"), HasSubstr(destination_bucket())));
}

TEST_F(BadInput, ADatabaseThatIsAwayIsToldSoonAndItsPasswordIsNot) {
  const test::ClosedPort port;
  config().database = "postgresql://ferry:password-of-the-database@" + port.address() + "/ferry";
  const auto began = std::chrono::steady_clock::now();
  const std::string line = Complaint(kFailed);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 35s);
  EXPECT_THAT(line, HasSubstr(port.address().substr(port.address().find(':') + 1)));
  EXPECT_THAT(line, Not(HasSubstr("password-of-the-database")));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
}

TEST_F(BadInput, AStateDirectoryThatCannotBeMadeIsNamed) {
  std::ofstream(dir() / "a-file") << "in the way";
  config().state_dir = dir() / "a-file" / "state";
  EXPECT_THAT(Complaint(kUsage), HasSubstr("a-file"));
}

TEST_F(BadInput, AFileInPlaceOfTheStateDirectoryIsNamed) {
  std::ofstream(dir() / "a-file") << "in the way";
  config().state_dir = dir() / "a-file";
  EXPECT_THAT(Complaint(kUsage), HasSubstr("a-file"));
  EXPECT_EQ(test::ReadWholeFile(dir() / "a-file"), "in the way");
}

TEST_F(BadInput, ABucketThatMayBeListedButNotReadNamesEachObject) {
  S3({"src", "put", source_bucket(), "b=10", "large=6000000"});
  S3({"src", "acl", source_bucket(), "public-read"});
  config().source_credentials = "{anonymous: true}";
  const Finished finished = Bucketferry({"run", "--log-level", "error"});
  EXPECT_THAT(finished, ExitsWith(1));
  for (const char* const key : {"a", "b", "large"}) {
    EXPECT_THAT(finished.err, HasSubstr("dead: " + std::string(key) + ": "));
  }
  EXPECT_EQ(LastRun()["state"], "incomplete");
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "");
}

TEST_F(BadInput, ABucketThatMayNotEvenBeListedIsNamed) {
  config().source_credentials = "{anonymous: true}";
  EXPECT_THAT(Complaint(kFailed), AllOf(HasSubstr("src"), HasSubstr(source_bucket())));
  ExpectFailedRun();
}

TEST_F(BadInput, AnEmptyBucketIsComplete) {
  S3({"src", "delete", source_bucket(), "a"});
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["source"], 0);
}

TEST_F(BadInput, OneBadTaskDoesNotStopTheOther) {
  config().tasks.push_back(task());
  config().tasks[1].name = "other";
  config().tasks[1].destination_prefix = "other/";
  config().tasks[0].source_bucket = "ferry-there-is-no-such-bucket";
  EXPECT_THAT(Complaint(kFailed), HasSubstr("ferry-there-is-no-such-bucket"));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "other/a\n");
}

TEST_F(BadInput, ChecksSayWhatIsMissingAndCopyNothing) {
  EXPECT_THAT(Bucketferry({"check"}), ExitsWith(0));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "");
  task().destination_bucket = "ferry-there-is-no-such-bucket";
  const Finished finished = Bucketferry({"check"});
  EXPECT_THAT(finished.exit_code, testing::Ne(0)) << finished;
  EXPECT_THAT(finished.out + finished.err, HasSubstr("ferry-there-is-no-such-bucket"));
}

}  // namespace
}  // namespace ferry
