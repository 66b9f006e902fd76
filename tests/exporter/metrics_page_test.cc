#include "exporter/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "batch/base/version.h"
#include "exporter/catalogue.h"
#include "exporter/metrics_text.h"
#include "tests/exporter/exporter_fixture.h"

namespace ferry::exporter {
namespace {

using test::OfTask;
using test::ValueOf;
using testing::HasSubstr;
using testing::Not;

Snapshot EmptyDatabase() {
  Snapshot snapshot;
  snapshot.up = true;
  snapshot.totals.emplace();
  snapshot.open_runs.emplace();
  snapshot.last_runs.emplace();
  snapshot.open_uploads.emplace();
  snapshot.being_restored.emplace();
  snapshot.events.emplace();
  snapshot.events_aside = 0;
  snapshot.requests.emplace();
  snapshot.retries.emplace();
  snapshot.credentials.emplace();
  snapshot.refresh.emplace();
  snapshot.notify.emplace();
  return snapshot;
}

// Every family has a sample: what a task in full use looks like.
Snapshot FullDatabase() {
  Snapshot snapshot = EmptyDatabase();
  snapshot.database_time = 1794182400.25;
  snapshot.schema_version = 8;
  snapshot.collectors = {{.name = "database", .success = true, .seconds = 0.001}};
  (*snapshot.open_runs)["a"].oldest_pending_at = 1794182000;
  StorageRequests puts{.side = "destination",
                       .operation = "put",
                       .requests = 10,
                       .errors = 1,
                       .microseconds = 2'500'000,
                       .buckets = {3, 4, 0, 2, 0, 0, 0, 1}};
  (*snapshot.requests)["a"] = {puts};
  (*snapshot.events)["a"] = {.keys = 3, .oldest = 1794182000};
  (*snapshot.retries)["a"] = {{.reason = "timeout", .retries = 7}};
  (*snapshot.credentials)["a"] = {{.side = "source", .refused = true, .expires_at = 1794190000}};
  (*snapshot.notify)["team"] = {.requests = 4, .failures = 2};
  return snapshot;
}

Config FullConfig() {
  Config config = test::MakeConfig({"a", "b"});
  config.tasks.front().refresh = {"cdn"};
  config.tasks.front().notify = {"team", "mail"};
  config.tasks.back().notify = {"team"};
  return config;
}

TEST(MetricsText, IsExactlyThis) {
  MetricsText text;
  text.Add("bucketferry_runs_total", {"b\"\\\n"}, 3);
  text.Add("bucketferry_jobs", {"a", "pending"}, 1024);
  text.Add("bucketferry_jobs", {"a", "dead"}, 0);
  text.Add("bucketferry_up", {}, 1);
  EXPECT_EQ(text.Text(),
            "# HELP bucketferry_up 1 if the database answered this scrape; at 0 every series of "
            "tasks is absent.\n"
            "# TYPE bucketferry_up gauge\n"
            "bucketferry_up 1\n"
            "# HELP bucketferry_jobs Objects of open runs that are pending, in_flight or in "
            "retry_wait; and dead ones of the latest closed run.\n"
            "# TYPE bucketferry_jobs gauge\n"
            "bucketferry_jobs{task=\"a\",state=\"pending\"} 1024\n"
            "bucketferry_jobs{task=\"a\",state=\"dead\"} 0\n"
            "# HELP bucketferry_runs_total Runs that ended; skipped ones are not among them.\n"
            "# TYPE bucketferry_runs_total counter\n"
            "bucketferry_runs_total{task=\"b\\\"\\\\\\n\"} 3\n");
}

TEST(MetricsText, KeepsLargeIdsAndTimesExact) {
  MetricsText text;
  text.Add("bucketferry_task_last_started_run_id", {"a"}, 9007199254740991.0);
  text.Add("bucketferry_database_time_seconds", {}, 1794182400.123456);
  EXPECT_THAT(text.Text(), HasSubstr("{task=\"a\"} 9007199254740991\n"));
  EXPECT_THAT(text.Text(), HasSubstr("bucketferry_database_time_seconds 1794182400.123456\n"));
}

TEST(MetricsText, AddsUpTheBucketsOfAHistogram) {
  MetricsText text;
  const std::array<double, 2> bounds = {0.25, 1};
  const std::array<std::int64_t, 3> counts = {3, 0, 2};
  text.Add("bucketferry_storage_request_duration_seconds", {"a", "source", "get"},
           {bounds, counts, 12.5});
  const std::string name = "bucketferry_storage_request_duration_seconds";
  const std::string labels = "task=\"a\",side=\"source\",operation=\"get\"";
  const std::string page = text.Text();
  EXPECT_THAT(page, HasSubstr("# TYPE " + name + " histogram\n"));
  EXPECT_EQ(ValueOf(page, name + "_count{" + labels + "}"), "5");
  EXPECT_EQ(ValueOf(page, name + "_sum{" + labels + "}"), "12.5");
  EXPECT_EQ(ValueOf(page, name + "_bucket{" + labels + ",le=\"0.25\"}"), "3");
  EXPECT_EQ(ValueOf(page, name + "_bucket{" + labels + ",le=\"1\"}"), "3");
  EXPECT_EQ(ValueOf(page, name + "_bucket{" + labels + ",le=\"+Inf\"}"), "5");
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 2 + 2 + 3);
}

TEST(MetricsTextDeathTest, RefusesWhatTheCatalogueDoesNotHave) {
  MetricsText text;
  EXPECT_DEATH(text.Add("bucketferry_unheard_of", {}, 1), "check failed");
  EXPECT_DEATH(text.Add("bucketferry_up", {"too many"}, 1), "check failed");
  EXPECT_DEATH(text.Add("bucketferry_storage_request_duration_seconds", {"a", "b", "c"}, 1),
               "check failed");
}

TEST(MetricsPage, WithoutADatabaseIsExactlyThis) {
  Snapshot snapshot;
  snapshot.collectors = {{.name = "database", .success = false, .seconds = 0.5}};
  ProcessNumbers process;
  process.threads = 2;
  const std::string build = "bucketferry_build_info{version=\"" + std::string(Version()) +
                            "\",revision=\"" + std::string(Revision()) + "\"} 1\n";
  EXPECT_EQ(
      RenderMetrics(test::MakeConfig({"media"}), snapshot, process),
      "# HELP bucketferry_up 1 if the database answered this scrape; at 0 every series of "
      "tasks is absent.\n"
      "# TYPE bucketferry_up gauge\n"
      "bucketferry_up 0\n"
      "# HELP bucketferry_build_info Always 1: which exporter this is.\n"
      "# TYPE bucketferry_build_info gauge\n" +
          build +
          "# HELP bucketferry_scrape_collector_success 1 if this group of metrics was read; at "
          "0 its series are absent.\n"
          "# TYPE bucketferry_scrape_collector_success gauge\n"
          "bucketferry_scrape_collector_success{collector=\"database\"} 0\n"
          "# HELP bucketferry_scrape_collector_duration_seconds How long reading this group of "
          "metrics took.\n"
          "# TYPE bucketferry_scrape_collector_duration_seconds gauge\n"
          "bucketferry_scrape_collector_duration_seconds{collector=\"database\"} 0.5\n"
          "# HELP process_threads Threads of the exporter.\n"
          "# TYPE process_threads gauge\n"
          "process_threads 2\n");
}

TEST(MetricsPage, HasEverySeriesOfATaskBeforeItsFirstRun) {
  Config config = test::MakeConfig({"media"});
  config.tasks.front().refresh = {"gateway"};
  config.tasks.front().notify = {"team"};
  const std::string page = RenderMetrics(config, EmptyDatabase(), {});
  for (const Metric& metric : Catalogue()) {
    const bool of_task = metric.labels[0] == "task" || metric.labels[0] == "target";
    // What waits, what a file says, and what was ever asked for: absent until there is some.
    const bool may_be_absent = metric.name.ends_with("oldest_pending_timestamp_seconds") ||
                               metric.name.ends_with("oldest_waiting_event_timestamp_seconds") ||
                               metric.name.ends_with("expiry_timestamp_seconds") ||
                               metric.name.find("_storage_request") != std::string_view::npos;
    if (!of_task || may_be_absent) continue;
    EXPECT_THAT(page, HasSubstr("\n" + std::string(metric.name) + "{")) << metric.name;
  }
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("task_active")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("task_expected_interval_seconds")), "3600");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_required_run_id{task=\"media\",target=\"gateway\"}"),
            "0");
  EXPECT_THAT(page, HasSubstr("bucketferry_task_info{task=\"media\",source=\"overseas/media-src/in/"
                              "\",destination=\"china/media-dst/from-partner/\"} 1\n"));
}

TEST(MetricsPage, HasAbout60SeriesATask) {
  const auto lines = [](const std::string& page) {
    return std::count(page.begin(), page.end(), '\n');
  };
  const auto one = lines(RenderMetrics(test::MakeConfig({"a"}), EmptyDatabase(), {}));
  const auto two = lines(RenderMetrics(test::MakeConfig({"a", "b"}), EmptyDatabase(), {}));
  EXPECT_GT(two - one, 35);
  EXPECT_LE(two - one, 60);
}

TEST(MetricsPage, HasADozenSeriesForEachOperationThatWasEverAskedFor) {
  const auto lines = [](const Snapshot& snapshot) {
    const std::string page = RenderMetrics(test::MakeConfig({"a"}), snapshot, {});
    return std::count(page.begin(), page.end(), '\n');
  };
  Snapshot snapshot = EmptyDatabase();
  const auto none = lines(snapshot);
  (*snapshot.requests)["a"] = {{.side = "source", .operation = "list"}};
  const auto one = lines(snapshot);
  (*snapshot.requests)["a"].push_back({.side = "source", .operation = "get"});
  EXPECT_EQ(lines(snapshot) - one, 12);
  EXPECT_EQ(one - none, 12 + 3 * 2) << "and what the families are";
}

TEST(MetricsPage, HasEveryReasonToRetryAndBothSidesFromTheBeginning) {
  const std::string page = RenderMetrics(FullConfig(), FullDatabase(), {});
  for (const std::string_view reason : kRetryReasons) {
    EXPECT_EQ(ValueOf(page, "bucketferry_retries_total{task=\"a\",reason=\"" + std::string(reason) +
                                "\"}"),
              reason == "timeout" ? "7" : "0");
  }
  const auto credentials = [&](const std::string& what, const std::string& side) {
    return ValueOf(page,
                   "bucketferry_task_credentials_" + what + "{task=\"a\",side=\"" + side + "\"}");
  };
  EXPECT_EQ(credentials("refused", "source"), "1");
  EXPECT_EQ(credentials("refused", "destination"), "0");
  EXPECT_EQ(credentials("expiry_timestamp_seconds", "source"), "1794190000");
  EXPECT_EQ(credentials("expiry_timestamp_seconds", "destination"), "absent");
}

TEST(MetricsPage, CountsMessagesToTheTargetsOfItsTasks) {
  Snapshot snapshot = FullDatabase();
  (*snapshot.notify)["forgotten"] = {.requests = 9};
  const std::string page = RenderMetrics(FullConfig(), snapshot, {});
  EXPECT_EQ(ValueOf(page, "bucketferry_notify_requests_total{target=\"team\"}"), "4");
  EXPECT_EQ(ValueOf(page, "bucketferry_notify_failures_total{target=\"team\"}"), "2");
  EXPECT_EQ(ValueOf(page, "bucketferry_notify_requests_total{target=\"mail\"}"), "0");
  EXPECT_THAT(page, Not(HasSubstr("forgotten")));
}

TEST(MetricsPage, ShowsNoTaskThatIsNotConfigured) {
  Snapshot snapshot = EmptyDatabase();
  (*snapshot.totals)["forgotten"].runs = 7;
  snapshot.refresh->push_back({.task = "forgotten", .target = "gateway"});
  EXPECT_THAT(RenderMetrics(test::MakeConfig({"media"}), snapshot, {}),
              Not(HasSubstr("forgotten")));
}

TEST(MetricsPage, LeavesOutWhatACollectorCouldNotRead) {
  Snapshot snapshot = EmptyDatabase();
  snapshot.totals.reset();
  const std::string page = RenderMetrics(test::MakeConfig({"media"}), snapshot, {});
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), "absent");
  EXPECT_EQ(ValueOf(page, OfTask("task_active")), "0");
}

TEST(MetricsPage, AddsRequestsToATargetOverTasks) {
  Config config = test::MakeConfig({"a", "b"});
  for (TaskConfig& task : config.tasks) task.refresh = {"cdn"};
  Snapshot snapshot = EmptyDatabase();
  *snapshot.refresh = {{.task = "a", .target = "cdn", .required_run = 9, .requests = 2},
                       {.task = "b", .target = "cdn", .requests = 3, .failures = 1}};
  const std::string page = RenderMetrics(config, snapshot, {});
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_requests_total{target=\"cdn\"}"), "5");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_failures_total{target=\"cdn\"}"), "1");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_required_run_id{task=\"a\",target=\"cdn\"}"), "9");
  EXPECT_EQ(ValueOf(page, "bucketferry_refresh_required_run_id{task=\"b\",target=\"cdn\"}"), "0");
}

TEST(Process, IsThisOne) {
  const ProcessNumbers process = ReadProcess();
  EXPECT_GT(process.start_time_seconds.value_or(0), 1.6e9);
  EXPECT_GT(process.resident_memory_bytes.value_or(0), 1e5);
  EXPECT_GE(process.virtual_memory_bytes.value_or(0), *process.resident_memory_bytes);
  EXPECT_GE(process.open_fds.value_or(0), 3);
  EXPECT_GE(process.max_fds.value_or(0), *process.open_fds);
  EXPECT_GE(process.threads.value_or(0), 1);
  EXPECT_GE(process.cpu_seconds.value_or(-1), 0);
}

TEST(MetricsPage, PassesPromtoolWithASampleOfEveryFamily) {
  const std::string page = RenderMetrics(FullConfig(), FullDatabase(), ReadProcess());
  for (const Metric& metric : Catalogue()) {
    EXPECT_THAT(page, HasSubstr("# TYPE " + std::string(metric.name) + " ")) << metric.name;
  }
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool here";
  const std::string file = testing::TempDir() + "/exporter-page.txt";
  std::ofstream(file) << page;
  EXPECT_EQ(std::system(("promtool check metrics < " + file).c_str()), 0);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace ferry::exporter
