// The plans of the status page's statements on large tables: by index, and nothing is counted.
#include "tests/exporter/status_fixture.h"

namespace ferry::exporter {
namespace {

class StatusPlansTest : public test::StatusFixture {
 protected:
  // Fifty runs, one of which goes on; 60,000 jobs, of which a few are dead, vanished or in flight.
  void Fill() {
    AddWorker();
    Sql("insert into bucketferry.run (run_id, task_id, task_name, kind, state, planned_at,"
        "  finished_at) select i, 1, 'media', 'scheduled', case i when 350 then 'copying' else"
        "  'complete' end, now(), case when i < 350 then clock_timestamp() + interval '1 s' end"
        " from generate_series(301, 350) as i;"
        "insert into bucketferry.tally (run_id, worker_id) values (350, 1);"
        "insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
        "  source_etag, source_modified_at, finished_at, error, worker_id, proof, destination_etag,"
        "  upload_id, part_bytes, parts_left)"
        " select 345 + i % 6, i, ('in/' || i)::bytea, 'copy', 'missing', s, 100, 'e', now(),"
        "  case when s <> 'in_flight' then now() end, case when s = 'dead' then 'why' end,"
        "  case when s = 'in_flight' then 1 end, case when s = 'done' then 'etag_md5' end,"
        "  case when s = 'done' then 'd' end, case when s = 'in_flight' then 'u' || i end,"
        "  case when s = 'in_flight' then 10 end, case when s = 'in_flight' then 3 end"
        " from (select i, case when i % 1000 = 1 then 'dead' when i % 1000 = 2 then 'vanished'"
        "                      when i % 1000 = 5 then 'in_flight' else 'done' end as s"
        "       from generate_series(1, 60000) as i) as j;"
        "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state,"
        "  worker_id, etag, md5)"
        " select 350, i / 10, i % 10 + 1, 0, 10, s, case when s = 'in_flight' then 1 end,"
        "  case when s = 'done' then 'e' end,"
        "  case when s = 'done' then decode(repeat('00', 16), 'hex') end"
        " from (select i, case when i % 2000 = 0 then 'in_flight' else 'done' end as s"
        "       from generate_series(10, 20000) as i) as p;"
        "insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id,"
        "  part_bytes, size_bytes, source_etag, source_modified_at, source_version)"
        " select i, 1, i::text::bytea, 350, i, 'u' || i, 10, 100, 'e', now(), ''"
        " from generate_series(5, 5005, 1000) as i;"
        "insert into bucketferry.notification (run_id, event, target, task_name, state,"
        "  finished_at) select run_id, 'ended', t::text, 'media', 'sent', now()"
        " from bucketferry.run, generate_series(1, 200) as t;"
        "analyze bucketferry.job; analyze bucketferry.part; analyze bucketferry.run;"
        "analyze bucketferry.upload; analyze bucketferry.notification");
  }

  template <typename... Values>
  void ExpectByIndex(const std::string& statement, const Values&... values) {
    session_.Transact([&](pg::Transaction& tx) {
      std::string plan;
      const std::string text = "explain " + session_.statements().Text("metrics/" + statement);
      for (const pg::Row row : tx.ExecuteText(text, values...)) {
        plan += row.Get<std::string>("QUERY PLAN") + "\n";
      }
      for (const char* const table : {"job", "part", "notification", "ledger"}) {
        EXPECT_EQ(plan.find(std::string("Seq Scan on ") + table), std::string::npos)
            << statement << ":\n"
            << plan;
      }
    });
  }
};

TEST_F(StatusPlansTest, AreByIndex) {
  Fill();
  const std::vector<std::string> tasks = {"media", "other"};
  const pg::Bytes none;
  ExpectByIndex("status_runs", tasks, 20, true);
  ExpectByIndex("status_tasks", tasks);
  ExpectByIndex("status_parts", tasks);
  ExpectByIndex("status_workers", tasks, 200);
  ExpectByIndex("status_in_flight", tasks, 200, 100, 4, true);
  ExpectByIndex("status_notifications", tasks, std::vector<std::int64_t>{349, 350}, 50, true);
  ExpectByIndex("status_run", "media", std::optional<std::int64_t>());
  ExpectByIndex("status_objects", 350, "dead", 0, 20'000, 50, none, "");
  ExpectByIndex("status_objects", 350, "vanished", 0, 20'000, 50, none, "");
}

// In the run that the page shows, from the end of the index at which the youngest entries are.
TEST_F(StatusPlansTest, WhatIsHeldIsLookedForFromTheYoungEnd) {
  Fill();
  const std::vector<std::string> tasks = {"media"};
  session_.Transact([&](pg::Transaction& tx) {
    int backward = 0;
    const std::string text = "explain " + session_.statements().Text("metrics/status_in_flight");
    for (const pg::Row row : tx.ExecuteText(text, tasks, 200, 100, 4, true)) {
      const auto line = row.Get<std::string>("QUERY PLAN");
      backward += line.find("Index Scan Backward") != std::string::npos ||
                  line.find("Index Only Scan Backward") != std::string::npos;
    }
    EXPECT_EQ(backward, 2);
  });
}

}  // namespace
}  // namespace ferry::exporter
