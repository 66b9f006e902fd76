// The plans of the statements that run all the time, on tables as large as they get: an index is
// used, and nothing is searched from the front.
#include <cstdlib>
#include <nlohmann/json.hpp>

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
  ExpectIndexOnly(PlanOf("queries/claim_parts", run, 64, worker_, 1));
  ExpectIndexOnly(PlanOf("queries/claim_retries", run, 64, worker_));
  ExpectIndexOnly(PlanOf("queries/claim_completions", run, 64, worker_));
  ExpectIndexOnly(PlanOf("queries/record_done", run, worker_, run_.task_id, Ids{50002, 50004},
                         Texts{"d", "d"}, Texts{"p", "p"}, Texts{"e", "e"}, Ids{1, 1}, Ids{1, 1},
                         Texts{"", ""}));
  ExpectIndexOnly(PlanOf("queries/record_failures", run, worker_, 5, Ids{50002, 50004},
                         Texts{"e", "e"}, Ids{1, 1}, std::vector<bool>{true, true},
                         std::vector<bool>{false, false}, Texts{"", "upload"}));
  ExpectIndexOnly(PlanOf("queries/record_parts", run, worker_, Ids{50001, 50001}, Ids{1, 2},
                         Texts{"e", "e"}, std::vector<pg::Bytes>{{"x"}, {"x"}}, Texts{"u", "u"},
                         Texts{"", ""}));
  ExpectIndexOnly(PlanOf("queries/requeue_jobs", run, Ids{worker_}, std::vector<bool>{true}, 10));
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

// A run that has been going on for long, while somebody's snapshot keeps every row version that it
// left behind: nothing can be cleaned up, and no index entry be skipped.
class DeadRowsTest : public QueueFixture {
 protected:
  static constexpr std::int64_t kFresh = 500;  // pending jobs, and as many pending parts

  // tests/run --all asks for a million.
  static std::int64_t DeadRows() {
    const char* const given = std::getenv("BUCKETFERRY_TEST_DEAD_ROWS");
    return given == nullptr ? 40'000 : std::atoll(given);
  }

  void Fill() {
    worker_ = NewWorker();
    lost_ = NewWorker();
    run_ = BeginRun(session_, Place(), RunKind::kScheduled, worker_);
    holder_.ExecuteText("select count(*) from bucketferry.run");  // the snapshot is taken
    first_fresh_ = DeadRows() + 1;
    AddJobsAndParts(1, DeadRows());
    // Claimed, failed once, claimed again, done: four versions of each, in all partial indexes.
    const char* const steps[] = {
        "update bucketferry.job set state = 'in_flight', worker_id = $1 where job_id < $2",
        "update bucketferry.job set state = 'retry_wait', worker_id = null, retry_at ="
        " clock_timestamp() where job_id < $2 and $1 > 0",
        "update bucketferry.job set state = 'in_flight', worker_id = $1, retry_at = null"
        " where job_id < $2",
        "update bucketferry.job set state = 'done', worker_id = null, finished_at = now(),"
        " proof = 'etag_md5', destination_etag = 'd' where job_id < $2 and $1 > 0",
        "update bucketferry.part set state = 'in_flight', worker_id = $1 where job_id < $2",
        "update bucketferry.part set state = 'done', worker_id = null, etag = 'e',"
        " md5 = decode(repeat('00', 16), 'hex') where job_id < $2 and $1 > 0"};
    for (const char* const step : steps) Run(step, worker_, first_fresh_);
    // A day of renewals, and an hour of tallies.
    Churn("update bucketferry.worker set leased_until = leased_until + interval '1 s'", 5'000);
    Run("update bucketferry.tally set slot = 1");
    Churn("update bucketferry.tally set done = done + 1", 10'000);
  }
  // What is there to be claimed now. The parts are of objects in flight.
  void AddFresh() {
    AddJobsAndParts(first_fresh_, 2 * kFresh);
    Run("update bucketferry.job set state = 'in_flight', upload_id = 'u', part_bytes = 10,"
        " parts_left = 1 where job_id >= $1",
        first_fresh_ + kFresh);
    session_.Transact([&](pg::Transaction& tx) {
      AddTally(tx, run_.run_id, worker_,
               {.pending = kFresh, .in_flight = kFresh, .parts_pending = 2 * kFresh});
    });
  }
  void AddJobsAndParts(std::int64_t first, std::int64_t count) {
    Run("insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag,"
        " source_modified_at) select $1, i, ('in/' || i)::bytea, 'copy', 'missing', 100, 'e', now()"
        " from generate_series($2::bigint, $3::bigint) as i",
        run_.run_id, first, first + count - 1);
    Run("insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes)"
        " select $1, i, 1, 0, 10 from generate_series($2::bigint, $3::bigint) as i",
        run_.run_id, first, first + count - 1);
    session_.Transact([](pg::Transaction& tx) {
      tx.ExecuteText("analyze bucketferry.job");
      tx.ExecuteText("analyze bucketferry.part");
    });
  }
  void Churn(const std::string& update, std::int64_t times) {
    Run(("do $$ begin for i in 1.." + std::to_string(times) + " loop " + update +
         "; end loop; end $$")
            .c_str());
  }
  // Pages that the statement touches; what it does is rolled back.
  template <typename... Values>
  std::int64_t PagesOf(const char* statement, const Values&... values) {
    pg::Transaction tx(session_);
    tx.ExecuteText("select setseed(0.5)");  // claim_parts does not look in spite of the tally
    const std::string text = "explain (analyze, buffers, format json) ";
    const pg::Rows rows = tx.ExecuteText(text + session_.statements().Text(statement), values...);
    const auto plan = nlohmann::json::parse(rows.One().Get<std::string>("QUERY PLAN"))[0]["Plan"];
    plan_ = std::string(statement) + "\n" + Indented(plan, 0);
    return plan["Shared Hit Blocks"].get<std::int64_t>() +
           plan["Shared Read Blocks"].get<std::int64_t>();
  }

  static std::string Indented(const nlohmann::json& node, std::size_t depth) {
    const std::int64_t pages = node["Shared Hit Blocks"].get<std::int64_t>() +
                               node["Shared Read Blocks"].get<std::int64_t>();
    std::string text = std::string(2 * depth, ' ') + node["Node Type"].get<std::string>() + " " +
                       node.value("Index Name", node.value("Relation Name", "")) + ": " +
                       std::to_string(pages) + " pages\n";
    if (!node.contains("Plans")) return text;
    for (const auto& child : node["Plans"]) text += Indented(child, depth + 1);
    return text;
  }

  std::string plan_;  // of the last, for people
  std::int64_t worker_ = 0;
  std::int64_t lost_ = 0;
  std::int64_t first_fresh_ = 0;
  BegunRun run_;
  pg::Session holder_session_{database_.options()};
  pg::Transaction holder_{holder_session_,
                          {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly}};
};

TEST_F(DeadRowsTest, StatementsThatRunAllTheTimeTouchFewPagesHoweverMuchLiesBehindThem) {
  constexpr std::int64_t kRows = 64;
  constexpr std::int64_t kPagesOfARow = 100;  // its versions, and an entry in each of its indexes
  constexpr std::int64_t kPagesOfOne = 400;   // a row of a day's or ten minutes' versions
  constexpr std::int64_t kPagesOfMany = kPagesOfOne + kRows * kPagesOfARow;
  Fill();
  const std::int64_t run = run_.run_id;
  // Nothing to claim: the polls of a worker that waits for the last objects of others.
  EXPECT_LT(PagesOf("queries/claim_jobs", run, 0, kRows, worker_), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/claim_jobs", run, first_fresh_, kRows, worker_), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/claim_retries", run, kRows, worker_), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/claim_parts", run, kRows, worker_, 0), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/claim_completions", run, kRows, worker_), kPagesOfOne) << plan_;

  AddFresh();
  EXPECT_LT(PagesOf("queries/claim_jobs", run, first_fresh_ - 1, kRows, worker_), kPagesOfMany)
      << plan_;
  EXPECT_LT(PagesOf("queries/claim_parts", run, kRows, worker_, first_fresh_), kPagesOfMany)
      << plan_;
  using Ids = std::vector<std::int64_t>;
  using Texts = std::vector<std::string>;
  Ids ids, ones;
  Texts texts;
  std::vector<pg::Bytes> md5s;
  for (std::int64_t i = 0; i < kRows; ++i) {
    ids.push_back(first_fresh_ + i);
    ones.push_back(1);
    texts.emplace_back("e");
    md5s.push_back(pg::Bytes{std::string(16, 'x')});
  }
  Run("update bucketferry.job set state = 'in_flight', worker_id = $1 where job_id = any($2)",
      worker_, ids);
  Run("update bucketferry.part set state = 'in_flight', worker_id = $1 where job_id = any($2)",
      worker_, ids);
  EXPECT_LT(PagesOf("queries/record_done", run, worker_, run_.task_id, ids, texts, texts, texts,
                    ones, ones, texts),
            kPagesOfMany)
      << plan_;
  const std::vector<bool> flags(kRows, true);
  EXPECT_LT(PagesOf("queries/record_failures", run, worker_, 5, ids, texts, ones, flags, flags,
                    Texts(kRows, "")),
            kPagesOfMany)
      << plan_;
  EXPECT_LT(PagesOf("queries/record_verdicts", run, worker_, run_.task_id, ids,
                    Texts(kRows, "vanished"), texts, texts),
            kPagesOfMany)
      << plan_;
  EXPECT_LT(PagesOf("queries/record_parts", run, worker_, ids, ones, texts, md5s, texts, texts),
            kPagesOfMany)
      << plan_;
  EXPECT_LT(PagesOf("queries/return_parts", run, worker_, ids, ones, texts), kPagesOfMany) << plan_;
  EXPECT_LT(PagesOf("queries/lock_jobs", run, ids), kPagesOfMany) << plan_;
  EXPECT_LT(PagesOf("queries/requeue_jobs", run, Ids{lost_}, std::vector<bool>{true}, 10),
            kPagesOfOne)
      << plan_;
  EXPECT_LT(PagesOf("queries/requeue_parts", run, Ids{lost_}), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/lock_run", run), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/check_worker", worker_), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/renew_worker", worker_, 60'000), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/merge_tallies", run, worker_), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/hold_run", run), kPagesOfOne) << plan_;
  EXPECT_LT(PagesOf("queries/read_run", run), kPagesOfMany) << plan_;
  EXPECT_LT(PagesOf("queries/drop_parts_of_dead", run, ids), kPagesOfMany) << plan_;
  const auto add_tally = [&](auto... zeros) {
    return PagesOf("queries/add_tally", run, worker_, zeros...);
  };
  EXPECT_LT(add_tally(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, true),
            kPagesOfOne)
      << plan_;
}

}  // namespace
}  // namespace ferry
