// What a scrape costs the database: the plans of its statements on tables as large as they get. Of
// jobs, parts and the ledger it reads single rows by an index, or none.
#include <string>
#include <vector>

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class MetricsPlansTest : public QueueFixture {
 protected:
  static constexpr int kTasks = 20;
  static constexpr int kRows = 40'000;  // of each of the three

  // Every task has an old run that left dead jobs and one that goes on, large objects within it.
  void Fill() {
    const std::int64_t worker = NewWorker();
    for (int i = 0; i < kTasks; ++i) {
      TaskPlace place = Place();
      place.name = "task-" + std::to_string(i);
      for (int run = 0; run < 2; ++run) {
        const BegunRun begun = BeginRun(session_, place, RunKind::kScheduled, worker);
        AddRows(begun, worker);
        FinishPlanning(session_, begun.run_id);
        if (run == 0) FailRun(session_, begun.run_id, "over");
      }
      names_.push_back(place.name);
    }
    Run("insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at,"
        " source_etag, destination_etag, proof) select 1 + i % $1::int, i::text::bytea, 1, 1, "
        "now(),"
        " 'e', 'e', 'etag_md5' from generate_series(1, $2::int) as i",
        kTasks, kRows);
    session_.Transact([](pg::Transaction& tx) {
      for (const char* table : {"job", "part", "ledger", "run", "tally", "task", "worker"}) {
        tx.ExecuteText("analyze bucketferry." + std::string(table));
      }
    });
  }
  // Of the jobs one in a hundred is dead, and as many are in parts.
  void AddRows(const BegunRun& run, std::int64_t worker) {
    constexpr int kOfRun = kRows / kTasks / 2;
    Run("insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
        " source_etag, source_modified_at, finished_at, proof, destination_etag, error, upload_id,"
        " part_bytes, parts_left)"
        " select $1, i, i::text::bytea, 'copy', 'missing', s, 100, 'e', now(),"
        " case when s in ('done', 'dead') then now() end, case when s = 'done' then 'etag_md5' end,"
        " case when s = 'done' then 'd' end, case when s = 'dead' then 'broken' end,"
        " case when s = 'in_flight' then 'u' end, case when s = 'in_flight' then 10 end,"
        " case when s = 'in_flight' then 4 end"
        " from (select i, case i % 100 when 0 then 'dead' when 1 then 'in_flight' when 2 then"
        "       'pending' else 'done' end as s from generate_series(1, $2::int) as i) as j",
        run.run_id, kOfRun);
    Run("insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes)"
        " select $1, 1 + i / 10, 1 + i % 10, 0, 10 from generate_series(0, $2::int - 1) as i",
        run.run_id, kOfRun);
    session_.Transact([&](pg::Transaction& tx) {
      AddTally(tx, run.run_id, worker, {.planned = kOfRun, .in_flight = kOfRun / 100});
    });
  }
  template <typename... Values>
  std::string PlanOf(const char* statement, const Values&... values) {
    return session_.Transact([&](pg::Transaction& tx) {
      std::string plan = std::string(statement) + "\n";
      const std::string text = "explain (analyze) " + session_.statements().Text(statement);
      for (const pg::Row row : tx.ExecuteText(text, values...)) {
        plan += row.Get<std::string>("QUERY PLAN") + "\n";
      }
      return plan;
    });
  }
  // Partitions are called job_LOW and part_LOW.
  static void ExpectNoLargeTableIsRead(const std::string& plan) {
    for (const char* scan :
         {"Seq Scan on job", "Seq Scan on part", "Seq Scan on ledger", "Parallel Seq Scan"}) {
      EXPECT_EQ(plan.find(scan), std::string::npos) << plan;
    }
  }

  std::vector<std::string> names_;
};

TEST_F(MetricsPlansTest, ReadNoJobsPartsOrLedgerButByTheIndexOfLargeObjects) {
  Fill();
  const std::string open_runs = PlanOf("metrics/open_runs", names_);
  ExpectNoLargeTableIsRead(open_runs);
  EXPECT_NE(open_runs.find("run_id_job_id_idx"), std::string::npos) << open_runs;
  for (const char* statement :
       {"metrics/totals", "metrics/last_runs", "metrics/uploads", "metrics/requests",
        "metrics/retries", "metrics/credentials", "metrics/notify"}) {
    const std::string plan = PlanOf(statement, names_);
    for (const char* table : {"on job", "on part", "on ledger"}) {
      EXPECT_EQ(plan.find(table), std::string::npos) << plan;
    }
  }
}

TEST_F(MetricsPlansTest, ObjectsThatAreBeingRestoredAreFoundByTheirIndex) {
  Fill();
  const std::string plan = PlanOf("metrics/being_restored", names_);
  EXPECT_NE(plan.find("ledger_being_restored"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Seq Scan on ledger"), std::string::npos) << plan;
}

TEST_F(MetricsPlansTest, ARunIsReadWithoutCountingItsJobs) {
  Fill();
  const std::string plan =
      PlanOf("queries/read_run", Ask<std::int64_t>("select max(run_id) as v from bucketferry.run"));
  ExpectNoLargeTableIsRead(plan);
}

}  // namespace
}  // namespace ferry
