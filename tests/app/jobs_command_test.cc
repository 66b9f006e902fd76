// jobs and status over rows of a real database.
#include <gtest/gtest.h>

#include "batch/app/commands.h"
#include "batch/app/json_key.h"
#include "batch/base/error.h"
#include "batch/pg/migrator.h"
#include "tests/support/test_database.h"

namespace ferry {
namespace {

class JobsCommandTest : public testing::Test {
 protected:
  JobsCommandTest() {
    const pg::ConnectOptions options = database_.options();
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(options.uri);
    config_.database_schema = options.schema;
    for (const char* name : {"media", "other"}) {
      TaskConfig task;
      task.name = name;
      task.source = {"src", "in", ""};
      task.destination = {"dst", "out", ""};
      config_.tasks.push_back(task);
    }
    line_.json = true;
  }

  void Execute(const std::string& text) {
    pg::Session session(database_.options());
    session.Transact([&](pg::Transaction& tx) { tx.ExecuteScript(text, "rows"); });
  }

  // Runs 1 (complete), 2 (its worker died) of media and 3 of other, with 3 objects each.
  void Fill() {
    pg::Session session(database_.options());
    pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate);
    Execute(R"(
      insert into bucketferry.task (name, source_store, source_bucket, source_prefix,
        destination_store, destination_bucket, destination_prefix)
        select name, 'src', 'in', '', 'dst', 'out', '' from unnest(array['media', 'other']) name;
      insert into bucketferry.worker (host, process_id, leased_until)
        values ('h', 1, clock_timestamp() - interval '1 hour');
      insert into bucketferry.run (run_id, task_id, task_name, kind, state, started_at, planned_at,
        finished_at, source_objects, done, bytes_done, error) values
        (1, 1, 'media', 'scheduled', 'complete', '2026-03-01 12:00Z', '2026-03-01 12:00:01Z',
         '2026-03-01 12:00:05Z', 3, 3, 30, null),
        (2, 1, 'media', 'scheduled', 'copying', '2026-03-01 13:00Z', '2026-03-01 13:00:01Z', null,
         0, 0, 0, null),
        (3, 2, 'other', 'scheduled', 'failed', '2026-03-01 14:00Z', null, '2026-03-01 14:00:01Z',
         0, 0, 0, 'no such bucket');
      insert into bucketferry.tally (run_id, worker_id, planned, pending) values (2, 1, 3, 3);
      select bucketferry.ensure_partitions(1);
      insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,
        source_etag, source_modified_at, destination_etag, proof, error, finished_at)
        select run, job, ('\x61ff'::bytea || decode(lpad(job::text, 2, '0'), 'hex')), 'copy',
          'missing', case when job = 2 then 'dead' else 'done' end, 10, 'e',
          '2026-03-01Z', 'e', 'etag_md5', case when job = 2 then 'HTTP 403' end, '2026-03-02Z'
        from generate_series(1, 3) run, generate_series(1, 3) job;
      insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at,
        source_etag, destination_etag, proof, verdict) values
        (1, 'a/x', 1, 10, '2026-03-01Z', 'e', 'e', 'etag_md5', null),
        (1, 'b/y', 1, 10, '2026-03-01Z', 'e', null, null, 'archived');
    )");
  }

  std::vector<Json> Shown(int (*command)(const CommandContext&)) {
    testing::internal::CaptureStdout();
    CommandContext context{line_, config_, {}, environment_, clock_, {}};
    for (const TaskConfig& task : config_.tasks) context.tasks.push_back(&task);
    const int code = command(context);
    std::fflush(stdout);
    const std::string text = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, kExitDone);
    std::vector<Json> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      lines.push_back(Json::parse(text.substr(at, end - at)));
      at = end + 1;
    }
    return lines;
  }

  // "run/job" of each line.
  std::vector<std::string> Jobs() {
    std::vector<std::string> names;
    for (const Json& json : Shown(ShowJobs)) {
      names.push_back(std::to_string(json["run"].get<int>()) + "/" +
                      std::to_string(json["job"].get<int>()));
    }
    return names;
  }

  test::TestDatabase database_;
  Config config_;
  CommandLine line_;
  ProcessEnvironment environment_;
  SystemClock clock_;
};

using Names = std::vector<std::string>;

TEST_F(JobsCommandTest, NewestComesFirst) {
  Fill();
  EXPECT_EQ(Jobs(), (Names{"3/3", "3/2", "3/1", "2/3", "2/2", "2/1", "1/3", "1/2", "1/1"}));
}

TEST_F(JobsCommandTest, RunStateAndTaskNarrowItDown) {
  Fill();
  line_.run = 2;
  EXPECT_EQ(Jobs(), (Names{"2/3", "2/2", "2/1"}));
  line_.state = "dead";
  EXPECT_EQ(Jobs(), Names{"2/2"});
  line_.run.reset();
  config_.tasks.pop_back();
  EXPECT_EQ(Jobs(), (Names{"2/2", "1/2"}));
}

TEST_F(JobsCommandTest, AKeyOfAnyBytesIsFoundByItsEscapedForm) {
  Fill();
  line_.key = "a\\xff\\x03";
  EXPECT_EQ(Jobs(), (Names{"3/3", "2/3", "1/3"}));
  const Json first = Shown(ShowJobs).front();
  EXPECT_EQ(first["key_base64"], "Yf8D");
  EXPECT_FALSE(first.contains("key"));
}

TEST_F(JobsCommandTest, ALineHoldsTheWholeStory) {
  Fill();
  line_.state = "dead";
  line_.run = 1;
  EXPECT_EQ(ToLine(Shown(ShowJobs).front()),
            R"({"task":"media","run":1,"job":2,"key_base64":"Yf8C","state":"dead",)"
            R"("action":"copy","reason":"missing","attempts":0,"size_bytes":10,)"
            R"("error":"HTTP 403","source_etag":"e","source_version":null,)"
            R"("destination_etag":"e","proof":"etag_md5",)"
            R"("planned_at":)" +
                Shown(ShowJobs).front()["planned_at"].dump() +
                R"(,"finished_at":"2026-03-02T00:00:00.000Z"})");
}

TEST_F(JobsCommandTest, TheLedgerIsWhatIsThereNow) {
  Fill();
  line_.ledger = true;
  const std::vector<Json> lines = Shown(ShowJobs);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["key"], "a/x");
  EXPECT_TRUE(lines[0]["verdict"].is_null());
  EXPECT_EQ(lines[1]["verdict"], "archived");
  line_.key = "a/**";
  EXPECT_EQ(Shown(ShowJobs).size(), 1U);
  line_.run = 1;
  EXPECT_THROW(Shown(ShowJobs), Error);
  testing::internal::GetCapturedStdout();
}

TEST_F(JobsCommandTest, ADatabaseWithoutSchemaHasNoHistory) {
  EXPECT_TRUE(Jobs().empty());
  EXPECT_EQ(ToLine(Shown(ShowStatus).front()),
            R"({"tasks":[{"task":"media","active":false,"runs":[]},)"
            R"({"task":"other","active":false,"runs":[]}]})");
}

TEST_F(JobsCommandTest, StatusShowsARunWhoseWorkersDiedAsInterrupted) {
  Fill();
  const Json status = Shown(ShowStatus).front();
  const Json& media = status["tasks"][0];
  EXPECT_FALSE(media["active"].get<bool>());
  ASSERT_EQ(media["runs"].size(), 2U);
  EXPECT_EQ(media["runs"][0]["state"], "interrupted");
  EXPECT_TRUE(media["runs"][0]["finished_at"].is_null());
  EXPECT_EQ(media["runs"][0]["objects"]["pending"], 3);
  EXPECT_EQ(status["tasks"][1]["runs"][0]["error"], "no such bucket");
}

TEST_F(JobsCommandTest, StatusIsExactlyTheContract) {
  Fill();
  EXPECT_EQ(ToLine(Shown(ShowStatus).front()["tasks"][0]["runs"][1]),
            R"({"run":1,"state":"complete","started_at":"2026-03-01T12:00:00.000Z",)"
            R"("finished_at":"2026-03-01T12:00:05.000Z","objects":{"source":3,"planned":0,)"
            R"("pending":0,"in_flight":0,"retry_wait":0,"done":3,"adopted":0,"deleted":0,)"
            R"("dead":0,"vanished":0,"archived":0},"bytes":{"planned":0,"done":30},"retries":0,)"
            R"("requests":{"source":0,"destination":0},"error":null})");
}

TEST_F(JobsCommandTest, ASkippedRunDoesNotHideTheOneThatGoesOn) {
  Fill();
  Execute(
      "update bucketferry.worker set leased_until = clock_timestamp() + interval '1 hour';"
      "insert into bucketferry.run (run_id, task_id, task_name, kind, state, finished_at)"
      "  select 4, 1, 'media', 'scheduled', 'skipped', clock_timestamp() + interval '1 s'");
  line_.runs = 1;
  Json media = Shown(ShowStatus).front()["tasks"][0];
  EXPECT_TRUE(media["active"].get<bool>());
  ASSERT_EQ(media["runs"].size(), 1U);
  EXPECT_EQ(media["runs"][0]["state"], "copying");
  line_.runs = 2;
  media = Shown(ShowStatus).front()["tasks"][0];
  ASSERT_EQ(media["runs"].size(), 2U);
  EXPECT_EQ(media["runs"][0]["state"], "skipped");
  EXPECT_EQ(media["runs"][1]["state"], "copying");
}

}  // namespace
}  // namespace ferry
