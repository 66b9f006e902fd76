#include "batch/pg/copy_writer.h"

#include <gtest/gtest.h>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "tests/support/test_database.h"

namespace ferry::pg {
namespace {

class CopyWriterTest : public testing::Test {
 protected:
  CopyWriterTest() {
    session_.Transact([](Transaction& tx) {
      tx.ExecuteText("create schema " + QuoteIdentifier(tx.session().options().schema));
      tx.ExecuteText(
          "create table bucketferry.t (n bigint primary key, k bytea, t text, at timestamptz)");
    });
  }

  int Count() {
    return session_.Transact([](Transaction& tx) {
      return tx.ExecuteText("select count(*) as n from bucketferry.t").One().Get<int>("n");
    });
  }

  test::TestDatabase database_;
  Session session_{database_.options()};
};

TEST_F(CopyWriterTest, EveryByteArrivesAsItIs) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  const std::string text = "tab\t newline\n return\r backslash\\ \\N \\. end";
  session_.Transact([&](Transaction& tx) {
    CopyWriter rows(tx, "t", {"n", "k", "t", "at"});
    rows.Add(1, Key(bytes), text, Timestamp{1'700'000'000'123'456});
    rows.Add(2, std::nullopt, std::optional<std::string>(), std::nullopt);
    rows.Add(3, Key(), "", Timestamp{0});
    EXPECT_EQ(rows.Finish(), 3);
  });
  const Rows rows = session_.Transact([](Transaction& tx) {
    return tx.ExecuteText(
        "select k, t, (extract(epoch from at) * 1e6)::bigint as at from bucketferry.t order by n");
  });
  EXPECT_EQ(rows[0].Get<Key>("k"), Key(bytes));
  EXPECT_EQ(rows[0].Get<std::string>("t"), text);
  EXPECT_EQ(rows[0].Get<Timestamp>("at"), Timestamp{1'700'000'000'123'456});
  EXPECT_EQ(rows[1].Get<std::optional<Key>>("k"), std::nullopt);
  EXPECT_EQ(rows[1].Get<std::optional<std::string>>("t"), std::nullopt);
  EXPECT_EQ(rows[2].Get<Key>("k"), Key());
  EXPECT_EQ(rows[2].Get<std::string>("t"), "");
}

TEST_F(CopyWriterTest, OneThatIsNotFinishedLeavesNothing) {
  {
    Transaction tx(session_);
    CopyWriter rows(tx, "t", {"n"});
    rows.Add(1);
  }
  EXPECT_EQ(Count(), 0);
}

TEST_F(CopyWriterTest, ARefusedRowIsAnErrorAndTheSessionGoesOn) {
  try {
    session_.Transact([](Transaction& tx) {
      CopyWriter rows(tx, "t", {"n"});
      rows.Add(1);
      rows.Add(1);
      rows.Finish();
    });
    FAIL() << "a second row of one key was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
    EXPECT_EQ(error.code(), "23505");
  }
  EXPECT_EQ(Count(), 0);
}

TEST_F(CopyWriterTest, TensOfThousandsOfRowsASecond) {
  constexpr int kRows = 50'000;
  const SystemClock clock;
  const SteadyTime started = clock.SteadyNow();
  session_.Transact([&](Transaction& tx) {
    CopyWriter rows(tx, "t", {"n", "k", "t", "at"});
    const Key key("media/2024/some/folder/with/a/usual/length/object-0001.mov");
    for (int i = 0; i < kRows; ++i) rows.Add(i, key, "etag", Timestamp{i});
    EXPECT_EQ(rows.Finish(), kRows);
  });
  const std::chrono::duration<double> seconds = clock.SteadyNow() - started;
  RecordProperty("rows_per_second", static_cast<int>(kRows / seconds.count()));
  EXPECT_EQ(Count(), kRows);
}

}  // namespace
}  // namespace ferry::pg
