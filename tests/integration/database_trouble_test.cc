// A database that goes away, comes back, refuses, or stands behind something: the run goes on, or
// ends with exit 3 and rows that say so.
#include <optional>

#include "tests/integration/postgres.h"
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"
#include "tests/support/database_proxy.h"

namespace ferry {
namespace {

using test::Child;
using test::Eventually;
using test::ExitsWith;
using test::Finished;
using test::Json;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kObjects = 60;

class DatabaseTrouble : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    server_.emplace(dir() / "pg", environment());
    proxy_.emplace(environment().at("DST_ENDPOINT"));
    proxy_->Delay(60ms);
    config().destination_endpoint = proxy_->endpoint();
    config().transfer = "{concurrency: 2, lease: 30s, outage_patience: 60s}";
    Connect(server_->uri());
    std::vector<std::string> words = {"src", "put", source_bucket()};
    for (int i = 0; i < kObjects; ++i) words.push_back("small-" + std::to_string(i) + "=100");
    S3(words);
  }
  void Connect(const std::string& uri) { config().database = "\"" + uri + "\""; }

  // A run that has brought some of the objects, and not all.
  std::unique_ptr<Child> StartRun() {
    auto run = Start({"run"});
    EXPECT_TRUE(Eventually([&] { return proxy_->Passed("PUT ").size() >= 8; })) << run->err();
    return run;
  }
  void ExpectAllDoneOnce() {
    const Json run = LastRun();
    EXPECT_EQ(run["state"], "complete");
    EXPECT_EQ(run["objects"]["done"], kObjects);
    EXPECT_EQ(run["objects"]["dead"], 0);
    EXPECT_EQ(run["objects"]["in_flight"], 0);
    EXPECT_EQ(proxy_->Passed("PUT ").size(), static_cast<std::size_t>(kObjects));
    ExpectEqualBuckets();
  }
  // After a process that could not say so any more, its lease has to end.
  void ExpectTheNextRunToComplete() {
    Finished finished;
    EXPECT_TRUE(Eventually(
        [&] {
          finished = Bucketferry({"run"});
          return finished.exit_code != 4;
        },
        90s, 500ms));
    EXPECT_THAT(finished, ExitsWith(0));
    EXPECT_EQ(LastRun()["state"], "complete");
    ExpectEqualBuckets();
  }

  std::optional<test::PrivatePostgres> server_;
  std::optional<test::Proxy> proxy_;
};

TEST_F(DatabaseTrouble, AServerThatIsRestartedIsWaitedFor) {
  const auto run = StartRun();
  server_->Stop("fast");
  server_->Start();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, AServerThatCrashesAndRecoversIsWaitedFor) {
  const auto run = StartRun();
  server_->Stop("immediate");
  server_->Start();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, AServerThatStaysAwayEndsTheRunWithThreeAndTheNextClosesIt) {
  config().transfer = "{concurrency: 2, lease: 10s, outage_patience: 2s}";
  const auto run = StartRun();
  server_->Stop("immediate");
  const Finished finished = Checked(run->Wait());
  EXPECT_THAT(finished, ExitsWith(3));
  EXPECT_THAT(finished.err, HasSubstr("cannot connect to postgresql://postgres@127.0.0.1"));
  server_->Start();
  ExpectTheNextRunToComplete();
  EXPECT_EQ(Runs().back()["state"], "interrupted");
  EXPECT_FALSE(Runs().back()["finished_at"].is_null());
}

TEST_F(DatabaseTrouble, ConnectionsThatAreCutAtCommitLoseNothingAndCountNothingTwice) {
  test::DatabaseProxy cutter(server_->uri());
  Connect("postgresql://postgres@127.0.0.1:" + std::to_string(cutter.port()) +
          "/postgres?sslmode=disable&gssencmode=disable");
  const auto run = StartRun();
  using Cut = test::DatabaseProxy::Cut;
  for (int i = 0; i < 6 && run->IsRunning(); ++i) {
    const int before = cutter.commits();
    cutter.CutCommit(i % 2 == 0 ? Cut::kAfter : Cut::kBefore, 2);
    EXPECT_TRUE(Eventually([&] { return cutter.commits() > before + 4 || !run->IsRunning(); }));
  }
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, AStandbyIsRefusedWithTheReason) {
  proxy_->Delay(0ms);
  ASSERT_THAT(Bucketferry({"migrate"}), ExitsWith(0));
  const test::PrivatePostgres standby(dir() / "standby", environment(), &*server_);
  Connect(standby.uri());
  const Finished finished = Bucketferry({"run"}, 40s);
  EXPECT_THAT(finished, ExitsWith(3));
  EXPECT_THAT(finished.err, HasSubstr("read-only"));
  EXPECT_TRUE(proxy_->Passed("PUT ").empty());
  Connect(server_->uri());
  ExpectTheNextRunToComplete();
}

TEST_F(DatabaseTrouble, AStandbyThatBecomesThePrimaryInMidRunIsGoneOnWith) {
  ASSERT_THAT(Bucketferry({"migrate"}), ExitsWith(0));
  test::PrivatePostgres standby(dir() / "standby", environment(), &*server_);
  // No commit is told of that the standby does not have.
  server_->Configure("synchronous_standby_names = '*'");
  Connect("postgresql://postgres@127.0.0.1:" + std::to_string(server_->port()) +
          ",127.0.0.1:" + std::to_string(standby.port()) +
          "/postgres?sslmode=disable&target_session_attrs=read-write");
  const auto run = StartRun();
  server_->Stop("immediate");
  standby.Promote();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, AFullDiskIsWaitedForUntilThereIsRoom) {
  const test::SmallDisk disk(dir() / "disk", environment());
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a file system";
  test::PrivatePostgres server(dir() / "disk" / "pg", environment());
  Connect(server.uri());
  ASSERT_THAT(Bucketferry({"migrate"}), ExitsWith(0));
  disk.Fill();
  const auto run = Start({"run"});
  EXPECT_TRUE(Eventually([&] {
    return run->err().find("No space left on device") != std::string::npos;
  })) << run->err();
  disk.MakeRoom();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, ConnectionsThatAreRefusedForAWhileAreWaitedFor) {
  server_->Sql("create role ferry login");
  server_->Sql("grant create on database postgres to ferry");
  Connect("postgresql://ferry@127.0.0.1:" + std::to_string(server_->port()) +
          "/postgres?sslmode=disable");
  const auto run = StartRun();
  server_->Sql("alter role ferry connection limit 0");
  server_->Sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'ferry'");
  EXPECT_TRUE(Eventually([&] {
    return run->err().find("too many connections for role") != std::string::npos;
  })) << run->err();
  server_->Sql("alter role ferry connection limit -1");
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, ANewerProgramsSchemaStopsAWorkerAtItsNextClaim) {
  config().transfer = "{concurrency: 2, lease: 10s, outage_patience: 60s}";
  const auto run = StartRun();
  server_->Sql(
      "insert into bucketferry.migration (id, name, breaking) values (9999, 'later', true)");
  const Finished finished = Checked(run->Wait());
  EXPECT_THAT(finished, ExitsWith(3));
  EXPECT_THAT(finished.err, HasSubstr("a newer program brought the schema to version 9999"));
  EXPECT_LT(proxy_->Passed("PUT ").size(), static_cast<std::size_t>(kObjects));
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(2));
  server_->Sql("delete from bucketferry.migration where id = 9999");
  ExpectTheNextRunToComplete();
}

TEST_F(DatabaseTrouble, ASnapshotThatIsHeldOpenForTheWholeRunHindersNothing) {
  proxy_->Delay(0ms);
  ASSERT_THAT(Bucketferry({"migrate"}), ExitsWith(0));
  pg::Session session({.uri = server_->uri(), .application_name = "test"});
  pg::Transaction holder(session, {.isolation = pg::Isolation::kSnapshot});
  holder.ExecuteText("select count(*) from bucketferry.job");
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectAllDoneOnce();
}

TEST_F(DatabaseTrouble, ATransactionPoolerMayStandInBetween) {
  const test::PgBouncer pooler(dir() / "pooler", environment(), *server_);
  Connect(pooler.uri());
  S3({"src", "put", source_bucket(), "large=23000000"});
  config().transfer = "{part_size: 5MiB, multipart_threshold: 5MiB, concurrency: 4}";
  Finished planned;
  EXPECT_TRUE(Eventually([&] {
    planned = Bucketferry({"plan"});
    return planned.exit_code == 0;
  })) << planned
      << pooler.err();
  const auto one = Start({"work"});
  const auto two = Start({"work"});
  EXPECT_THAT(Checked(one->Wait()), ExitsWith(0));
  EXPECT_THAT(Checked(two->Wait()), ExitsWith(0));
  EXPECT_EQ(LastRun()["state"], "complete");
  EXPECT_EQ(LastObjects("done"), kObjects + 1);
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(LastObjects("planned"), 0);
  ExpectEqualBuckets();
}

}  // namespace
}  // namespace ferry
