// Configured stores: what becomes of an address, and of a store that throttles.
#include "batch/app/stores.h"

#include <gtest/gtest.h>

#include "batch/app/task_parts.h"
#include "batch/pg/migrator.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"
#include "tests/support/test_database.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

TEST(LocationOf, LeavesOutWhatTheProviderImplies) {
  StoreConfig store;
  store.provider = FindProvider("aws");
  store.region = "eu-west-1";
  store.endpoint = ParseEndpoint("https://s3.eu-west-1.amazonaws.com");
  store.implied_endpoint = true;
  EXPECT_EQ(LocationOf(store).endpoint, "");
  store.implied_endpoint = false;
  EXPECT_EQ(LocationOf(store).endpoint, store.endpoint.Url());
}

// Two processes with one configuration and one database.
class ThrottledStoresTest : public testing::Test {
 protected:
  ThrottledStoresTest() {
    pg::EnsureSchema(session_, pg::SchemaPolicy::kMigrate);
    session_.Transact(
        [](pg::Transaction& tx) { tx.Execute("queries/register_worker", "host", 1, 60'000); });
  }
  ~ThrottledStoresTest() override { runner_.Stop(); }

  Config MakeConfig() const {
    Config config;
    for (const auto& [name, url] : {std::pair("far", far_.url()), std::pair("near", near_.url())}) {
      StoreConfig store;
      store.name = name;
      store.region = "us-east-1";
      store.endpoint = ParseEndpoint(url);
      store.credentials.kind = CredentialsConfig::Kind::kAnonymous;
      config.stores.push_back(store);
    }
    TaskConfig task;
    task.name = "media";
    task.source = {"far", "src", ""};
    task.destination = {"near", "dst", ""};
    config.tasks.push_back(task);
    return config;
  }
  // One write of process `one_`; what flows is sent once.
  std::string Put() {
    PutRequest put;
    put.key = Key("k");
    put.body = "abc";
    put.bytes = 3;
    return test::KindOf([&] { runner_.Await([&] { return ends_->ends().destination.Put(put); }); });
  }

  test::TestDatabase database_;
  pg::Session session_{database_.options()};
  test::ScriptedHttpServer far_, near_;
  test::LoopRunner runner_;
  ProcessEnvironment environment_;
  const Config config_ = MakeConfig();
  Stores one_{config_, environment_, runner_.clock()};
  Stores two_{config_, environment_, runner_.clock()};
  std::unique_ptr<TaskEnds> ends_ = one_.Make(runner_.loop(), "media");
};

TEST_F(ThrottledStoresTest, EveryProcessStartsLessOnceOneWasThrottled) {
  const int most = two_.InFlightMax("media");
  EXPECT_GE(most, WorkerOptionsOf(config_.transfer).concurrency);
  one_.ShareThrottles(session_);
  two_.ShareThrottles(session_);
  EXPECT_EQ(two_.InFlightMax("media"), most);
  near_.Answer({.bytes = test::HttpText(503)});
  EXPECT_EQ(Put(), "throttled");
  EXPECT_EQ(one_.InFlightMax("media"), 2);     // one at each side
  EXPECT_EQ(two_.InFlightMax("media"), most);  // knows nothing of it yet
  one_.ShareThrottles(session_);
  two_.ShareThrottles(session_);
  EXPECT_LE(two_.InFlightMax("media"), 4);
}

TEST_F(ThrottledStoresTest, OneThrottlingIsToldOnce) {
  near_.Answer({.bytes = test::HttpText(503)});
  Put();
  one_.ShareThrottles(session_);
  const auto written = [&] {
    return session_.Transact([](pg::Transaction& tx) {
      return tx.ExecuteText("select throttled_at::text as v from bucketferry.throttle")
          .One()
          .Get<std::string>("v");
    });
  };
  const std::string first = written();
  one_.ShareThrottles(session_);
  EXPECT_EQ(written(), first);
}

TEST_F(ThrottledStoresTest, APartIsNotSentAgainOnceTheBudgetIsSpent) {
  int allowed = 0;
  while (allowed < 1000 && ends_->MayRetry(Side::kDestination)) allowed += 1;
  EXPECT_GE(allowed, RetryBudget::kSavedMax);
  EXPECT_LT(allowed, 1000);
  EXPECT_TRUE(ends_->MayRetry(Side::kSource));  // another endpoint
}

// What is learnt of checksums at a destination is of the kind that was asked for.
TEST(StoresTest, TasksThatAskForDifferentChecksumsLearnApart) {
  Config config;
  StoreConfig store;
  store.name = "a";
  store.provider = FindProvider("aws");
  store.region = "eu-west-1";
  store.endpoint = ParseEndpoint("http://127.0.0.1:1");
  store.credentials.kind = CredentialsConfig::Kind::kAnonymous;
  config.stores.push_back(store);
  for (const auto& [name, prefix] :
       {std::pair("auto", "1/"), std::pair("sha256", "2/"), std::pair("also", "3/")}) {
    TaskConfig task;
    task.name = name;
    task.source = {"a", "src", ""};
    task.destination = {"a", "dst", prefix};
    if (task.name != "auto") {
      task.write.checksum = {ChecksumRule::Kind::kNamed, DigestKind::kSha256};
    }
    config.tasks.push_back(task);
  }
  ProcessEnvironment environment;
  test::LoopRunner runner;
  {
    Stores stores(config, environment, runner.clock());
    const auto one = stores.Make(runner.loop(), "auto");
    const auto two = stores.Make(runner.loop(), "sha256");
    const auto three = stores.Make(runner.loop(), "also");
    EXPECT_EQ(one->ends().destination_provider.checksum, DigestKind::kCrc64Nvme);
    EXPECT_EQ(two->ends().destination_provider.checksum, DigestKind::kSha256);
    EXPECT_NE(one->ends().checksums, two->ends().checksums);
    EXPECT_EQ(two->ends().checksums, three->ends().checksums);
    EXPECT_EQ(one->ends().tag_losses, two->ends().tag_losses);
    runner.Stop();
  }
}

}  // namespace
}  // namespace ferry
