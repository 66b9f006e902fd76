#include "exporter/metrics_page.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "batch/base/key.h"
#include "batch/base/version.h"
#include "exporter/metrics_text.h"

namespace ferry::exporter {
namespace {

// Exact up to 2^53, which is far above any run id, and nine petabytes.
double Number(std::int64_t value) { return static_cast<double>(value); }

// The row of a task, or zeros.
template <typename T>
const T& Of(const ByTask<T>& rows, const std::string& task) {
  static const T kNone{};
  const auto found = rows.find(task);
  return found == rows.end() ? kNone : found->second;
}

std::string Place(const BucketPrefix& place) {
  return EscapeBytes(place.store + "/" + place.bucket + "/" + place.prefix);
}

void AddExporter(const Snapshot& snapshot, MetricsText* page) {
  page->Add("bucketferry_up", {}, snapshot.up ? 1 : 0);
  page->Add("bucketferry_build_info", {Version(), Revision()}, 1);
  for (const CollectorResult& collector : snapshot.collectors) {
    page->Add("bucketferry_scrape_collector_success", {collector.name}, collector.success ? 1 : 0);
    page->Add("bucketferry_scrape_collector_duration_seconds", {collector.name}, collector.seconds);
  }
  if (!snapshot.up) return;
  page->Add("bucketferry_schema_version", {}, snapshot.schema_version);
  page->Add("bucketferry_database_time_seconds", {}, snapshot.database_time);
}

void AddTask(const TaskConfig& task, MetricsText* page) {
  page->Add("bucketferry_task_info", {task.name, Place(task.source), Place(task.destination)}, 1);
  page->Add("bucketferry_task_expected_interval_seconds", {task.name},
            std::chrono::duration<double>(task.interval).count());
}

void AddTotals(const std::string& task, const TaskTotals& totals, MetricsText* page) {
  page->Add("bucketferry_task_created_timestamp_seconds", {task}, totals.created_at);
  page->Add("bucketferry_runs_total", {task}, Number(totals.runs));
  page->Add("bucketferry_runs_failed_total", {task}, Number(totals.runs_failed));
  page->Add("bucketferry_runs_skipped_total", {task}, Number(totals.runs_skipped));
  page->Add("bucketferry_task_last_skip_timestamp_seconds", {task}, totals.skipped_at);
  page->Add("bucketferry_objects_copied_total", {task}, Number(totals.objects_copied));
  page->Add("bucketferry_objects_failed_total", {task}, Number(totals.objects_failed));
  page->Add("bucketferry_objects_vanished_total", {task}, Number(totals.objects_vanished));
  page->Add("bucketferry_parts_copied_total", {task}, Number(totals.parts_copied));
  page->Add("bucketferry_bytes_copied_total", {task}, Number(totals.bytes_copied));
  page->Add("bucketferry_source_bytes_read_total", {task}, Number(totals.source_bytes_read));
  page->Add("bucketferry_destination_bytes_written_total", {task},
            Number(totals.destination_bytes_written));
}

void AddEvents(const std::string& task, const WaitingEvents& events, MetricsText* page) {
  page->Add("bucketferry_events_waiting", {task}, Number(events.keys));
  if (events.oldest) {
    page->Add("bucketferry_oldest_waiting_event_timestamp_seconds", {task}, *events.oldest);
  }
}

void AddOpenRuns(const std::string& task, const OpenRuns& runs, MetricsText* page) {
  page->Add("bucketferry_task_active", {task}, runs.active ? 1 : 0);
  page->Add("bucketferry_jobs", {task, "pending"}, Number(runs.pending));
  page->Add("bucketferry_jobs", {task, "in_flight"}, Number(runs.in_flight));
  page->Add("bucketferry_jobs", {task, "retry_wait"}, Number(runs.retry_wait));
  page->Add("bucketferry_parts", {task, "pending"}, Number(runs.parts_pending));
  page->Add("bucketferry_parts", {task, "in_flight"}, Number(runs.parts_in_flight));
  page->Add("bucketferry_pending_bytes", {task}, Number(runs.pending_bytes));
  page->Add("bucketferry_in_flight_bytes", {task}, Number(runs.in_flight_bytes));
  page->Add("bucketferry_task_run_planned_objects", {task}, Number(runs.planned_objects));
  page->Add("bucketferry_task_run_final_objects", {task}, Number(runs.final_objects));
  page->Add("bucketferry_task_run_planned_bytes", {task}, Number(runs.planned_bytes));
  page->Add("bucketferry_task_run_final_bytes", {task}, Number(runs.final_bytes));
  page->Add("bucketferry_workers", {task}, Number(runs.workers));
  if (runs.oldest_pending_at) {
    page->Add("bucketferry_oldest_pending_timestamp_seconds", {task}, *runs.oldest_pending_at);
  }
}

void AddLastRuns(const std::string& task, const LastRuns& last, MetricsText* page) {
  page->Add("bucketferry_task_last_started_run_id", {task}, Number(last.started_run));
  page->Add("bucketferry_task_last_completed_run_id", {task}, Number(last.completed_run));
  page->Add("bucketferry_task_last_failed_run_id", {task}, Number(last.failed_run));
  page->Add("bucketferry_task_last_start_timestamp_seconds", {task}, last.started_at);
  page->Add("bucketferry_task_last_completion_timestamp_seconds", {task}, last.completed_at);
  page->Add("bucketferry_task_last_success_timestamp_seconds", {task}, last.succeeded_at);
  page->Add("bucketferry_task_last_failure_timestamp_seconds", {task}, last.failed_at);
  page->Add("bucketferry_task_last_progress_timestamp_seconds", {task}, last.progress_at);

  page->Add("bucketferry_task_last_run_success", {task}, last.success ? 1 : 0);
  page->Add("bucketferry_task_last_run_duration_seconds", {task, "plan"}, last.plan_seconds);
  page->Add("bucketferry_task_last_run_duration_seconds", {task, "copy"}, last.copy_seconds);
  const auto objects = [&](std::string_view outcome, std::int64_t count) {
    page->Add("bucketferry_task_last_run_objects", {task, outcome}, Number(count));
  };
  objects("done", last.done);
  objects("adopted", last.adopted);
  objects("deleted", last.deleted);
  objects("dead", last.dead);
  objects("vanished", last.vanished);
  objects("archived", last.archived);
  page->Add("bucketferry_task_last_run_bytes", {task, "done"}, Number(last.bytes_done));
  page->Add("bucketferry_task_last_run_bytes", {task, "not_done"}, Number(last.bytes_not_done));
  page->Add("bucketferry_jobs", {task, "dead"}, Number(last.dead));
}

void AddRequests(const std::string& task, const std::vector<StorageRequests>& rows,
                 MetricsText* page) {
  constexpr double kMicrosecond = 1e-6;
  for (const StorageRequests& row : rows) {
    page->Add("bucketferry_storage_requests_total", {task, row.side, row.operation},
              Number(row.requests));
    page->Add("bucketferry_storage_request_errors_total", {task, row.side, row.operation},
              Number(row.errors));
    page->Add("bucketferry_storage_request_duration_seconds", {task, row.side, row.operation},
              {kRequestSecondsBounds, row.buckets, Number(row.microseconds) * kMicrosecond});
  }
}

// All reasons, from the first scrape on.
void AddRetries(const std::string& task, const std::vector<Retries>& rows, MetricsText* page) {
  for (const std::string_view reason : kRetryReasons) {
    const auto row = std::ranges::find(rows, reason, &Retries::reason);
    page->Add("bucketferry_retries_total", {task, reason},
              row == rows.end() ? 0 : Number(row->retries));
  }
}

// Both sides, from the first scrape on.
void AddCredentials(const std::string& task, const std::vector<Credentials>& rows,
                    MetricsText* page) {
  for (const std::string_view side : {"source", "destination"}) {
    const auto row = std::ranges::find(rows, side, &Credentials::side);
    const bool known = row != rows.end();
    page->Add("bucketferry_task_credentials_refused", {task, side}, known && row->refused ? 1 : 0);
    if (known && row->expires_at) {
      page->Add("bucketferry_task_credentials_expiry_timestamp_seconds", {task, side},
                *row->expires_at);
    }
  }
}

// Targets are those of the configuration's tasks. Of other tasks only what they asked of these
// counts.
void AddRefresh(const Config& config, const std::vector<Refresh>& rows, MetricsText* page) {
  struct Target {
    std::int64_t requests = 0;
    std::int64_t failures = 0;
  };
  std::map<std::string, Target> targets;
  for (const TaskConfig& task : config.tasks) {
    for (const std::string& target : task.refresh) {
      const auto row = std::ranges::find_if(
          rows, [&](const Refresh& r) { return r.task == task.name && r.target == target; });
      const Refresh found = row == rows.end() ? Refresh{} : *row;
      page->Add("bucketferry_refresh_required_run_id", {task.name, target},
                Number(found.required_run));
      page->Add("bucketferry_refresh_acknowledged_run_id", {task.name, target},
                Number(found.acknowledged_run));
      targets.try_emplace(target);
    }
  }
  for (const Refresh& row : rows) {
    const auto target = targets.find(row.target);
    if (target == targets.end()) continue;
    target->second.requests += row.requests;
    target->second.failures += row.failures;
  }
  for (const auto& [name, target] : targets) {
    page->Add("bucketferry_refresh_requests_total", {name}, Number(target.requests));
    page->Add("bucketferry_refresh_failures_total", {name}, Number(target.failures));
  }
}

void AddNotify(const Config& config, const std::map<std::string, NotifyTotals, std::less<>>& rows,
               MetricsText* page) {
  std::set<std::string> targets;
  for (const TaskConfig& task : config.tasks) {
    targets.insert(task.notify.begin(), task.notify.end());
  }
  for (const std::string& target : targets) {
    const auto row = rows.find(target);
    const NotifyTotals found = row == rows.end() ? NotifyTotals{} : row->second;
    page->Add("bucketferry_notify_requests_total", {target}, Number(found.requests));
    page->Add("bucketferry_notify_failures_total", {target}, Number(found.failures));
  }
}

void AddProcess(const ProcessNumbers& process, MetricsText* page) {
  const auto add = [&](std::string_view name, const std::optional<double>& value) {
    if (value) page->Add(name, {}, *value);
  };
  add("process_cpu_seconds_total", process.cpu_seconds);
  add("process_open_fds", process.open_fds);
  add("process_max_fds", process.max_fds);
  add("process_virtual_memory_bytes", process.virtual_memory_bytes);
  add("process_resident_memory_bytes", process.resident_memory_bytes);
  add("process_start_time_seconds", process.start_time_seconds);
  add("process_threads", process.threads);
}

}  // namespace

std::string RenderMetrics(const Config& config, const Snapshot& snapshot,
                          const ProcessNumbers& process) {
  MetricsText page;
  AddExporter(snapshot, &page);
  if (snapshot.up) {
    for (const TaskConfig& task : config.tasks) {
      AddTask(task, &page);
      if (snapshot.totals) AddTotals(task.name, Of(*snapshot.totals, task.name), &page);
      if (snapshot.open_runs) AddOpenRuns(task.name, Of(*snapshot.open_runs, task.name), &page);
      if (snapshot.last_runs) AddLastRuns(task.name, Of(*snapshot.last_runs, task.name), &page);
      if (snapshot.open_uploads) {
        page.Add("bucketferry_open_uploads", {task.name},
                 Number(Of(*snapshot.open_uploads, task.name)));
      }
      if (snapshot.being_restored) {
        page.Add("bucketferry_task_objects_being_restored", {task.name},
                 Number(Of(*snapshot.being_restored, task.name)));
      }
      if (snapshot.events) AddEvents(task.name, Of(*snapshot.events, task.name), &page);
      if (snapshot.requests) AddRequests(task.name, Of(*snapshot.requests, task.name), &page);
      if (snapshot.retries) AddRetries(task.name, Of(*snapshot.retries, task.name), &page);
      if (snapshot.credentials) {
        AddCredentials(task.name, Of(*snapshot.credentials, task.name), &page);
      }
    }
    if (snapshot.events_aside) {
      page.Add("bucketferry_events_set_aside", {}, Number(*snapshot.events_aside));
    }
    if (snapshot.refresh) AddRefresh(config, *snapshot.refresh, &page);
    if (snapshot.notify) AddNotify(config, *snapshot.notify, &page);
  }
  AddProcess(process, &page);
  return page.Text();
}

}  // namespace ferry::exporter
