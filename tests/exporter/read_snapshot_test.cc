// The statements of sql/metrics on a real PostgreSQL: rows in, the page's text out.
#include "exporter/read_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <regex>
#include <string>

#include "batch/pg/migrator.h"
#include "batch/pg/session.h"
#include "exporter/metrics_page.h"
#include "tests/exporter/exporter_fixture.h"
#include "tests/support/test_database.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;
using test::OfTask;
using test::ValueOf;

class ReadSnapshotTest : public testing::Test {
 protected:
  ReadSnapshotTest() : session_(database_.options()) {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(database_.options().uri);
    config_.database_schema = database_.schema();
  }

  void CreateSchema() { pg::EnsureSchema(session_, pg::SchemaPolicy::kMigrate); }

  void Sql(const std::string& text) {
    session_.Transact([&](pg::Transaction& tx) { tx.ExecuteScript(text, "test"); });
  }

  // One task row of the name, and a worker with a lease: ids 1, 2, ...
  void AddTask(const std::string& name, const std::string& bucket = "b") {
    Sql("insert into bucketferry.task (name, source_store, source_bucket, source_prefix,"
        "  destination_store, destination_bucket, destination_prefix)"
        " values ('" +
        name + "', 's', '" + bucket + "', '', 'd', 'b', '')");
  }
  void AddWorker(const std::string& lease = "1 hour") {
    Sql("insert into bucketferry.worker (host, process_id, leased_until)"
        " values ('h', 1, clock_timestamp() + interval '" +
        lease + "')");
  }
  void AddRun(int run, const std::string& state, const std::string& columns = "",
              const std::string& values = "") {
    const bool open = state == "planning" || state == "copying" || state == "interrupted";
    Sql("insert into bucketferry.run (run_id, task_id, task_name, kind, state, started_at,"
        "  planned_at, finished_at" +
        columns +
        ")"
        " select " +
        std::to_string(run) + ", task_id, name, 'scheduled', '" + state +
        "',"
        "  to_timestamp(1000.5 * " +
        std::to_string(run) +
        "),"
        "  to_timestamp(1000.5 * " +
        std::to_string(run) + " + 10)," +
        (open ? "null" : "to_timestamp(1000.5 * " + std::to_string(run) + " + 40)") + values +
        " from bucketferry.task order by task_id desc limit 1");
  }

  Snapshot Read(std::chrono::milliseconds budget = 5s) {
    Database database(config_, clock_);
    return SnapshotReader(config_, database, clock_, stop_.get_token()).Read(budget);
  }
  std::string Page() { return RenderMetrics(config_, Read(), {}); }

  SystemClock clock_;
  std::stop_source stop_;
  test::TestDatabase database_;
  Config config_ = test::MakeConfig({"media", "other"});
  pg::Session session_;
};

TEST_F(ReadSnapshotTest, WithoutASchemaEverythingIsAtZero) {
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, "bucketferry_up"), "1");
  EXPECT_EQ(ValueOf(page, "bucketferry_schema_version"), "0");
  EXPECT_EQ(ValueOf(page, "bucketferry_scrape_collector_success{collector=\"totals\"}"), "1");
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("runs_total", "other")), "0");
}

TEST_F(ReadSnapshotTest, WithoutARunEverythingIsAtZero) {
  CreateSchema();
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, "bucketferry_schema_version"), std::to_string(pg::ProgramVersion()));
  EXPECT_EQ(ValueOf(page, OfTask("task_created_timestamp_seconds")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_started_run_id")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("objects_copied_total")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("oldest_pending_timestamp_seconds")), "absent");
  for (const CollectorResult& collector : Read().collectors) {
    EXPECT_TRUE(collector.success) << collector.name;
    EXPECT_GT(collector.seconds, 0) << collector.name;
  }
}

TEST_F(ReadSnapshotTest, OpenUploadsAreCountedOverGenerationsAndWhateverBecomesOfThem) {
  CreateSchema();
  AddTask("media", "one");
  AddTask("media", "two");
  EXPECT_EQ(ValueOf(Page(), OfTask("open_uploads")), "0");
  Sql("insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id, part_bytes,"
      "  size_bytes, source_etag, source_modified_at, source_version, abandoned_at)"
      " values ('a', 1, 'k', 1, 1, 'u', 1, 1, '', now(), '', null),"
      "  ('b', 2, 'k', 1, 1, null, 1, 1, '', now(), '', null),"
      "  ('c', 2, 'k', 1, 1, 'v', 1, 1, '', now(), '', now())");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("open_uploads")), "3");
  EXPECT_EQ(ValueOf(page, OfTask("open_uploads", "other")), "0");
}

TEST_F(ReadSnapshotTest, EventsThatWaitAreCountedByTask) {
  CreateSchema();
  EXPECT_EQ(ValueOf(Page(), OfTask("events_waiting")), "0");
  EXPECT_EQ(ValueOf(Page(), OfTask("oldest_waiting_event_timestamp_seconds")), "absent");
  Sql("insert into bucketferry.event (task, key, told_at)"
      " values ('media', 'a', to_timestamp(1000)), ('media', 'b', to_timestamp(2000)),"
      " ('unknown', 'a', to_timestamp(1000))");
  Sql("insert into bucketferry.event_aside (source, message_id, reason, body)"
      " values ('webhook', '', 'no JSON', '{')");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("events_waiting")), "2");
  EXPECT_EQ(ValueOf(page, OfTask("oldest_waiting_event_timestamp_seconds")), "1000");
  EXPECT_EQ(ValueOf(page, OfTask("events_waiting", "other")), "0");
  EXPECT_EQ(ValueOf(page, "bucketferry_events_set_aside"), "1");
}

TEST_F(ReadSnapshotTest, ObjectsThatAreBeingRestoredAreCountedAsLongAsSomebodyLooksAtThem) {
  CreateSchema();
  AddTask("media");
  EXPECT_EQ(ValueOf(Page(), OfTask("task_objects_being_restored")), "0");
  Sql("insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_etag,"
      "  source_modified_at, verdict, recorded_at)"
      " values (1, 'a', 1, 1, 'e', now(), 'being_restored', now()),"
      "  (1, 'b', 1, 1, 'e', now(), 'being_restored', now() - interval '8 days'),"
      "  (1, 'c', 1, 1, 'e', now(), 'archived', now())");
  EXPECT_EQ(ValueOf(Page(), OfTask("task_objects_being_restored")), "1");
}

TEST_F(ReadSnapshotTest, LevelsAreSumsOverWorkersOfOpenRuns) {
  CreateSchema();
  AddTask("media");
  AddWorker();
  AddWorker();
  AddWorker("-1 second");
  AddRun(1, "complete");
  AddRun(2, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id, pending, in_flight, retry_wait,"
      "  bytes_pending, bytes_in_flight, parts_pending, parts_in_flight, done, bytes_done)"
      " values (2, 1, 10, 0, 0, 1000, 0, 7, 0, 0, 0), (2, 2, -4, 3, 1, -400, 300, -2, 2, 5, 50),"
      "        (2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 10)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_active")), "1");
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"pending\"}"), "6");
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"in_flight\"}"), "3");
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"retry_wait\"}"), "1");
  EXPECT_EQ(ValueOf(page, "bucketferry_parts{task=\"media\",state=\"pending\"}"), "5");
  EXPECT_EQ(ValueOf(page, "bucketferry_parts{task=\"media\",state=\"in_flight\"}"), "2");
  EXPECT_EQ(ValueOf(page, OfTask("pending_bytes")), "600");
  EXPECT_EQ(ValueOf(page, OfTask("in_flight_bytes")), "300");
  EXPECT_EQ(ValueOf(page, OfTask("workers")), "2");
  EXPECT_EQ(ValueOf(page, OfTask("oldest_pending_timestamp_seconds")), "2001");
  EXPECT_EQ(ValueOf(page, OfTask("objects_copied_total")), "6");
  EXPECT_EQ(ValueOf(page, OfTask("bytes_copied_total")), "60");
  EXPECT_EQ(ValueOf(page, OfTask("task_active", "other")), "0");
}

TEST_F(ReadSnapshotTest, ARunThatNobodyWorksOnIsNotActive) {
  CreateSchema();
  AddTask("media");
  AddWorker("-1 second");
  AddRun(1, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id, pending) values (1, 1, 10)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_active")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("workers")), "0");
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"pending\"}"), "10");
}

TEST_F(ReadSnapshotTest, ACompleteRunLeftNothingUndoneWhateverItNeedNotSend) {
  CreateSchema();
  AddTask("media");
  AddRun(1, "complete", ", adopted, bytes_planned, bytes_done", ", 3, 100, 0");
  EXPECT_EQ(ValueOf(Page(), "bucketferry_task_last_run_bytes{task=\"media\",outcome=\"not_done\"}"),
            "0");
}

TEST_F(ReadSnapshotTest, ARetryThatIsCompleteIsNoSuccessOfTheSchedule) {
  CreateSchema();
  AddTask("media");
  AddRun(1, "complete");
  AddRun(2, "incomplete");
  AddRun(3, "complete");
  Sql("update bucketferry.run set kind = 'retry' where run_id = 3");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_last_success_timestamp_seconds")), "1040.5");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_completed_run_id")), "3");
}

TEST_F(ReadSnapshotTest, LastRunsAreOfTheirKind) {
  CreateSchema();
  AddTask("media");
  AddRun(1, "complete");
  AddRun(2, "incomplete", ", done, dead, vanished, archived, adopted, bytes_planned, bytes_done",
         ", 5, 2, 1, 3, 4, 100, 80");
  AddRun(3, "failed");
  AddRun(4, "skipped");
  std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_last_started_run_id")), "3");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_start_timestamp_seconds")), "3001.5");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_completed_run_id")), "2");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_completion_timestamp_seconds")), "2041");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_success_timestamp_seconds")), "1040.5");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_failed_run_id")), "3");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_failure_timestamp_seconds")), "3041.5");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_progress_timestamp_seconds")), "3041.5");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_run_success")), "0");

  Sql("delete from bucketferry.run where run_id > 2");
  page = Page();
  const auto objects = [&](const std::string& outcome) {
    return ValueOf(page,
                   "bucketferry_task_last_run_objects{task=\"media\",outcome=\"" + outcome + "\"}");
  };
  EXPECT_EQ(objects("done"), "5");
  EXPECT_EQ(objects("dead"), "2");
  EXPECT_EQ(objects("vanished"), "1");
  EXPECT_EQ(objects("archived"), "3");
  EXPECT_EQ(objects("adopted"), "4");
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"dead\"}"), "2");
  EXPECT_EQ(ValueOf(page, "bucketferry_task_last_run_bytes{task=\"media\",outcome=\"done\"}"),
            "80");
  EXPECT_EQ(ValueOf(page, "bucketferry_task_last_run_bytes{task=\"media\",outcome=\"not_done\"}"),
            "20");
  EXPECT_EQ(
      ValueOf(page, "bucketferry_task_last_run_duration_seconds{task=\"media\",phase=\"plan\"}"),
      "10");
  EXPECT_EQ(
      ValueOf(page, "bucketferry_task_last_run_duration_seconds{task=\"media\",phase=\"copy\"}"),
      "30");
}

TEST_F(ReadSnapshotTest, TheLatestRunMayBeComplete) {
  CreateSchema();
  AddTask("media");
  AddRun(1, "failed");
  AddRun(2, "complete");
  AddRun(3, "copying");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_last_run_success")), "1");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_started_run_id")), "3");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_completed_run_id")), "2");
}

TEST_F(ReadSnapshotTest, TotalsAddGenerationsAndWhatIsNotFoldedYet) {
  CreateSchema();
  AddTask("media", "old");
  AddTask("media", "new");
  AddWorker();
  AddRun(1, "interrupted");
  AddRun(2, "planning");
  Sql("update bucketferry.task set runs = 3, runs_failed = 1, runs_skipped = 2,"
      "  objects_copied = 100, objects_dead = 10, objects_vanished = 5, parts_copied = 50,"
      "  bytes_copied = 1000, source_bytes_read = 2000, destination_bytes_written = 3000,"
      "  created_at = to_timestamp(1000 * task_id)");
  Sql("insert into bucketferry.tally (run_id, worker_id, done, dead, vanished, parts_done,"
      "  bytes_done, source_bytes_read, destination_bytes_written)"
      " values (1, 1, 1, 1, 1, 1, 1, 1, 1), (2, 1, 2, 2, 2, 2, 2, 2, 2)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_created_timestamp_seconds")), "1000");
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "6");
  EXPECT_EQ(ValueOf(page, OfTask("runs_failed_total")), "2");
  EXPECT_EQ(ValueOf(page, OfTask("runs_skipped_total")), "4");
  EXPECT_EQ(ValueOf(page, OfTask("objects_copied_total")), "203");
  EXPECT_EQ(ValueOf(page, OfTask("objects_failed_total")), "23");
  EXPECT_EQ(ValueOf(page, OfTask("objects_vanished_total")), "13");
  EXPECT_EQ(ValueOf(page, OfTask("parts_copied_total")), "103");
  EXPECT_EQ(ValueOf(page, OfTask("bytes_copied_total")), "2003");
  EXPECT_EQ(ValueOf(page, OfTask("source_bytes_read_total")), "4003");
  EXPECT_EQ(ValueOf(page, OfTask("destination_bytes_written_total")), "6003");
}

// Closing folds the tallies; what a graph shows before and after is one line that never falls.
TEST_F(ReadSnapshotTest, TotalsStayWhenARunCloses) {
  CreateSchema();
  AddTask("media");
  AddWorker();
  AddRun(1, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id, done, bytes_done) values (1, 1, 7, 70)");
  EXPECT_EQ(ValueOf(Page(), OfTask("objects_copied_total")), "7");
  session_.Transact([](pg::Transaction& tx) {
    tx.Execute("queries/close_run", std::int64_t{1}, "complete", std::nullopt);
  });
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("objects_copied_total")), "7");
  EXPECT_EQ(ValueOf(page, OfTask("bytes_copied_total")), "70");
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "1");
  EXPECT_EQ(ValueOf(page, OfTask("task_last_run_success")), "1");
}

TEST_F(ReadSnapshotTest, ReadsRefreshTargets) {
  CreateSchema();
  config_.tasks.front().refresh = {"gateway", "cdn"};
  Sql("insert into bucketferry.refresh (task_name, target, required_run_id, acknowledged_run_id,"
      "  required_seq, requests, failures) values ('media', 'gateway', 9, 8, 1, 4, 1), ('x', "
      "'cdn', 1, 1, 1, 1, 1)");
  const std::string page = Page();
  const auto value = [&](const std::string& name, const std::string& target) {
    return ValueOf(page, name + "{task=\"media\",target=\"" + target + "\"}");
  };
  EXPECT_EQ(value("bucketferry_refresh_required_run_id", "gateway"), "9");
  EXPECT_EQ(value("bucketferry_refresh_acknowledged_run_id", "gateway"), "8");
  EXPECT_EQ(value("bucketferry_refresh_required_run_id", "cdn"), "0");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_requests_total{target=\"gateway\"}"), "4");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_requests_total{target=\"cdn\"}"), "1")
      << "a task that is no more asked it, too";
}

TEST_F(ReadSnapshotTest, OneUnreadableGroupLeavesTheOthers) {
  CreateSchema();
  AddTask("media");
  Sql("drop table bucketferry.tally cascade");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, "bucketferry_up"), "1");
  EXPECT_EQ(ValueOf(page, "bucketferry_scrape_collector_success{collector=\"totals\"}"), "0");
  EXPECT_EQ(ValueOf(page, "bucketferry_scrape_collector_success{collector=\"refresh\"}"), "1");
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "absent");
  EXPECT_EQ(ValueOf(page, OfTask("task_info")), "absent");  // its labels are more
  EXPECT_EQ(ValueOf(page, OfTask("task_expected_interval_seconds")), "3600");
}

TEST_F(ReadSnapshotTest, ALockedTableCostsNoMoreThanTheScrapesTime) {
  CreateSchema();
  pg::Transaction blocker(session_);
  blocker.ExecuteText("lock table bucketferry.refresh");
  const SteadyTime started = clock_.SteadyNow();
  const Snapshot snapshot = Read(500ms);
  EXPECT_LT(clock_.SteadyNow() - started, 1500ms);
  EXPECT_TRUE(snapshot.up);
  EXPECT_TRUE(snapshot.totals);
  EXPECT_FALSE(snapshot.refresh);
}

// The statement as README.md has it.
std::string DocumentedGrant(const std::string& schema, const std::string& role) {
  std::ifstream file(FERRY_SOURCE_DIR "/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = readme.find("grant select on bucketferry.");
  const std::string grant = readme.substr(begin, readme.find(';', begin) - begin);
  return std::regex_replace(std::regex_replace(grant, std::regex("bucketferry_exporter"), role),
                            std::regex("bucketferry\\."), schema + ".");
}

TEST_F(ReadSnapshotTest, TheDocumentedRightsOfItsRoleAreEnough) {
  CreateSchema();
  const std::string role = database_.schema() + "_reader";
  Sql("create role " + role + "; grant usage on schema " + database_.schema() + " to " + role +
      "; " + DocumentedGrant(database_.schema(), role));
  const std::string uri = database_.options().uri;
  const bool is_uri = uri.starts_with("postgres");
  config_.database.uri = Secret(is_uri ? uri + (uri.find('?') == std::string::npos ? "?" : "&") +
                                             "options=-crole%3D" + role
                                       : uri + " options='-crole=" + role + "'");
  for (const CollectorResult& collector : Read().collectors) {
    EXPECT_TRUE(collector.success) << collector.name;
  }
  Sql("drop owned by " + role + "; drop role " + role);
}

TEST_F(ReadSnapshotTest, ADatabaseThatIsAwayLeavesNoNumbers) {
  config_.database.uri = Secret("postgresql://nobody@127.0.0.1:1/none");
  const Snapshot snapshot = Read();
  EXPECT_FALSE(snapshot.up);
  const std::string page = RenderMetrics(config_, snapshot, {});
  EXPECT_EQ(ValueOf(page, "bucketferry_up"), "0");
  EXPECT_EQ(page.find("task="), std::string::npos);
  EXPECT_EQ(page.find("schema_version"), std::string::npos);
}

}  // namespace
}  // namespace ferry::exporter
