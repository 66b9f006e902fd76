// What processes count, as rows: written once however often, added up once, and never falling.
#include "batch/queue/process_totals.h"

#include <atomic>
#include <thread>

#include "batch/base/measures.h"
#include "batch/queue/prune.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/database_proxy.h"
#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using std::chrono::hours;
using test::DatabaseProxy;
using test::KindOf;

class ProcessTotalsTest : public QueueFixture {
 protected:
  // So many puts of 2 ms each, a tenth of them failed, and as many retries.
  static ProcessSums Sums(std::int64_t puts, const std::string& operation = "put") {
    ProcessSums sums;
    RequestSum& sum = sums.requests[{"media", "destination", operation}];
    sum.requests = puts;
    sum.errors = puts / 10;
    sum.microseconds = 2'000 * puts;
    sum.buckets.assign(kRequestSecondsBuckets, 0);
    sum.buckets[0] = puts - puts / 10;
    sum.buckets[7] = puts / 10;
    if (puts >= 10) sums.retries[{"media", "throttle"}] = puts / 10;
    return sums;
  }
  // "requests errors microseconds first-bucket last-bucket retries", over all processes.
  static constexpr const char* kTotals =
      "select sum(requests) || ' ' || sum(errors) || ' ' || sum(microseconds) || ' ' ||"
      " sum(buckets[1]) || ' ' || sum(buckets[8]) || ' ' ||"
      " coalesce((select sum(retries) from bucketferry.retry_total), 0) as v"
      " from bucketferry.request_total";
  std::string Totals() { return Ask<std::string>(kTotals); }
  // The names of processes that have rows; '' stands for all that are no more.
  std::string Processes() {
    return Ask<std::string>(
        "select coalesce(string_agg(case process when '' then 'none' else 'one' end, ' '"
        "  order by process), '') as v from (select distinct process"
        "  from bucketferry.request_total) p");
  }
  void LetPass(const std::string& time) {
    for (const std::string table : {"request_total", "retry_total"}) {
      Run(("update bucketferry." + table + " set updated_at = updated_at - $1::interval").c_str(),
          time);
    }
  }
  std::int64_t Fold() { return PruneHistory(session_, hours(24 * 30), {}).processes; }

  test::TickedClock clock_;
};

TEST_F(ProcessTotalsTest, WhatIsWrittenTwiceIsWrittenOnce) {
  ProcessTotals totals(clock_);
  totals.Write(session_, Sums(100));
  EXPECT_EQ(Totals(), "100 10 200000 90 10 10");
  totals.Write(session_, Sums(100));
  totals.Write(session_, Sums(250));
  EXPECT_EQ(Totals(), "250 25 500000 225 25 25");
  EXPECT_EQ(Processes(), "one");
}

TEST_F(ProcessTotalsTest, AProcessThatDoesNothingWritesNothing) {
  const auto written = [&] {
    return Ask<std::string>(
        "select string_agg(xmin::text, ' ') as v from bucketferry.request_total");
  };
  ProcessTotals totals(clock_);
  totals.Write(session_, {});
  EXPECT_EQ(Processes(), "");
  totals.Write(session_, Sums(1));
  const std::string before = written();
  totals.Write(session_, Sums(1));
  EXPECT_EQ(written(), before);
}

TEST_F(ProcessTotalsTest, OnlyWhatChangedIsWritten) {
  ProcessTotals totals(clock_);
  ProcessSums sums = Sums(1, "list");
  totals.Write(session_, sums);
  const auto version_of_list = [&] {
    return Ask<std::string>(
        "select xmin::text as v from bucketferry.request_total where operation = 'list'");
  };
  const std::string before = version_of_list();
  sums.requests.merge(Sums(1, "put").requests);
  totals.Write(session_, sums);
  EXPECT_EQ(Totals(), "2 0 4000 2 0 0");
  EXPECT_EQ(version_of_list(), before);
}

TEST_F(ProcessTotalsTest, AtItsEndAProcessIsAddedToAllThatAreNoMore) {
  for (const std::int64_t puts : {100, 20, 3}) {
    ProcessTotals totals(clock_);
    totals.Write(session_, Sums(puts / 2));
    totals.End(session_, Sums(puts));
    EXPECT_EQ(Processes(), "none");
  }
  EXPECT_EQ(Totals(), "123 12 246000 111 12 12");
}

TEST_F(ProcessTotalsTest, TheEndRepeatedCountsOnce) {
  ProcessTotals totals(clock_);
  totals.End(session_, Sums(10));
  totals.End(session_, Sums(10));
  // A request that ended late is not worth counting the others twice.
  totals.End(session_, Sums(11));
  EXPECT_EQ(Totals(), "10 1 20000 9 1 1");
}

TEST_F(ProcessTotalsTest, ACommitOfWhichNobodyHeardCountsOnce) {
  for (const DatabaseProxy::Cut cut : {DatabaseProxy::Cut::kBefore, DatabaseProxy::Cut::kAfter}) {
    for (const int passing : {0, 1}) {  // the last words, and the adding up
      Run("delete from bucketferry.request_total");
      Run("delete from bucketferry.retry_total");
      DatabaseProxy proxy(database_.options().uri);
      ProcessTotals totals(clock_);
      totals.Write(session_, Sums(10));
      {
        pg::Session session(proxy.Through(database_.options()));
        proxy.CutCommit(cut, passing);
        EXPECT_EQ(KindOf([&] { totals.End(session, Sums(30)); }), "in_doubt");
      }
      totals.End(session_, Sums(30));
      EXPECT_EQ(Totals(), "30 3 60000 27 3 3");
      EXPECT_EQ(Processes(), "none");
    }
  }
}

TEST_F(ProcessTotalsTest, WhatADeadProcessLeftIsAddedUpOnceNobodyWaitsForItAnyMore) {
  {
    ProcessTotals totals(clock_);
    totals.Write(session_, Sums(100));  // and is killed
  }
  LetPass("7 days 23 hours");
  EXPECT_EQ(Fold(), 0);
  EXPECT_EQ(Processes(), "one");
  LetPass("2 hours");
  EXPECT_EQ(Fold(), 1);
  EXPECT_EQ(Processes(), "none");
  EXPECT_EQ(Totals(), "100 10 200000 90 10 10");
  LetPass("30 days");
  EXPECT_EQ(Fold(), 0);
}

// Asleep, or with nothing to do: its rows were added up in the meantime.
TEST_F(ProcessTotalsTest, AProcessThatWasSilentForLongGoesOnUnderAnotherName) {
  ProcessTotals totals(clock_);
  totals.Write(session_, Sums(100));
  clock_.Advance(ProcessTotals::kSilenceMax + hours(1));
  LetPass("8 days 1 hour");
  EXPECT_EQ(Fold(), 1);
  totals.Write(session_, Sums(100));
  EXPECT_EQ(Processes(), "none") << "nothing is new";
  totals.Write(session_, Sums(150));
  EXPECT_EQ(Totals(), "150 15 300000 135 15 15");
  EXPECT_EQ(Processes(), "none one");
  totals.End(session_, Sums(160));
  EXPECT_EQ(Totals(), "160 16 320000 144 16 16");
}

// The same, but nobody pruned: the row of its first name still stands.
TEST_F(ProcessTotalsTest, TheOtherNameCountsOnlyWhatIsNew) {
  ProcessTotals totals(clock_);
  totals.Write(session_, Sums(100));
  clock_.Advance(ProcessTotals::kSilenceOfOneProcess + hours(1));
  totals.Write(session_, Sums(150));
  EXPECT_EQ(Processes(), "one one");
  EXPECT_EQ(Totals(), "150 15 300000 135 15 15");
}

// Six processes at a time, one after the other, while somebody reads all the time.
TEST_F(ProcessTotalsTest, NoSumEverFallsHoweverManyProcessesWriteAndEnd) {
  constexpr int kThreads = 6, kProcesses = 8, kWrites = 6;
  std::atomic<int> working{kThreads};
  const auto process = [&] {
    pg::Session session(database_.options());
    for (int i = 0; i < kProcesses; ++i) {
      ProcessTotals totals(clock_);
      for (int puts = 1; puts <= kWrites; ++puts) totals.Write(session, Sums(10 * puts));
      totals.End(session, Sums(10 * (kWrites + 1)));
    }
    working -= 1;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(process);
  std::vector<std::int64_t> before(6, 0);
  while (working > 0) {
    const auto sums = session_.Transact(
        [&](pg::Transaction& tx) {
          std::vector<std::int64_t> numbers;
          const pg::Rows rows = tx.ExecuteText(
              "select coalesce(sum(requests), 0)::bigint as a, coalesce(sum(errors), 0)::bigint as"
              " b, coalesce(sum(microseconds), 0)::bigint as c, coalesce(sum(buckets[1]),"
              " 0)::bigint as d, coalesce(sum(buckets[8]), 0)::bigint as e, (select"
              " coalesce(sum(retries), 0)::bigint from bucketferry.retry_total) as f from"
              " bucketferry.request_total");
          for (const char* column : {"a", "b", "c", "d", "e", "f"}) {
            numbers.push_back(rows.One().Get<std::int64_t>(column));
          }
          return numbers;
        },
        {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly});
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_GE(sums[i], before[i]) << i;
    before = sums;
  }
  for (std::thread& thread : threads) thread.join();
  const int puts = kThreads * kProcesses * 10 * (kWrites + 1);
  EXPECT_EQ(Totals(), std::to_string(puts) + " " + std::to_string(puts / 10) + " " +
                          std::to_string(2'000 * puts) + " " + std::to_string(puts / 10 * 9) + " " +
                          std::to_string(puts / 10) + " " + std::to_string(puts / 10));
  EXPECT_EQ(Processes(), "none");
}

}  // namespace
}  // namespace ferry
