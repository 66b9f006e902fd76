#include "batch/pg/migrator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "batch/base/error.h"
#include "tests/support/test_database.h"

namespace ferry::pg {
namespace {

constexpr SqlText kFirst{"migrations/0001_first",
                         "-- breaking: yes\ncreate table bucketferry.job (n int);\n"};
constexpr SqlText kSecond{"migrations/0002_second",
                          "-- breaking: no\nalter table bucketferry.job add m int;\n"
                          "insert into bucketferry.job values (1, 2);\n"};
constexpr SqlText kThird{"migrations/0003_third", "-- breaking: yes\nselect 1;\n"};
constexpr SqlText kBroken{"migrations/0002_broken",
                          "-- breaking: no\ncreate table bucketferry.half (n int);\nselect 1/0;\n"};
constexpr SqlText kOther{"queries/other", "select 1"};

ErrorKind KindOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kStopped;
}

class MigratorTest : public testing::Test {
 protected:
  int CountJobs() {
    return session_.Transact([](Transaction& tx) {
      return tx.ExecuteText("select count(*) as n from bucketferry.job").One().Get<int>("n");
    });
  }

  test::TestDatabase database_;
  Session session_{database_.options()};
};

TEST_F(MigratorTest, AnEmptyDatabaseBecomesCurrent) {
  const SqlText table[] = {kFirst, kSecond, kOther};
  EXPECT_EQ(SchemaVersion(session_), 0);
  EXPECT_EQ(EnsureSchema(session_, SchemaPolicy::kMigrate, table), 2);
  EXPECT_EQ(SchemaVersion(session_), 2);
  EXPECT_EQ(CountJobs(), 1);
  EXPECT_EQ(EnsureSchema(session_, SchemaPolicy::kMigrate, table), 2);
  EXPECT_EQ(CountJobs(), 1);
}

TEST_F(MigratorTest, TwentyAtOnceApplyEachOnce) {
  const SqlText table[] = {kFirst, kSecond};
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 20; ++i) {
      threads.emplace_back([&] {
        Session session(database_.options());
        good += EnsureSchema(session, SchemaPolicy::kMigrate, table) == 2;
      });
    }
  }
  EXPECT_EQ(good, 20);
  EXPECT_EQ(CountJobs(), 1);
}

TEST_F(MigratorTest, AFailureLeavesTheSchemaAsItWas) {
  const SqlText first[] = {kFirst};
  EnsureSchema(session_, SchemaPolicy::kMigrate, first);
  const SqlText broken[] = {kFirst, kBroken};
  EXPECT_THROW(EnsureSchema(session_, SchemaPolicy::kMigrate, broken), Error);
  EXPECT_EQ(SchemaVersion(session_), 1);
  session_.Transact([](Transaction& tx) {
    EXPECT_FALSE(tx.ExecuteText("select to_regclass('bucketferry.half') is not null as there")
                     .One().Get<bool>("there"));
  });
}

TEST_F(MigratorTest, AnOlderProgramRefusesABreakingSchemaAndAcceptsACompatibleOne) {
  const SqlText newer[] = {kFirst, kSecond, kThird};
  const SqlText compatible[] = {kFirst, kSecond};
  const SqlText old[] = {kFirst};
  EnsureSchema(session_, SchemaPolicy::kMigrate, compatible);
  EXPECT_EQ(EnsureSchema(session_, SchemaPolicy::kRequireCurrent, old), 2);
  EnsureSchema(session_, SchemaPolicy::kMigrate, newer);
  for (const SchemaPolicy policy : {SchemaPolicy::kMigrate, SchemaPolicy::kRequireCurrent}) {
    EXPECT_EQ(KindOf([&] { EnsureSchema(session_, policy, compatible); }), ErrorKind::kConfig);
  }
}

TEST_F(MigratorTest, WhoRequiresTheCurrentSchemaChangesNothing) {
  const SqlText table[] = {kFirst};
  EXPECT_EQ(KindOf([&] { EnsureSchema(session_, SchemaPolicy::kRequireCurrent, table); }),
            ErrorKind::kConfig);
  EXPECT_EQ(SchemaVersion(session_), 0);
}

TEST_F(MigratorTest, ACurrentSchemaNeedsNoRightButToRead) {
  const SqlText table[] = {kFirst};
  EnsureSchema(session_, SchemaPolicy::kMigrate, table);
  ConnectOptions options = database_.options();
  options.access = Access::kReadOnly;
  Session reader(options);
  EXPECT_EQ(EnsureSchema(reader, SchemaPolicy::kMigrate, table), 1);
}

TEST(MigratorDeathTest, AGapInTheNumbersEndsTheProgram) {
  const SqlText table[] = {kFirst, kThird};
  EXPECT_DEATH(ProgramVersion(table), "check failed");
}

}  // namespace
}  // namespace ferry::pg
