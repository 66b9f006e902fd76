// The rules that every name on /metrics keeps; prometheus-cpp checks none of them.
#include "exporter/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace ferry::exporter {
namespace {

// Never a key, a run id or an error text; and no target label (job, instance, namespace, pod),
// which Prometheus would rename.
const std::set<std::string_view> kAllowedLabels = {
    "version", "revision", "collector", "task",   "source", "destination", "phase",
    "outcome", "state",    "reason",    "target", "side",   "operation"};

TEST(Catalogue, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Metric& metric : Catalogue()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
  }
}

TEST(Catalogue, NamesAreSnakeCaseWithOurPrefix) {
  for (const Metric& metric : Catalogue()) {
    const std::string_view name = metric.name;
    EXPECT_TRUE(name.starts_with("bucketferry_") || name.starts_with("process_")) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), name.npos) << name;
    EXPECT_EQ(name.find("__"), name.npos) << name;
    EXPECT_FALSE(name.ends_with('_')) << name;
  }
}

TEST(Catalogue, ExactlyCountersEndInTotal) {
  for (const Metric& metric : Catalogue()) {
    EXPECT_EQ(metric.name.ends_with("_total"), metric.type == prometheus::MetricType::Counter)
        << metric.name;
  }
}

TEST(Catalogue, LabelsAreOnTheList) {
  for (const Metric& metric : Catalogue()) {
    const auto used = metric.labels.begin() + static_cast<std::ptrdiff_t>(metric.label_count());
    for (auto label = metric.labels.begin(); label != used; ++label) {
      EXPECT_TRUE(kAllowedLabels.contains(*label)) << metric.name << " " << *label;
    }
    EXPECT_TRUE(std::all_of(used, metric.labels.end(), [](auto label) { return label.empty(); }))
        << metric.name;
  }
}

TEST(Catalogue, HelpIsOneSentenceThatNeedsNoEscape) {
  for (const Metric& metric : Catalogue()) {
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    EXPECT_EQ(metric.help.find_first_of("\\\n"), std::string_view::npos) << metric.name;
  }
}

TEST(Catalogue, HoldsWhatDashboardsAndRulesRelyOn) {
  std::set<std::string_view> names;
  for (const Metric& metric : Catalogue()) names.insert(metric.name);
  for (const std::string_view name : {"up",
                                      "build_info",
                                      "schema_version",
                                      "database_time_seconds",
                                      "scrape_collector_success",
                                      "scrape_collector_duration_seconds",
                                      "task_info",
                                      "task_created_timestamp_seconds",
                                      "task_expected_interval_seconds",
                                      "task_active",
                                      "task_last_started_run_id",
                                      "task_last_completed_run_id",
                                      "task_last_failed_run_id",
                                      "task_last_start_timestamp_seconds",
                                      "task_last_completion_timestamp_seconds",
                                      "task_last_success_timestamp_seconds",
                                      "task_last_failure_timestamp_seconds",
                                      "task_last_progress_timestamp_seconds",
                                      "task_last_skip_timestamp_seconds",
                                      "task_run_planned_objects",
                                      "task_run_final_objects",
                                      "task_run_planned_bytes",
                                      "task_run_final_bytes",
                                      "task_credentials_refused",
                                      "task_credentials_expiry_timestamp_seconds",
                                      "task_last_run_success",
                                      "task_last_run_duration_seconds",
                                      "task_last_run_objects",
                                      "task_last_run_bytes",
                                      "jobs",
                                      "parts",
                                      "pending_bytes",
                                      "in_flight_bytes",
                                      "oldest_pending_timestamp_seconds",
                                      "workers",
                                      "runs_total",
                                      "runs_failed_total",
                                      "runs_skipped_total",
                                      "objects_copied_total",
                                      "objects_failed_total",
                                      "objects_vanished_total",
                                      "parts_copied_total",
                                      "bytes_copied_total",
                                      "source_bytes_read_total",
                                      "destination_bytes_written_total",
                                      "retries_total",
                                      "storage_requests_total",
                                      "storage_request_errors_total",
                                      "storage_request_duration_seconds",
                                      "open_uploads",
                                      "task_objects_being_restored",
                                      "events_waiting",
                                      "oldest_waiting_event_timestamp_seconds",
                                      "events_set_aside",
                                      "notify_requests_total",
                                      "notify_failures_total",
                                      "refresh_required_run_id",
                                      "refresh_acknowledged_run_id",
                                      "refresh_requests_total",
                                      "refresh_failures_total"}) {
    EXPECT_TRUE(names.contains(std::string("bucketferry_").append(name))) << name;
  }
}

}  // namespace
}  // namespace ferry::exporter
