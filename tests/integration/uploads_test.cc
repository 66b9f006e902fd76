// Multipart uploads when answers are lost, processes die, and hosts and databases change.
#include <optional>
#include <set>
#include <sstream>

#include "batch/base/error.h"
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::Eventually;
using test::ExitsWith;
using test::Finished;
using test::Json;
using namespace std::chrono_literals;

constexpr const char* kLarge = "14000000";  // 3 parts of 5 MiB
constexpr const char* kCreate = "?uploads";
constexpr const char* kComplete = "?uploadId=";  // without a part number: the first of its kind

class Uploads : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    proxy_.emplace(environment().at("DST_ENDPOINT"));
    config().destination_endpoint = proxy_->endpoint();
    config().transfer = "{part_size: 5MiB, multipart_threshold: 5MiB, lease: 10s, concurrency: 1}";
  }

  void PutLarge() { S3({"src", "put", source_bucket(), "large=" + std::string(kLarge)}); }
  // The keys that have an open upload at the destination, a line each.
  std::string Open() { return S3({"dst", "uploads", destination_bucket()}); }
  std::int64_t Rows() { return Number("select count(*) as n from bucketferry.upload"); }
  // None while there is no table yet.
  std::int64_t DoneParts() try {
    return Number("select count(*) as n from bucketferry.part where state = 'done'");
  } catch (const Error&) {
    return 0;
  }
  std::multiset<int> SentParts() {
    std::multiset<int> numbers;
    for (const std::string& line : proxy_->Passed("partNumber=")) {
      numbers.insert(std::stoi(line.substr(line.find("partNumber=") + 11)));
    }
    return numbers;
  }
  Finished RunOnceTheLeaseIsOver() {
    Finished finished;
    Eventually(
        [&] {
          finished = Bucketferry({"run"});
          return finished.exit_code != 4;
        },
        60s, 500ms);
    return finished;
  }
  void Kill(test::Child& run) {
    run.Signal(SIGKILL);
    EXPECT_THAT(run.Wait(), ExitsWith(-SIGKILL));
    proxy_->Disconnect();
    proxy_->Release();
  }

  std::optional<test::Proxy> proxy_;
};

TEST_F(Uploads, AnUploadOfWhichNoAnswerCameIsEndedByTheNextAttemptAndOthersAreNot) {
  PutLarge();
  S3({"dst", "begin", destination_bucket(), "large", "large-too"});  // somebody else's
  proxy_->LoseAnswers(kCreate, 2, test::Proxy::Lost::kCut);
  const Finished run = Bucketferry({"run"});
  EXPECT_THAT(run, ExitsWith(0));
  EXPECT_EQ(proxy_->Passed(kCreate).size(), 3U) << "a lost Create was repeated unheard";
  std::set<std::string> left;
  std::istringstream lines(Open());
  for (std::string line; std::getline(lines, line);) left.insert(line);
  EXPECT_EQ(left, (std::set<std::string>{"large", "large-too"}));
  EXPECT_EQ(Rows(), 0) << run.err;
  EXPECT_EQ(SentParts().size(), 3U);
}

TEST_F(Uploads, AnUploadOfAKilledProcessThatHeardNoAnswerIsEndedByTheNextRun) {
  PutLarge();
  proxy_->LoseAnswers(kCreate, 1, test::Proxy::Lost::kSilent);
  const auto killed = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return Open() == "large\n"; })) << killed->err();
  Kill(*killed);
  const Finished run = RunOnceTheLeaseIsOver();
  EXPECT_THAT(run, ExitsWith(0));
  EXPECT_EQ(Open(), "");
  EXPECT_EQ(Rows(), 0) << run.err;
  ExpectEqualBuckets();
}

TEST_F(Uploads, AnObjectThatIsNoMoreAtTheSourceLeavesNoUpload) {
  PutLarge();
  proxy_->Hold("partNumber=", 1);
  const auto killed = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return DoneParts() == 1; })) << killed->err();
  EXPECT_EQ(Open(), "large\n");
  Kill(*killed);
  S3({"src", "delete", source_bucket(), "large"});
  const Finished run = RunOnceTheLeaseIsOver();
  EXPECT_THAT(run, ExitsWith(0));
  EXPECT_EQ(Open(), "");
  EXPECT_EQ(Rows(), 0) << run.err;
}

TEST_F(Uploads, ALostAnswerOfCompleteIsSettledByWhatIsThere) {
  PutLarge();
  proxy_->LoseAnswers(kComplete, 1, test::Proxy::Lost::kCut);
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(SentParts(), (std::multiset<int>{1, 2, 3}));
  EXPECT_EQ(LastRun()["objects"]["done"], 1);
  EXPECT_EQ(Number("select attempts as n from bucketferry.job"), 0);
  EXPECT_EQ(Open(), "");
  ExpectEqualBuckets();
}

TEST_F(Uploads, APartThatAnotherAttemptReplacedIsSentAgainAndNoOther) {
  PutLarge();
  proxy_->Hold(kComplete, 0);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return DoneParts() == 3; })) << run->err();
  S3({"dst", "replace_part", destination_bucket(), "large", "2"});
  proxy_->Release();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  EXPECT_EQ(SentParts(), (std::multiset<int>{1, 2, 2, 3}));
  EXPECT_EQ(proxy_->Passed(kCreate).size(), 1U);
  ExpectEqualBuckets();
}

TEST_F(Uploads, NoRecordedPartIsSentTwiceWhenDatabaseConnectionsAreCut) {
  PutLarge();
  proxy_->Hold("partNumber=", 2);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return DoneParts() == 2; })) << run->err();
  EXPECT_GT(Number("select count(pg_terminate_backend(pid)) as n from pg_stat_activity"
                   " where pid <> pg_backend_pid() and backend_type = 'client backend'"),
            0);
  proxy_->Release();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  EXPECT_EQ(SentParts(), (std::multiset<int>{1, 2, 3}));
  EXPECT_EQ(LastRun()["state"], "complete");
  ExpectEqualBuckets();
}

TEST_F(Uploads, AnotherHostWithTheSameDatabaseGoesOnWithTheUpload) {
  const pg::EmbeddedServer server(dir() / "shared");
  environment()["BUCKETFERRY_DATABASE"] = server.uri();
  const auto done = [&] {
    try {
      pg::Session session({.uri = server.uri(), .application_name = "test"});
      return session.Transact([&](pg::Transaction& tx) {
        return tx.ExecuteText("select count(*) as n from bucketferry.part where state = 'done'")
            .One()
            .Get<std::int64_t>("n");
      });
    } catch (const Error&) {
      return std::int64_t{0};
    }
  };
  PutLarge();
  proxy_->Hold("partNumber=", 2);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return done() == 2; })) << run->err();
  Kill(*run);
  config().state_dir = dir() / "other-host";
  // An upload keeps its part size, whatever the configuration says now.
  config().transfer = "{part_size: 6MiB, multipart_threshold: 32MiB, lease: 10s}";
  EXPECT_THAT(RunOnceTheLeaseIsOver(), ExitsWith(0));
  EXPECT_EQ(SentParts(), (std::multiset<int>{1, 2, 3}));
  EXPECT_EQ(proxy_->Passed(kCreate).size(), 1U);
  ExpectEqualBuckets();
  EXPECT_EQ(Open(), "");
}

}  // namespace
}  // namespace ferry
