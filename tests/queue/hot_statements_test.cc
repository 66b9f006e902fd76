// The plans of the statements that run all the time, on tables as large as they get: an index is
// used, and nothing is searched from the front.
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class HotStatementsTest : public QueueFixture {
 protected:
  // A run in the middle: 100,000 jobs, half done, one waiting in a hundred, and 20,000 parts.
  void Fill() {
    worker_ = NewWorker();
    run_ = Plan(worker_, 1);
    Run("insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
        " source_etag, source_modified_at, worker_id, retry_at, finished_at, proof,"
        " destination_etag, upload_id, part_bytes, parts_left)"
        " select $1, i, ('in/' || i)::bytea, 'copy', 'missing', s, 100, 'e', now(),"
        " case when s = 'in_flight' and i % 2 = 0 then $2::bigint end,"
        " case when s = 'retry_wait' then now() end, case when s = 'done' then now() end,"
        " case when s = 'done' then 'etag_md5' end, case when s = 'done' then 'd' end,"
        " case when s = 'in_flight' then 'u' end, case when s = 'in_flight' then 10 end,"
        " case when s = 'in_flight' then i % 3 end"
        " from (select i, case when i % 100 = 0 then 'retry_wait' when i <= 50000 then 'done'"
        "              when i <= 52000 then 'in_flight' else 'pending' end as s"
        "       from generate_series(2, 100000) as i) as j",
        run_.run_id, worker_);
    Run("insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state, etag,"
        " md5) select $1, 50001 + i / 10, i % 10 + 1, 0, 10, s, case when s = 'done' then 'e' end,"
        " case when s = 'done' then decode(repeat('00', 16), 'hex') end"
        " from (select i, case when i % 20 < 18 then 'done' else 'pending' end as s"
        "       from generate_series(0, 19989) as i) as p",
        run_.run_id);
    session_.Transact([](pg::Transaction& tx) {
      tx.ExecuteText("analyze bucketferry.job");
      tx.ExecuteText("analyze bucketferry.part");
    });
  }
  template <typename... Values>
  std::string PlanOf(const char* statement, const Values&... values) {
    return session_.Transact([&](pg::Transaction& tx) {
      std::string plan;
      const std::string text = "explain " + session_.statements().Text(statement);
      for (const pg::Row row : tx.ExecuteText(text, values...)) {
        plan += row.Get<std::string>("QUERY PLAN") + "\n";
      }
      return plan;
    });
  }
  static void ExpectIndexOnly(const std::string& plan) {
    EXPECT_EQ(plan.find("Seq Scan on job"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Seq Scan on part"), std::string::npos) << plan;
    EXPECT_NE(plan.find("Index"), std::string::npos) << plan;
  }

  std::int64_t worker_ = 0;
  BegunRun run_;
};

TEST_F(HotStatementsTest, UseTheirIndexes) {
  Fill();
  const std::int64_t run = run_.run_id;
  using Ids = std::vector<std::int64_t>;
  using Texts = std::vector<std::string>;
  const std::string jobs = PlanOf("queries/claim_jobs", run, 60'000, 64, worker_);
  ExpectIndexOnly(jobs);
  EXPECT_EQ(jobs.find("Sort"), std::string::npos) << jobs;  // the limit ends the search
  ExpectIndexOnly(PlanOf("queries/claim_parts", run, 64, worker_));
  ExpectIndexOnly(PlanOf("queries/claim_retries", run, 64, worker_));
  ExpectIndexOnly(PlanOf("queries/claim_completions", run, 64, worker_));
  ExpectIndexOnly(PlanOf("queries/record_done", run, worker_, run_.task_id, Ids{50002, 50004},
                         Texts{"d", "d"}, Texts{"p", "p"}, Texts{"e", "e"}, Ids{1, 1}, Ids{1, 1},
                         Texts{"", ""}));
  ExpectIndexOnly(PlanOf("queries/record_failures", run, worker_, 5, Ids{50002, 50004},
                         Texts{"e", "e"}, Ids{1, 1}, std::vector<bool>{true, true},
                         std::vector<bool>{false, false}, Texts{"", "upload"}));
  ExpectIndexOnly(PlanOf("queries/record_parts", run, worker_, Ids{50001, 50001}, Ids{1, 2},
                         Texts{"e", "e"}, std::vector<pg::Bytes>{{"x"}, {"x"}}));
  ExpectIndexOnly(PlanOf("queries/requeue_jobs", run, Ids{worker_}));
  ExpectIndexOnly(PlanOf("queries/requeue_parts", run, Ids{worker_}));
}

TEST_F(HotStatementsTest, TheSumOfARunDoesNotCountItsJobs) {
  Fill();
  const std::string plan = PlanOf("queries/sum_run", run_.run_id);
  EXPECT_EQ(plan.find("on job"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("on part"), std::string::npos) << plan;
}

TEST_F(HotStatementsTest, AClaimAboveTheCursorIsAsQuickAtTheEndAsAtTheBeginning) {
  Fill();
  JobQueue queue(session_, worker_, 3);
  std::int64_t cursor = 99'000;
  const std::vector<Job> jobs = queue.ClaimJobs(run_.run_id, cursor, 64);
  ASSERT_EQ(jobs.size(), 64U);
  EXPECT_EQ(jobs.front().job_id, 99'001);
  EXPECT_EQ(cursor, jobs.back().job_id);
}

}  // namespace
}  // namespace ferry
