// Sources that change while they are copied, and the three ways to say which version is meant.
#include <optional>

#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::Child;
using test::Eventually;
using test::ExitsWith;
using test::Json;
using namespace std::chrono_literals;

constexpr const char* kLarge = "60000000";  // 12 parts of 5 MiB

class Versions : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    source_.emplace(environment().at("SRC_ENDPOINT"));
    destination_.emplace(environment().at("DST_ENDPOINT"));
    config().source_endpoint = source_->endpoint();
    config().destination_endpoint = destination_->endpoint();
    config().transfer = Transfer("max_attempts: 5");
  }

  // One part at a time: of those that follow a change none was read before it.
  static std::string Transfer(const std::string& more) {
    return "{part_size: 5MiB, multipart_threshold: 5MiB, concurrency: 1, " + more + "}";
  }

  void Put(const std::string& key, const std::string& bytes) {
    S3({"src", "put", source_bucket(), key + "=" + bytes});
  }
  void KeepVersions(const std::string& status = "Enabled") {
    S3({"src", "versioning", source_bucket(), status});
  }
  std::string CurrentVersion(const std::string& key) {
    return S3({"src", "version", source_bucket(), key});
  }
  void ExpectNothingOpen() { EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), ""); }

  // The newest history of a key.
  Json Job(const std::string& key) {
    const test::Finished jobs = Bucketferry({"jobs", "--json", "--key", key});
    EXPECT_THAT(jobs, ExitsWith(0));
    return Json::parse(jobs.out.substr(0, jobs.out.find('\n')), nullptr, false);
  }

  // Runs `words` and lets `change` happen when three parts of an object are sent and no more pass.
  void RunAndChangeBetweenParts(const std::vector<std::string>& words, int processes,
                                const std::function<void()>& change) {
    destination_->Hold("partNumber=", 3);
    std::vector<std::unique_ptr<Child>> running;
    for (int i = 0; i < processes; ++i) running.push_back(Start(words));
    // Each process has read a part more, which waits to be written.
    const std::string get = "GET /" + source_bucket() + "/large";
    const auto read = static_cast<std::size_t>(3 + processes);
    ASSERT_TRUE(Eventually([&] {
      return destination_->Passed("partNumber=").size() == 3 && source_->Passed(get).size() == read;
    }));
    change();
    destination_->Release();
    for (const auto& one : running) EXPECT_THAT(Checked(one->Wait(90s)), ExitsWith(0));
  }

  std::optional<test::Proxy> source_;
  std::optional<test::Proxy> destination_;
};

TEST_F(Versions, AnOverwriteInTheSameSizeBetweenPartsIsNeverMixedThoughWorkersShareTheParts) {
  Put("large", kLarge);
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 2, [&] { Put("large", kLarge); });
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
  ExpectNothingOpen();
}

TEST_F(Versions, AnObjectThatGoesBetweenPartsHasVanishedAndIsNoFailure) {
  config().transfer = Transfer("max_attempts: 1");
  Put("large", kLarge);
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 1, [&] { S3({"src", "delete", source_bucket(), "large"}); });
  EXPECT_EQ(LastObjects("vanished"), 1);
  EXPECT_EQ(LastRun()["state"], "complete");
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
  ExpectNothingOpen();
}

TEST_F(Versions, AnObjectThatGoesAndComesAgainIsBroughtAsItCameAgain) {
  Put("large", kLarge);
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 1, [&] {
    S3({"src", "delete", source_bucket(), "large"});
    Put("large", kLarge);
  });
  ExpectEqualBuckets();
  ExpectNothingOpen();
}

TEST_F(Versions, ASourceThatKeepsChangingIsDeadAndSaysSo) {
  config().transfer = Transfer("max_attempts: 3");
  Put("large", "6000000");
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  const std::string get = "GET /" + source_bucket() + "/large";
  source_->Hold(get, 0);
  const auto work = Start({"work"});
  for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
    // It was examined; its parts are not read yet.
    ASSERT_TRUE(Eventually([&] { return destination_->Passed("?uploads").size() == attempt; }))
        << work->err();
    Put("large", "6000000");
    source_->Hold(get, 1);
  }
  EXPECT_THAT(Checked(work->Wait(60s)), ExitsWith(1));
  EXPECT_EQ(LastRun()["state"], "incomplete");
  const Json job = Job("large");
  EXPECT_EQ(job["state"], "dead");
  EXPECT_EQ(job["attempts"], 3);
  EXPECT_THAT(job["error"].get<std::string>(),
              testing::StartsWith("the source kept changing while it was copied"));
  source_->Release();
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
  ExpectNothingOpen();
}

TEST_F(Versions, APinnedVersionIsBroughtWholeThoughItIsOverwrittenAndTheNextRunBringsTheNewer) {
  KeepVersions();
  task().more = ", versions: pinned";
  S3({"src", "put_marked", source_bucket(), "large", kLarge, "old"});
  const std::string old = CurrentVersion("large");
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 2, [&] {
    S3({"src", "put_marked", source_bucket(), "large", kLarge, "new"});
  });
  EXPECT_EQ(destination_->Passed("?uploads").size(), 1U);
  EXPECT_EQ(destination_->Passed("partNumber=").size(), 12U) << "it started over";
  EXPECT_EQ(Job("large")["source_version"], old);
  // Bytes, metadata and tags are all of the old one.
  EXPECT_EQ(S3({"dst", "describe", destination_bucket(), "large"}),
            S3({"src", "describe", source_bucket(), "large", old}));
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("done"), 1);
  EXPECT_EQ(Job("large")["source_version"], CurrentVersion("large"));
  ExpectEqualBuckets();
}

TEST_F(Versions, APinnedVersionThatIsDeletedForGoodGivesWayToTheCurrentOne) {
  KeepVersions();
  task().more = ", versions: pinned";
  Put("large", kLarge);
  const std::string old = CurrentVersion("large");
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 1, [&] {
    Put("large", kLarge);
    S3({"src", "delete_version", source_bucket(), "large", old});
  });
  EXPECT_EQ(LastObjects("done"), 1);
  EXPECT_EQ(Job("large")["source_version"], CurrentVersion("large"));
  ExpectEqualBuckets();
  ExpectNothingOpen();
}

TEST_F(Versions, ANullVersionThatIsWrittenAgainBetweenPartsIsNeverMixed) {
  KeepVersions();
  Put("large", kLarge);
  KeepVersions("Suspended");
  Put("large", kLarge);
  task().more = ", versions: pinned";
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  RunAndChangeBetweenParts({"work"}, 1, [&] { Put("large", kLarge); });
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
  ExpectNothingOpen();
}

TEST_F(Versions, ComparedVersionsMakeANewUploadOfTheSameBytesACopy) {
  KeepVersions();
  S3({"src", "put_marked", source_bucket(), "a+ b%20", "1000", "old"});
  Put("deleted", "10");
  S3({"src", "delete", source_bucket(), "deleted"});
  for (int i = 0; i < 5; ++i) Put("often", "100");
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("done"), 2);

  task().more = ", versions: compared";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("source"), 2);
  EXPECT_EQ(LastObjects("planned"), 0) << "the change of the option copied again";

  S3({"src", "mark_again", source_bucket(), "a+ b%20", "new"});
  EXPECT_THAT(Bucketferry({"run", "--dry-run"}).out,
              testing::HasSubstr("copy a+ b%20 (source_changed"));
  EXPECT_THAT(Bucketferry({"explain", "a+ b%20"}).out, testing::HasSubstr("copy (source_changed)"));
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("done"), 1);
  ExpectEqualBuckets();
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("planned"), 0);
  EXPECT_THAT(Bucketferry({"verify", "--deep"}), ExitsWith(0));
  EXPECT_THAT(Bucketferry({"check"}).out, testing::HasSubstr("list versions"));
}

TEST_F(Versions, ComparedVersionsOfABucketThatNeverKeptAnyAreItsObjects) {
  Put("a", "10");
  task().more = ", versions: compared";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("done"), 1);
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("planned"), 0);
  ExpectEqualBuckets();
}

}  // namespace
}  // namespace ferry
