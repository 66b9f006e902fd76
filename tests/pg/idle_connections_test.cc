#include "batch/pg/idle_connections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <vector>

#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "tests/support/hand_clock.h"
#include "tests/support/test_database.h"

namespace ferry::pg {
namespace {

int ServerProcess(Session& session) {
  return session.Transact([](Transaction& tx) {
    return tx.ExecuteText("select pg_backend_pid() as pid").One().Get<int>("pid");
  });
}

class IdleConnectionsTest : public testing::Test {
 protected:
  std::unique_ptr<Session> Open() { return std::make_unique<Session>(database_.options(), idle_); }
  // The server process of a session that has ended by now.
  int OpenAndEnd() { return ServerProcess(*Open()); }

  test::TestDatabase database_;
  test::HandMovedClock clock_;
  std::shared_ptr<IdleConnections> idle_ = std::make_shared<IdleConnections>(clock_);
};

TEST_F(IdleConnectionsTest, TheNextSessionGoesOnOnTheConnectionOfTheOneBefore) {
  const int first = OpenAndEnd();
  const auto second = Open();
  EXPECT_EQ(ServerProcess(*second), first);
  EXPECT_NE(ServerProcess(*Open()), first) << "the second has it";
}

TEST_F(IdleConnectionsTest, AConnectionThatItsServerClosedIsNotGivenOut) {
  const int first = OpenAndEnd();
  Session(database_.options()).Transact([&](Transaction& tx) {
    tx.ExecuteText("select pg_terminate_backend($1::int, 5000)", first);
  });
  EXPECT_NE(OpenAndEnd(), first);
}

TEST_F(IdleConnectionsTest, ABrokenConnectionIsNotGivenOut) {
  auto session = Open();
  const int first = ServerProcess(*session);
  session->Abort();
  session.reset();
  EXPECT_NE(OpenAndEnd(), first);
}

// A server that has become a standby answers, and answers the same again.
TEST_F(IdleConnectionsTest, AfterAFailureTheNextConnectionIsANewOne) {
  auto session = Open();
  const int first = ServerProcess(*session);
  EXPECT_THROW(session->Transact([](Transaction& tx) { tx.ExecuteText("select 1 / 0"); }), Error);
  EXPECT_TRUE(session->IsOpen());
  session.reset();
  EXPECT_NE(OpenAndEnd(), first);
}

TEST_F(IdleConnectionsTest, AConnectionThatWasIdleForLongIsNotGivenOut) {
  const int first = OpenAndEnd();
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_EQ(OpenAndEnd(), first);
  clock_.Advance(std::chrono::seconds(6));
  EXPECT_NE(OpenAndEnd(), first);
}

TEST_F(IdleConnectionsTest, ManySessionsAtOnceLeaveTwoBehind) {
  const auto processes_of_four = [this] {
    std::vector<std::unique_ptr<Session>> sessions;
    std::set<int> processes;
    for (int i = 0; i < 4; ++i) processes.insert(ServerProcess(*sessions.emplace_back(Open())));
    return processes;
  };
  const std::set<int> before = processes_of_four();
  const std::set<int> after = processes_of_four();
  std::vector<int> both;
  std::ranges::set_intersection(before, after, std::back_inserter(both));
  EXPECT_EQ(both.size(), 2U);
}

}  // namespace
}  // namespace ferry::pg
