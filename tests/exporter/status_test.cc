// What the status page is told, from rows to JSON.
#include "exporter/status.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/exporter/status_fixture.h"

namespace ferry::exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

using StatusTest = test::StatusFixture;

TEST_F(StatusTest, HasTheTasksOfTheConfigurationAlsoBeforeAnyRun) {
  Sql("drop schema " + database_.schema() + " cascade");
  const Parsed status = ReadJson();
  ASSERT_EQ(status.at("tasks").size(), 2U);
  EXPECT_EQ(status["tasks"][0]["task"], "media");
  EXPECT_EQ(status["tasks"][1]["state"], "never ran");
  EXPECT_EQ(status["tasks"][1]["source"], "overseas/media-src/in/");
  EXPECT_EQ(status["tasks"][1]["interval_seconds"], 3600);
  EXPECT_EQ(status["tasks"][1]["overdue"], false);
  EXPECT_TRUE(status["not_read"].empty());
}

TEST_F(StatusTest, SaysHowFarARunIsAlsoInsideLargeObjects) {
  AddWorker();
  AddRun(300, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id, planned, pending, in_flight, retry_wait,"
      "  done, dead, bytes_planned, bytes_pending, bytes_in_flight, bytes_done)"
      " values (300, 1, 10, 2, 3, 1, 3, 1, 10000, 3000, 3000, 3000)");
  // Two of four parts are there; of another object, that waits for its next try, one.
  AddJob(300, 1, "big", "in_flight", ", upload_id, part_bytes, parts_left", ", 'u', 250, 2");
  AddJob(300, 2, "next", "retry_wait", ", retry_at, upload_id, part_bytes, parts_left",
         ", now(), 'v', 250, 3");
  AddJob(300, 3, "small", "in_flight", ", worker_id", ", 1");
  Sql("insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id, part_bytes,"
      "  size_bytes, source_etag, source_modified_at, source_version)"
      " select job_id, 1, key, run_id, job_id, upload_id, 250, 1000, 'e', now(), ''"
      " from bucketferry.job where upload_id is not null");
  const Parsed media = Media();
  EXPECT_EQ(media["active"], true);
  EXPECT_EQ(media["state"], "copying");
  const Parsed& run = media["runs"][0];
  EXPECT_EQ(run["open"], true);
  EXPECT_EQ(run["objects"]["planned"], 10);
  EXPECT_EQ(run["objects"]["final"], 4);
  EXPECT_EQ(run["bytes"]["planned"], 10000);
  EXPECT_EQ(run["bytes"]["final"], 4000 + 500 + 250);
  EXPECT_NEAR(run["seconds"], 3600, 60);
}

TEST_F(StatusTest, ShowsARunThatNobodyWorksOnAsInterrupted) {
  AddWorker("-1 second");
  AddRun(300, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id, planned, pending) values (300, 1, 2, 2)");
  const Parsed media = Media();
  EXPECT_EQ(media["active"], false);
  EXPECT_EQ(media["state"], "interrupted");
  EXPECT_EQ(media["runs"][0]["open"], true);
}

TEST_F(StatusTest, ATaskHasTheStateOfItsLatestRunThatWasNotSkipped) {
  AddRun(300, "failed", ", error", ", 'the list of far/src cannot be read'");
  AddRun(301, "skipped");
  const Parsed media = Media();
  EXPECT_EQ(media["state"], "failed");
  EXPECT_EQ(media["runs"].size(), 2U);
  EXPECT_EQ(media["runs"][0]["state"], "skipped");
  EXPECT_EQ(media["runs"][1]["error"], "the list of far/src cannot be read");
}

TEST_F(StatusTest, ATaskIsOverdueAfterTwoAndAHalfIntervals) {
  AddRun(300, "complete");
  Sql("update bucketferry.run set started_at = now() - interval '3 h',"
      "  finished_at = now() - interval '149 min'");
  EXPECT_EQ(Media()["overdue"], false);
  Sql("update bucketferry.run set finished_at = now() - interval '151 min'");
  EXPECT_EQ(Media()["overdue"], true);
  config_.tasks.front().interval = {};
  EXPECT_EQ(Media()["overdue"], false) << "nothing is due without an interval";
}

TEST_F(StatusTest, ShowsWhatEachWorkerDoesNow) {
  AddWorker();
  AddWorker();
  AddWorker("-1 second");
  AddRun(300, "planning");
  Sql("update bucketferry.run set planner_id = 2;"
      "insert into bucketferry.tally (run_id, worker_id) values (300, 1), (300, 2), (300, 3)");
  for (int job = 1; job <= 6; ++job) {
    AddJob(300, job, "small-" + std::to_string(job), "in_flight", ", worker_id", ", 1");
  }
  AddJob(300, 7, "big\\377", "in_flight", ", upload_id, part_bytes, parts_left", ", 'u', 100, 6");
  Sql("insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state,"
      "  worker_id) values (300, 7, 1, 0, 100, 'in_flight', 1), (300, 7, 2, 100, 100, 'in_flight',"
      "  1), (300, 7, 3, 200, 100, 'pending', null)");
  const Parsed workers = ReadJson()["workers"];
  ASSERT_EQ(workers.size(), 2U) << workers;
  EXPECT_EQ(workers[0]["host"], "node");
  EXPECT_EQ(workers[0]["pid"], 7);
  EXPECT_EQ(workers[0]["in_flight"]["objects"], 6);
  EXPECT_EQ(workers[0]["in_flight"]["parts"], 2);
  ASSERT_EQ(workers[0]["objects"].size(), 5U) << "four of a kind are enough";
  EXPECT_EQ(workers[0]["objects"][0]["key"], "small-1");
  const Parsed& big = workers[0]["objects"][4];
  EXPECT_EQ(big["shown"], "big\\xff");
  EXPECT_EQ(big["key_base64"], "Ymln/w==");
  EXPECT_EQ(big["parts"], 2);
  EXPECT_EQ(big["bytes_done"], 400);
  EXPECT_EQ(workers[1]["runs"][0]["plans"], true);
  EXPECT_EQ(workers[1]["in_flight"]["objects"], 0);
}

TEST_F(StatusTest, ShowsWhoWasNotToldYet) {
  config_.tasks.front().refresh = {"gateway", "cdn"};
  AddRun(300, "complete");
  Sql("insert into bucketferry.refresh (task_name, target, required_run_id, acknowledged_run_id,"
      "  required_seq, acknowledged_seq, outcome, tries, next_try_at, error, required_at)"
      " values ('media', 'gateway', 300, 200, 2, 1, 'accepted', 3, now(), 'it says no', now());"
      "insert into bucketferry.notification (run_id, event, target, task_name, state, finished_at,"
      "  tries, error) values (300, 'started', 'team', 'media', 'sent', now(), 1, null),"
      "  (300, 'ended', 'team', 'media', 'waiting', null, 2, 'no route'),"
      "  (300, 'refreshed', 'team', 'media', 'given_up', now(), 9, 'gone')");
  const Parsed status = ReadJson();
  const Parsed& refresh = status["tasks"][0]["refresh"];
  ASSERT_EQ(refresh.size(), 2U);
  EXPECT_EQ(refresh[0]["target"], "gateway");
  EXPECT_EQ(refresh[0]["due"], true);
  EXPECT_EQ(refresh[0]["outcome"], "accepted");
  EXPECT_EQ(refresh[0]["tries"], 3);
  EXPECT_EQ(refresh[0]["error"], "it says no");
  EXPECT_EQ(refresh[1]["required_run"], 0);
  EXPECT_EQ(refresh[1]["due"], false);
  ASSERT_EQ(status["notifications"].size(), 2U);
  EXPECT_EQ(status["notifications"][0]["state"], "waiting");
  EXPECT_EQ(status["notifications"][1]["error"], "gone");
}

TEST_F(StatusTest, TellsThePublicNeitherKeysNorErrors) {
  config_.tasks.front().refresh = {"gateway"};
  AddWorker();
  AddRun(300, "failed", ", error", ", 'secret error'");
  AddRun(301, "copying");
  Sql("insert into bucketferry.tally (run_id, worker_id) values (301, 1);"
      "insert into bucketferry.refresh (task_name, target, error) values ('media', 'gateway',"
      "  'secret refresh');"
      "insert into bucketferry.notification (run_id, event, target, task_name, error)"
      " values (300, 'ended', 'team', 'media', 'secret notification')");
  AddJob(301, 1, "secret key", "in_flight", ", worker_id", ", 1");
  EXPECT_THAT(StatusText(Detail::kFull), HasSubstr("secret"));
  EXPECT_THAT(StatusText(Detail::kPublic), Not(HasSubstr("secret")));
  EXPECT_EQ(ReadJson(Detail::kPublic)["workers"][0]["in_flight"]["objects"], 1);
}

TEST_F(StatusTest, WhatCannotBeReadLeavesTheRest) {
  AddRun(300, "complete");
  Sql("drop table bucketferry.notification; alter table bucketferry.part rename to part_hidden");
  AddWorker();
  const Parsed status = ReadJson();
  EXPECT_EQ(status["tasks"][0]["state"], "complete");
  EXPECT_EQ(status["workers"].size(), 1U);
  ASSERT_EQ(status["not_read"].size(), 2U) << status;
  EXPECT_THAT(std::string(status["not_read"][0]), HasSubstr("notifications: "));
  EXPECT_EQ(ReadJson(Detail::kPublic)["not_read"][1], "what workers do");
}

TEST_F(StatusTest, TheDocumentedRightsOfTheExporterAreEnough) {
  std::ifstream file(FERRY_SOURCE_DIR "/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = readme.find("grant select on bucketferry.");
  const std::string tables = readme.substr(begin, readme.find(" to ", begin) - begin);
  const std::string role = database_.schema() + "_reader";
  Sql("create role " + role + "; grant usage on schema " + database_.schema() + " to " + role +
      "; " + tables + " to " + role);
  const std::string uri = database_.options().uri;
  const bool is_uri = uri.starts_with("postgres");
  config_.database.uri = Secret(is_uri ? uri + (uri.find('?') == std::string::npos ? "?" : "&") +
                                             "options=-crole%3D" + role
                                       : uri + " options='-crole=" + role + "'");
  AddRun(300, "incomplete");
  const Parsed status = ReadJson();
  EXPECT_EQ(status["tasks"][0]["state"], "incomplete");
  EXPECT_TRUE(status["not_read"].empty()) << status["not_read"];
  Database database(config_, clock_);
  const ObjectsPage objects = ReadObjects({.task = "media"}, database, clock_,
                                          clock_.SteadyNow() + std::chrono::seconds(20), {});
  EXPECT_EQ(objects.problem, "");
  Sql("drop owned by " + role + "; drop role " + role);
}

TEST_F(StatusTest, ADatabaseThatIsAwayLeavesNothingButWhy) {
  config_.database.uri = Secret("postgresql://nobody:password@127.0.0.1:1/none");
  const Parsed status = ReadJson();
  EXPECT_THAT(std::string(status["problem"]), HasSubstr("127.0.0.1"));
  EXPECT_THAT(std::string(status["problem"]), Not(HasSubstr("password")));
  EXPECT_FALSE(status.contains("tasks"));
  EXPECT_EQ(ReadJson(Detail::kPublic)["problem"], "the database cannot be read");
}

}  // namespace
}  // namespace ferry::exporter
