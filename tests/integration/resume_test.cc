// Runs that end before their time, runs that meet, and workers side by side.
#include <optional>
#include <set>

#include "batch/base/error.h"
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::Child;
using test::Eventually;
using test::ExitsWith;
using test::Finished;
using test::Json;
using namespace std::chrono_literals;

constexpr const char* kLarge = "60000000";  // 12 parts of 5 MiB

class Resume : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    proxy_.emplace(environment().at("DST_ENDPOINT"));
    config().destination_endpoint = proxy_->endpoint();
  }

  void PutSmallObjects(int count) {
    std::vector<std::string> words = {"src", "put", source_bucket()};
    for (int i = 0; i < count; ++i) words.push_back("small-" + std::to_string(i) + "=100");
    S3(words);
  }

  // None while there is no table yet.
  std::int64_t DoneParts() try {
    if (!pg::EmbeddedServerExists(config().state_dir)) return 0;
    return Number("select count(*) as n from bucketferry.part where state = 'done'");
  } catch (const Error&) {
    return 0;
  }

  // After kill -9 the lease has to end before the next run may begin.
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

  // The numbers of the parts that passed the proxy.
  std::multiset<int> SentParts() {
    std::multiset<int> numbers;
    for (const std::string& line : proxy_->Passed("partNumber=")) {
      numbers.insert(std::stoi(line.substr(line.find("partNumber=") + 11)));
    }
    return numbers;
  }

  std::optional<test::Proxy> proxy_;
};

TEST_F(Resume, SendsNoRecordedPartTwiceAfterKill) {
  S3({"src", "put", source_bucket(), "large=" + std::string(kLarge), "small=10"});
  proxy_->Hold("partNumber=", 5);
  {
    const auto run = Start({"run"});
    ASSERT_TRUE(Eventually([&] { return proxy_->Passed("partNumber=").size() == 5; }))
        << run->err();
    ASSERT_TRUE(Eventually([&] { return DoneParts() == 5; })) << run->err();
    run->Signal(SIGKILL);
    EXPECT_THAT(run->Wait(), ExitsWith(-SIGKILL));
  }
  const std::multiset<int> first = SentParts();
  proxy_->Disconnect();
  proxy_->Forget();
  proxy_->Release();

  EXPECT_THAT(RunOnceTheLeaseIsOver(), ExitsWith(0));
  const std::multiset<int> second = SentParts();
  EXPECT_EQ(second.size(), 7u) << testing::PrintToString(second);
  for (const int number : second) EXPECT_EQ(first.count(number), 0u) << "part " << number;
  EXPECT_TRUE(proxy_->Passed("?uploads").empty()) << "began a new upload";
  ExpectEqualBuckets();
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "");
  const Json runs = Runs();
  EXPECT_EQ(runs.front()["state"], "complete");
  EXPECT_EQ(runs.back()["state"], "interrupted");
}

TEST_F(Resume, SendsNoRecordedPartTwiceAfterTerm) {
  S3({"src", "put", source_bucket(), "large=" + std::string(kLarge)});
  proxy_->Delay(150ms);
  config().transfer = "{part_size: 5MiB, multipart_threshold: 5MiB, concurrency: 1}";
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return DoneParts() >= 2; })) << run->err();
  run->Signal(SIGTERM);
  EXPECT_THAT(Checked(run->Wait(40s)), ExitsWith(5));
  const std::size_t sent = SentParts().size();
  EXPECT_LT(sent, 12u) << "it was not stopped in time to test anything";
  proxy_->Delay(0ms);

  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(SentParts().size(), 12u);
  EXPECT_EQ(proxy_->Passed("?uploads").size(), 1u);
  ExpectEqualBuckets();
}

TEST_F(Resume, BeginsAnewWhenTheSourceChangedMeanwhile) {
  S3({"src", "put", source_bucket(), "large=" + std::string(kLarge)});
  proxy_->Hold("partNumber=", 3);
  {
    const auto run = Start({"run"});
    ASSERT_TRUE(Eventually([&] { return DoneParts() == 3; })) << run->err();
    run->Signal(SIGKILL);
    run->Wait();
  }
  S3({"src", "put", source_bucket(), "large=" + std::string(kLarge)});
  proxy_->Disconnect();
  proxy_->Forget();
  proxy_->Release();
  EXPECT_THAT(RunOnceTheLeaseIsOver(), ExitsWith(0));
  EXPECT_EQ(SentParts().size(), 12u);
  ExpectEqualBuckets();
  EXPECT_EQ(S3({"dst", "uploads", destination_bucket()}), "") << "the old upload is still open";
}

TEST_F(Resume, StopsOnTermAndGoesOnNextTime) {
  PutSmallObjects(200);
  proxy_->Delay(40ms);
  config().transfer = "{concurrency: 2}";
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return proxy_->Passed("PUT ").size() >= 10; })) << run->err();
  run->Signal(SIGTERM);
  EXPECT_THAT(Checked(run->Wait(40s)), ExitsWith(5));
  const Json first = LastRun();
  EXPECT_EQ(first["state"], "interrupted");
  EXPECT_GE(first["objects"]["done"], 8);
  EXPECT_LT(first["objects"]["done"], 200);
  EXPECT_EQ(first["objects"]["dead"], 0);
  EXPECT_EQ(first["objects"]["in_flight"], 0);
  proxy_->Delay(0ms);

  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
  EXPECT_EQ(proxy_->Passed("PUT ").size(), 200u) << "something was sent twice, or not at all";
  const Json runs = Runs();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["state"], "complete");
  EXPECT_EQ(runs[1]["state"], "interrupted");
  EXPECT_FALSE(runs[1]["finished_at"].is_null());
}

TEST_F(Resume, StopsOnInterruptWithinItsGraceAlthoughTheServerHangs) {
  PutSmallObjects(4);
  proxy_->Hold("PUT ", 1);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return proxy_->Passed("PUT ").size() == 1; })) << run->err();
  run->Signal(SIGINT);
  EXPECT_THAT(Checked(run->Wait(40s)), ExitsWith(5));
  EXPECT_EQ(LastRun()["state"], "interrupted");
  proxy_->Release();
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
}

TEST_F(Resume, StopsWhenTheTimeOfForIsOver) {
  PutSmallObjects(100);
  proxy_->Delay(100ms);
  config().transfer = "{concurrency: 1}";
  EXPECT_THAT(Bucketferry({"run", "--for", "2s"}), ExitsWith(5));
  EXPECT_EQ(LastRun()["state"], "interrupted");
  proxy_->Delay(0ms);
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
}

TEST_F(Resume, ClosesTheRunOfAKilledProcessAndCompletes) {
  PutSmallObjects(50);
  proxy_->Hold("PUT ", 20);
  {
    const auto run = Start({"run"});
    ASSERT_TRUE(Eventually([&] { return LastObjects("done") == 20; })) << run->err();
    run->Signal(SIGKILL);
    run->Wait();
  }
  proxy_->Disconnect();
  proxy_->Release();
  EXPECT_THAT(RunOnceTheLeaseIsOver(), ExitsWith(0));
  ExpectEqualBuckets();
  const Json runs = Runs();
  EXPECT_EQ(runs.front()["objects"]["done"], 30);
  EXPECT_EQ(runs.back()["state"], "interrupted");
  EXPECT_FALSE(runs.back()["finished_at"].is_null());
}

TEST_F(Resume, SkipsARunWhileAnotherIsGoing) {
  PutSmallObjects(5);
  proxy_->Hold("PUT ", 2);
  const auto first = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return proxy_->Passed("PUT ").size() == 2; })) << first->err();
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(4));
  EXPECT_THAT(Bucketferry({"plan"}), ExitsWith(4));
  Json runs = Runs();
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0]["state"], "skipped");
  EXPECT_EQ(runs[1]["state"], "skipped");
  EXPECT_EQ(runs[2]["state"], "copying");
  proxy_->Release();
  EXPECT_THAT(Checked(first->Wait()), ExitsWith(0));
  EXPECT_EQ(Runs()[2]["state"], "complete");
  ExpectEqualBuckets();
}

TEST_F(Resume, TwoWorkersDrainOnePlan) {
  PutSmallObjects(120);
  S3({"src", "put", source_bucket(), "large=23000000"});
  config().transfer = "{part_size: 5MiB, multipart_threshold: 5MiB, concurrency: 2}";
  ASSERT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  const Json planned = LastRun();
  EXPECT_EQ(planned["objects"]["pending"], 121);
  EXPECT_EQ(planned["objects"]["done"], 0);
  proxy_->Delay(30ms);
  const auto one = Start({"work", "--log-level", "debug"});
  const auto two = Start({"work", "--log-level", "debug"});
  const Finished first = Checked(one->Wait());
  const Finished second = Checked(two->Wait());
  EXPECT_THAT(first, ExitsWith(0));
  EXPECT_THAT(second, ExitsWith(0));
  EXPECT_THAT(first.err, testing::HasSubstr("object done"));
  EXPECT_THAT(second.err, testing::HasSubstr("object done"));
  const Json run = LastRun();
  EXPECT_EQ(run["state"], "complete");
  EXPECT_EQ(run["objects"]["done"], 121);
  EXPECT_EQ(proxy_->Passed("/small-").size(), 120u) << "something was sent twice";
  EXPECT_EQ(SentParts().size(), 5u);
  ExpectEqualBuckets();
}

TEST_F(Resume, GoesOnAfterADestinationThatWasAwayForAWhile) {
  PutSmallObjects(30);
  config().transfer = "{concurrency: 2, outage_patience: 60s}";
  proxy_->Delay(50ms);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return proxy_->Passed("PUT ").size() >= 5; })) << run->err();
  proxy_->Refuse(true);
  ASSERT_TRUE(Eventually([&] { return proxy_->refused() >= 3; })) << run->err();
  proxy_->Refuse(false);
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  EXPECT_EQ(LastObjects("dead"), 0);
  ExpectEqualBuckets();
}

}  // namespace
}  // namespace ferry
