#include "batch/pg/session.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "batch/base/error.h"
#include "tests/support/test_database.h"

namespace ferry::pg {
namespace {

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

template <typename Body>
std::optional<Error> ErrorOf(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

class SessionTest : public testing::Test {
 protected:
  // Ends the session's server process from outside.
  void Terminate(Session& victim, Transaction& tx) {
    const auto pid = tx.ExecuteText("select pg_backend_pid() as pid").One().Get<int>("pid");
    Session killer(database_.options());
    killer.Transact([&](Transaction& other) {
      other.ExecuteText("select pg_terminate_backend($1::int, 5000)", pid);
    });
    EXPECT_TRUE(victim.IsOpen());  // it cannot know yet
  }

  test::TestDatabase database_;
  Session session_{database_.options()};
};

TEST_F(SessionTest, EveryTypeGoesThereAndBack) {
  session_.Transact([](Transaction& tx) {
    const Rows rows = tx.ExecuteText(
        "select $1::bigint as i, $2::float8 as d, $3::boolean as b, $4::text as t, $5::bytea as y,"
        " $6::text as n, (extract(epoch from $7::timestamptz) * 1e6)::bigint as at, $8::int as s",
        std::int64_t{-9'000'000'000'000'000'000}, 0.1, true, "grün \\ \" '", Key(AllBytes()),
        std::nullopt, Timestamp{1'700'000'000'123'456}, 7);
    const Row row = rows.One();
    EXPECT_EQ(row.Get<std::int64_t>("i"), -9'000'000'000'000'000'000);
    EXPECT_EQ(row.Get<double>("d"), 0.1);
    EXPECT_TRUE(row.Get<bool>("b"));
    EXPECT_EQ(row.Get<std::string>("t"), "grün \\ \" '");
    EXPECT_EQ(row.Get<Key>("y"), Key(AllBytes()));
    EXPECT_EQ(row.Get<Bytes>("y"), Bytes{AllBytes()});
    EXPECT_EQ(row.Get<std::optional<std::string>>("n"), std::nullopt);
    EXPECT_EQ(row.Get<Timestamp>("at"), Timestamp{1'700'000'000'123'456});
    EXPECT_EQ(row.Get<std::optional<int>>("s"), 7);
  });
}

TEST_F(SessionTest, ArraysCarryAnyBytesAndNulls) {
  session_.Transact([](Transaction& tx) {
    const Rows rows = tx.ExecuteText(
        "select k, n, t from unnest($1::bytea[], $2::bigint[], $3::text[]) as u(k, n, t)",
        std::vector<Key>{Key(AllBytes()), Key()},
        std::vector<std::optional<std::int64_t>>{1, std::nullopt},
        std::vector<std::string>{"a,\"{}\\", "NULL"});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].Get<Key>("k"), Key(AllBytes()));
    EXPECT_EQ(rows[1].Get<Key>("k"), Key());
    EXPECT_EQ(rows[1].Get<std::optional<std::int64_t>>("n"), std::nullopt);
    EXPECT_EQ(rows[0].Get<std::string>("t"), "a,\"{}\\");
    EXPECT_EQ(rows[1].Get<std::string>("t"), "NULL");
  });
}

TEST_F(SessionTest, RowsOutliveTheirTransaction) {
  const Rows rows = session_.Transact([](Transaction& tx) {
    return tx.ExecuteText("select g as n from generate_series(1, 3) g");
  });
  int sum = 0;
  for (const Row row : rows) sum += row.Get<int>("n");
  EXPECT_EQ(sum, 6);
}

TEST_F(SessionTest, NullWhereAValueMustBeIsAnError) {
  const Rows rows = session_.Transact(
      [](Transaction& tx) { return tx.ExecuteText("select null::int as n"); });
  EXPECT_THROW(rows.One().Get<int>("n"), Error);
}

TEST_F(SessionTest, WhatIsNotCommittedIsGone) {
  session_.Transact([](Transaction& tx) {
    tx.ExecuteText("create schema " + QuoteIdentifier(tx.session().options().schema));
    tx.ExecuteText("create table bucketferry.t (n int primary key)");
  });
  {
    Transaction tx(session_);
    EXPECT_EQ(tx.ExecuteText("insert into bucketferry.t values (1), (2)").affected(), 2);
  }
  EXPECT_THROW(session_.Transact([](Transaction& tx) {
    tx.ExecuteText("insert into bucketferry.t values (3)");
    throw std::runtime_error("stop");
  }), std::runtime_error);
  session_.Transact([](Transaction& tx) {
    EXPECT_TRUE(tx.ExecuteText("select n from bucketferry.t").empty());
  });
}

TEST_F(SessionTest, ErrorsHaveKindCodeAndOneLine) {
  const auto error = ErrorOf([&] {
    session_.Transact([](Transaction& tx) { tx.ExecuteText("select * from bucketferry.nothing"); });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error->code(), "42P01");
  EXPECT_EQ(std::string(error->what()), "database: statement: relation \"" + database_.schema() +
                                            ".nothing\" does not exist");
}

TEST_F(SessionTest, CommitAfterAFailedStatementIsRefused) {
  Transaction tx(session_);
  EXPECT_THROW(tx.ExecuteText("select 1 / 0"), Error);
  EXPECT_THROW(tx.Commit(), Error);
}

TEST_F(SessionTest, AWrongNumberOfParametersIsNoOutage) {
  const auto error = ErrorOf([&] {
    session_.Transact([](Transaction& tx) { tx.ExecuteText("select $1::int", 1, 2); });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
}

TEST_F(SessionTest, AReadOnlySessionCannotWrite) {
  ConnectOptions options = database_.options();
  options.access = Access::kReadOnly;
  Session reader(options);
  EXPECT_THROW(reader.Transact([](Transaction& tx) { tx.ExecuteText("create schema never"); }),
               Error);
}

TEST_F(SessionTest, ASnapshotSeesOneMoment) {
  const auto count = [](Transaction& tx) {
    return tx.ExecuteText("select count(*) as n from bucketferry.t").One().Get<int>("n");
  };
  session_.Transact([](Transaction& tx) {
    tx.ExecuteText("create schema " + QuoteIdentifier(tx.session().options().schema));
    tx.ExecuteText("create table bucketferry.t (n int)");
  });
  Transaction snapshot(session_, {.isolation = Isolation::kSnapshot});
  EXPECT_EQ(count(snapshot), 0);
  Session other(database_.options());
  other.Transact([](Transaction& tx) { tx.ExecuteText("insert into bucketferry.t values (1)"); });
  EXPECT_EQ(count(snapshot), 0);
}

TEST_F(SessionTest, AStatementThatTakesTooLongEnds) {
  const auto error = ErrorOf([&] {
    session_.Transact([](Transaction& tx) { tx.ExecuteText("select pg_sleep(60)"); },
                      {.statement_timeout = std::chrono::milliseconds(50)});
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), "57014");
  EXPECT_TRUE(session_.IsOpen());
}

TEST_F(SessionTest, ALostConnectionStaysLostUntilReset) {
  {
    Transaction tx(session_);
    Terminate(session_, tx);
    const auto error = ErrorOf([&] { tx.ExecuteText("select 1"); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
    const auto again = ErrorOf([&] { tx.ExecuteText("select 1"); });  // 6.4 would reconnect here
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind(), ErrorKind::kUnavailable);
  }
  EXPECT_FALSE(session_.IsOpen());
  const auto error = ErrorOf([&] { Transaction tx(session_); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
  session_.Reset();
  EXPECT_EQ(session_.Transact([](Transaction& tx) {
    return tx.ExecuteText("select 1 as n").One().Get<int>("n");
  }), 1);
}

TEST_F(SessionTest, AConnectionLostAtCommitLeavesItInDoubt) {
  Transaction tx(session_);
  Terminate(session_, tx);
  const auto error = ErrorOf([&] { tx.Commit(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInDoubt);
}

TEST_F(SessionTest, AbortEndsACallThatWaits) {
  std::promise<void> started;
  auto waiting = std::async(std::launch::async, [&] {
    Transaction tx(session_);
    started.set_value();
    return ErrorOf([&] { tx.ExecuteText("select pg_sleep(60)"); });
  });
  started.get_future().wait();
  session_.Abort();
  const auto error = waiting.get();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
}

TEST_F(SessionTest, NothingOutlivesATransaction) {
  session_.Transact([](Transaction& tx) { tx.ExecuteText("select $1::int", 1); },
                    {.statement_timeout = std::chrono::milliseconds(12'345)});
  const Rows rows = session_.Transact([](Transaction& tx) {
    return tx.ExecuteText(
        "select (select count(*) from pg_prepared_statements) as prepared,"
        " (select count(*) from pg_locks where locktype = 'advisory'"
        "  and pid = pg_backend_pid()) as locks,"
        " current_setting('statement_timeout') as timeout");
  });
  EXPECT_EQ(rows.One().Get<int>("prepared"), 0);
  EXPECT_EQ(rows.One().Get<int>("locks"), 0);
  EXPECT_EQ(rows.One().Get<std::string>("timeout"), "1min");
}

TEST_F(SessionTest, ARefusedConnectionSaysWhyInItsCode) {
  ConnectOptions options = database_.options();
  const std::string host = options.uri.substr(options.uri.find('?'));
  options.uri = "postgresql://bucketferry:s3cret@/nowhere" + host;
  const auto missing = ErrorOf([&] { Session session(options); });
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->kind(), ErrorKind::kConfig);
  EXPECT_EQ(missing->code(), "3D000");
  EXPECT_EQ(std::string(missing->what()).find("s3cret"), std::string::npos);

  options.uri = "postgresql://somebody:s3cret@/postgres" + host;
  const auto stranger = ErrorOf([&] { Session session(options); });
  ASSERT_TRUE(stranger);
  EXPECT_EQ(stranger->kind(), ErrorKind::kDenied);
  EXPECT_EQ(stranger->code(), "28000");
}

TEST(SessionConnect, AnUnreachableServerIsUnavailableAndNamed) {
  const auto error =
      ErrorOf([] { Session session({.uri = "postgresql://u:s3cret@127.0.0.1:1/d"}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
  const std::string what = error->what();
  EXPECT_NE(what.find("postgresql://u@127.0.0.1:1/d"), std::string::npos) << what;
  EXPECT_EQ(what.find("s3cret"), std::string::npos);
  EXPECT_EQ(what.find('\n'), std::string::npos);
}

TEST(SessionConnect, AMalformedUriIsAConfigurationErrorWithoutItsText) {
  const auto error = ErrorOf([] { Session session({.uri = "postgresql://u:s3cret%@[h/d"}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kConfig);
  EXPECT_EQ(std::string(error->what()).find("s3cret"), std::string::npos);
}

TEST(RedactUri, NoPasswordIsLeft) {
  EXPECT_EQ(RedactUri("postgresql://u:p%40ss@h:5/d?sslmode=verify-full"), "postgresql://u@h:5/d");
  EXPECT_EQ(RedactUri("postgresql://u@h/d?password=s3cret"), "postgresql://u@h/d");
  EXPECT_EQ(RedactUri("host=h user=u password='s3 cret' dbname=d"), "postgresql://u@h/d");
  EXPECT_EQ(RedactUri("postgresql://u@/d?host=/run/x"), "postgresql://u@/d?host=/run/x");
  EXPECT_EQ(RedactUri("postgresql://u:s3cret@[h"), "(unreadable database URI)");
}

}  // namespace
}  // namespace ferry::pg
