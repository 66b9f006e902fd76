#include "exporter/database.h"

#include <Poco/Net/ServerSocket.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "batch/base/error.h"
#include "batch/pg/file_lock.h"
#include "exporter/read_snapshot.h"
#include "tests/exporter/exporter_fixture.h"
#include "tests/support/test_database.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;

class EmbeddedDatabaseTest : public testing::Test {
 protected:
  EmbeddedDatabaseTest() { config_.state_dir = std::filesystem::path(dir_.path()) / "state"; }

  ~EmbeddedDatabaseTest() override {
    const std::filesystem::path lock = Cluster() / "server.lock";
    database_.reset();
    // Its files can go once the server has.
    if (!std::filesystem::exists(lock)) return;
    pg::FileLock(lock).WaitFor(pg::FileLock::Mode::kExclusive, 30s);
  }

  std::filesystem::path Cluster() const { return config_.state_dir / "postgres"; }
  SteadyTime In(std::chrono::seconds time) const { return clock_.SteadyNow() + time; }

  SystemClock clock_;
  test::TemporaryDir dir_;
  Config config_ = test::MakeConfig({"media"});
  std::unique_ptr<Database> database_ = std::make_unique<Database>(config_, clock_);
};

TEST_F(EmbeddedDatabaseTest, IsTriedAgainAfterItCouldNotBeOpened) {
  std::ofstream(config_.state_dir) << "not a directory";
  EXPECT_THROW(database_->Connect(In(30s)), Error);
  EXPECT_THROW(database_->Connect(In(30s)), Error);
  std::filesystem::remove(config_.state_dir);
  EXPECT_TRUE(database_->Connect(In(30s))->IsOpen());
}

TEST_F(EmbeddedDatabaseTest, StartsWhileScrapesSayThatItDoes) {
  const SteadyTime started = clock_.SteadyNow();
  EXPECT_THROW(database_->Connect(clock_.SteadyNow() + 10ms), Error);
  EXPECT_LT(clock_.SteadyNow() - started, 1s);
  EXPECT_TRUE(database_->Connect(In(30s))->IsOpen());
}

TEST_F(EmbeddedDatabaseTest, ComesBackAfterTheServerWasKilled) {
  EXPECT_TRUE(database_->Connect(In(30s))->IsOpen());
  pid_t postmaster = 0;
  std::ifstream(Cluster() / "data" / "postmaster.pid") >> postmaster;
  ASSERT_GT(postmaster, 1);
  kill(postmaster, SIGKILL);
  EXPECT_TRUE(database_->Connect(In(30s))->IsOpen());
}

// A full backlog, a paused process: the connection is there, the answer never comes.
TEST(ExternalDatabase, ThatNeverAnswersLeavesNoNumbers) {
  const Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
  Config config = test::MakeConfig({"media"});
  config.database.kind = DatabaseConfig::Kind::kExternal;
  config.database.uri =
      Secret("postgresql://u@127.0.0.1:" + std::to_string(silent.address().port()) + "/d");
  SystemClock clock;
  Database database(config, clock);
  SnapshotReader reader(config, database, clock, {});
  const SteadyTime started = clock.SteadyNow();
  EXPECT_FALSE(reader.Read(4s).up);
  EXPECT_LT(clock.SteadyNow() - started, 5s);
}

}  // namespace
}  // namespace ferry::exporter
