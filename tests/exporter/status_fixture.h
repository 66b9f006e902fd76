// A schema with a task, and rows of it by SQL, for the tests of what the status page reads.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "batch/pg/migrator.h"
#include "batch/pg/session.h"
#include "exporter/database.h"
#include "exporter/objects.h"
#include "exporter/status_json.h"
#include "tests/exporter/exporter_fixture.h"
#include "tests/support/test_database.h"

namespace ferry::test {

class StatusFixture : public testing::Test {
 protected:
  using Parsed = nlohmann::json;

  StatusFixture() : session_(database_.options()) {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(database_.options().uri);
    config_.database_schema = database_.schema();
    pg::EnsureSchema(session_, pg::SchemaPolicy::kMigrate);
    Sql("create table bucketferry.job_all partition of bucketferry.job default;"
        "create table bucketferry.part_all partition of bucketferry.part default;"
        "insert into bucketferry.task (name, source_store, source_bucket, source_prefix,"
        "  destination_store, destination_bucket, destination_prefix)"
        " values ('media', 's', 'b', '', 'd', 'b', '')");
  }

  void Sql(const std::string& text) {
    session_.Transact([&](pg::Transaction& tx) { tx.ExecuteScript(text, "test"); });
  }
  void AddWorker(const std::string& lease = "1 hour") {  // ids 1, 2, ...
    Sql("insert into bucketferry.worker (host, process_id, leased_until)"
        " values ('node', 7, clock_timestamp() + interval '" +
        lease + "')");
  }
  // Begun an hour ago; a closed one took a minute.
  void AddRun(int run, const std::string& state, const std::string& columns = "",
              const std::string& values = "") {
    const bool open = state == "planning" || state == "copying";
    Sql("insert into bucketferry.run (run_id, task_id, task_name, kind, state, started_at,"
        "  planned_at, finished_at" +
        columns + ") values (" + std::to_string(run) + ", 1, 'media', 'scheduled', '" + state +
        "', now() - interval '60 min', now() - interval '59 min 50 s', " +
        (open ? "null" : "now() - interval '59 min'") + values + ")");
  }
  // `columns` and `values` are of what is not the same in all.
  void AddJob(int run, int job, const std::string& key, const std::string& state,
              const std::string& columns = "", const std::string& values = "") {
    const bool is_final = state == "dead" || state == "vanished";
    Sql("insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
        "  source_etag, source_modified_at, finished_at" +
        columns + ") values (" + std::to_string(run) + ", " + std::to_string(job) + ", '" + key +
        "', 'copy', 'missing', '" + state + "', 1000, 'e', now(), " +
        (is_final ? "now()" : "null") + values + ")");
  }

  std::string StatusText(exporter::Detail detail = exporter::Detail::kFull) {
    exporter::Database database(config_, clock_);
    const exporter::Status status = exporter::ReadStatus(
        config_, database, clock_, clock_.SteadyNow() + std::chrono::seconds(20), {}, detail);
    return exporter::ToJson(config_, status, {.detail = detail});
  }
  Parsed ReadJson(exporter::Detail detail = exporter::Detail::kFull) {
    return Parsed::parse(StatusText(detail));
  }
  Parsed Media() { return ReadJson().at("tasks").at(0); }

  SystemClock clock_;
  TestDatabase database_;
  Config config_ = MakeConfig({"media", "other"});
  pg::Session session_;
};

}  // namespace ferry::test
