// A schema with one run, for the tests of what the queue's statements do.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "batch/pg/migrator.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/ledger.h"
#include "batch/queue/run_table.h"
#include "batch/queue/worker_lease.h"
#include "tests/support/loop_runner.h"
#include "tests/support/test_database.h"

namespace ferry {

class QueueFixture : public testing::Test {
 protected:
  QueueFixture() { pg::EnsureSchema(session_, pg::SchemaPolicy::kMigrate); }

  std::int64_t NewWorker(std::int64_t lease_ms = 60'000) {
    return session_.Transact([&](pg::Transaction& tx) {
      return tx.Execute("queries/register_worker", "host", 1, lease_ms)
          .One()
          .Get<std::int64_t>("worker_id");
    });
  }
  void EndLease(std::int64_t worker_id) {
    Run("update bucketferry.worker set leased_until = clock_timestamp() - interval '1 second'"
        " where worker_id = $1",
        worker_id);
  }
  TaskPlace Place() const { return {"media", "far", "src", "in/", "near", "dst", "out/", {"cdn"}}; }

  static constexpr int kJobBytes = 100;

  // Begins a run with jobs 1..jobs, planned by `worker_id`.
  BegunRun Plan(std::int64_t worker_id, int jobs, int job_bytes = kJobBytes) {
    const BegunRun run = BeginRun(session_, Place(), RunKind::kScheduled, worker_id);
    AddPending(run, worker_id, jobs, 1, job_bytes);
    FinishPlanning(session_, run.run_id);
    return run;
  }
  // Jobs from `from` on, of a run that is still planned.
  void AddPending(const BegunRun& run, std::int64_t worker_id, int jobs, int from = 1,
                  int job_bytes = kJobBytes) {
    std::vector<NewJob> rows;
    for (int id = from; id < from + jobs; ++id) {
      NewJob job;
      job.job_id = id;
      job.key = Key("in/" + std::to_string(id));
      job.reason = "missing";
      job.source = {"etag" + std::to_string(id), static_cast<std::uint64_t>(job_bytes),
                    1'700'000'000'000, ""};
      rows.push_back(job);
    }
    session_.Transact([&](pg::Transaction& tx) {
      AddJobs(tx, run.run_id, rows);
      AddTally(tx, run.run_id, worker_id,
               {.planned = jobs,
                .pending = jobs,
                .bytes_planned = job_bytes * jobs,
                .bytes_pending = job_bytes * jobs});
    });
  }
  static DoneJob Done(const Job& job) {
    return {job.job_id, job.source, "d-" + job.source.etag, "etag_md5", job.source.size_bytes};
  }
  static FailedJob Failed(const Job& job) {
    FailedJob failed;
    failed.job_id = job.job_id;
    failed.error = "broken";
    return failed;
  }

  template <typename... Values>
  void Run(const char* sql, const Values&... values) {
    session_.Transact([&](pg::Transaction& tx) { tx.ExecuteText(sql, values...); });
  }
  // The first column, "v", of the only row.
  template <typename T, typename... Values>
  T Ask(const char* sql, const Values&... values) {
    return session_.Transact([&](pg::Transaction& tx) {
      return tx.ExecuteText(sql, values...).One().template Get<T>("v");
    });
  }
  // Until another session waits for a lock in this database.
  void AwaitSomebodyWhoWaits() {
    while (Ask<std::int64_t>("select count(*) as v from pg_stat_activity"
                             " where datname = current_database() and wait_event_type = 'Lock'") ==
           0) {
      std::this_thread::yield();
    }
  }
  std::string StateOf(std::int64_t run_id, std::int64_t job_id) {
    return Ask<std::string>(
        "select state as v from bucketferry.job where run_id = $1 and job_id = $2", run_id, job_id);
  }
  std::string RunStateOf(std::int64_t run_id) {
    return Ask<std::string>("select state as v from bucketferry.run where run_id = $1", run_id);
  }

  // The levels of a run against its rows.
  void ExpectLevelsOfRows(const BegunRun& run) {
    const char* const difference =
        "select coalesce(sum(pending), 0) - (select count(*) from bucketferry.job"
        "         where run_id = $1 and state = 'pending')"
        " || ' ' || coalesce(sum(in_flight), 0) - (select count(*) from bucketferry.job"
        "         where run_id = $1 and state = 'in_flight')"
        " || ' ' || coalesce(sum(retry_wait), 0) - (select count(*) from bucketferry.job"
        "         where run_id = $1 and state = 'retry_wait')"
        " || ' ' || coalesce(sum(parts_pending), 0) - (select count(*) from bucketferry.part"
        "         where run_id = $1 and state = 'pending')"
        " || ' ' || coalesce(sum(parts_in_flight), 0) - (select count(*) from bucketferry.part"
        "         where run_id = $1 and state = 'in_flight') as v"
        " from bucketferry.tally where run_id = $1";
    EXPECT_EQ(Ask<std::string>(difference, run.run_id), "0 0 0 0 0");
    EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.job j where run_id = $1"
                                " and state in ('in_flight', 'retry_wait') and parts_left <>"
                                " (select count(*) from bucketferry.part p where p.run_id = $1"
                                "  and p.job_id = j.job_id and p.state <> 'done')",
                                run.run_id),
              0);
  }

  test::TestDatabase database_;
  pg::Session session_{database_.options()};
};

}  // namespace ferry
