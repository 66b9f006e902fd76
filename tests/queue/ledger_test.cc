#include "batch/queue/ledger.h"

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class LedgerPageTest : public QueueFixture {
 protected:
  // By searches of this session, in the ledger's index.
  std::int64_t EntriesRead() {
    session_.Transact(
        [](pg::Transaction& tx) { tx.ExecuteText("select pg_stat_force_next_flush()"); });
    return Ask<std::int64_t>(
        "select idx_tup_read as v from pg_stat_all_indexes"
        " where indexrelid = 'bucketferry.ledger_pkey'::regclass");
  }
};

TEST_F(LedgerPageTest, APageOfALedgerThatWasFilledJustNowTakesNoMoreThanThatPage) {
  Run("alter table bucketferry.ledger set (autovacuum_enabled = off)");  // statistics stay away
  Run("insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at,"
      " source_etag, destination_etag, proof)"
      " select 1, ('in/' || lpad(i::text, 8, '0'))::bytea, 1, 100, to_timestamp(1700000000.123),"
      " 'e', 'd', 'etag_md5' from generate_series(1, 50000) as i");
  const std::int64_t before = EntriesRead();
  const std::vector<LedgerEntry> page = ReadLedger(session_, 1, Key("in/00000100"), 500);
  ASSERT_EQ(page.size(), 500U);
  EXPECT_EQ(page.front().key, Key("in/00000101"));
  EXPECT_EQ(page.back().key, Key("in/00000600"));
  EXPECT_LE(EntriesRead() - before, 1000);
}

TEST_F(LedgerPageTest, TimesComeBackToTheMillisecond) {
  session_.Transact([](pg::Transaction& tx) {
    WriteLedger(tx, 1, 1,
                {{Key("a"), {"e", 1, 1'700'000'000'123, ""}, "d", "etag_md5", std::nullopt},
                 {Key("b"), {"e", 1, -1, ""}, "d", "etag_md5", std::nullopt},
                 {Key("c"), {"e", 1, 253'402'300'799'999, ""}, "d", "etag_md5", std::nullopt}});
  });
  const std::vector<LedgerEntry> page = ReadLedger(session_, 1, Key(""), 10);
  ASSERT_EQ(page.size(), 3U);
  EXPECT_EQ(page[0].source.modified_ms, 1'700'000'000'123);
  EXPECT_EQ(page[1].source.modified_ms, -1);
  EXPECT_EQ(page[2].source.modified_ms, 253'402'300'799'999);
}

TEST_F(LedgerPageTest, ObjectsThatAreBeingRestoredAreCountedAsLongAsRunsLookAtThem) {
  session_.Transact([](pg::Transaction& tx) {
    const SourceIdentity source = {"e", 1, 1'700'000'000'000, ""};
    WriteLedger(tx, 1, 1,
                {{Key("a"), source, "", "", Verdict::kBeingRestored},
                 {Key("b"), source, "", "", Verdict::kArchived}});
  });
  EXPECT_EQ(CountBeingRestored(session_, 1), 1);
  EXPECT_EQ(CountBeingRestored(session_, 2), 0);
  Run("update bucketferry.ledger set recorded_at = clock_timestamp() - interval '8 days'");
  EXPECT_EQ(CountBeingRestored(session_, 1), 0);
}

}  // namespace
}  // namespace ferry
