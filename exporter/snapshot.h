// Snapshot: what one scrape read from the database, all of one moment.
//
// An optional that is empty could not be read; a task that is not in a map has no rows yet, which
// is zero. Times are Unix seconds of the database, 0 where there is none.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/measures.h"

namespace ferry::exporter {

struct CollectorResult {
  std::string_view name;
  bool success = false;
  double seconds = 0;
};

struct TaskTotals {
  double created_at = 0;
  std::int64_t runs = 0;
  std::int64_t runs_failed = 0;
  std::int64_t runs_skipped = 0;
  double skipped_at = 0;
  std::int64_t objects_copied = 0;
  std::int64_t objects_failed = 0;
  std::int64_t objects_vanished = 0;
  std::int64_t parts_copied = 0;
  std::int64_t bytes_copied = 0;
  std::int64_t source_bytes_read = 0;
  std::int64_t destination_bytes_written = 0;
};

struct OpenRuns {
  bool active = false;
  std::int64_t pending = 0;
  std::int64_t in_flight = 0;
  std::int64_t retry_wait = 0;
  std::int64_t parts_pending = 0;
  std::int64_t parts_in_flight = 0;
  std::int64_t pending_bytes = 0;
  std::int64_t in_flight_bytes = 0;
  std::int64_t planned_objects = 0;
  std::int64_t final_objects = 0;
  std::int64_t planned_bytes = 0;
  std::int64_t final_bytes = 0;
  std::int64_t workers = 0;
  std::optional<double> oldest_pending_at;
};

struct LastRuns {
  std::int64_t started_run = 0;
  std::int64_t completed_run = 0;
  std::int64_t failed_run = 0;
  double started_at = 0;
  double completed_at = 0;
  double succeeded_at = 0;
  double failed_at = 0;
  double progress_at = 0;

  // Of the latest closed run.
  bool success = false;
  double plan_seconds = 0;
  double copy_seconds = 0;
  std::int64_t done = 0;
  std::int64_t adopted = 0;
  std::int64_t deleted = 0;
  std::int64_t dead = 0;
  std::int64_t vanished = 0;
  std::int64_t archived = 0;
  std::int64_t bytes_done = 0;
  std::int64_t bytes_not_done = 0;
};

struct StorageRequests {
  std::string side;
  std::string operation;
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  std::int64_t microseconds = 0;
  std::array<std::int64_t, kRequestSecondsBuckets> buckets{};  // each request in one of them
};

struct Retries {
  std::string reason;
  std::int64_t retries = 0;
};

struct Credentials {
  std::string side;
  bool refused = false;
  std::optional<double> expires_at;
};

struct WaitingEvents {
  std::int64_t keys = 0;
  std::optional<double> oldest;
};

struct Refresh {
  std::string task;
  std::string target;
  std::int64_t required_run = 0;
  std::int64_t acknowledged_run = 0;
  std::int64_t requests = 0;
  std::int64_t failures = 0;
};

struct NotifyTotals {
  std::int64_t requests = 0;
  std::int64_t failures = 0;
};

template <typename T>
using ByTask = std::map<std::string, T, std::less<>>;

struct Snapshot {
  bool up = false;  // false: nothing but `collectors` means anything
  double database_time = 0;
  int schema_version = 0;
  std::vector<CollectorResult> collectors;
  std::optional<ByTask<TaskTotals>> totals;
  std::optional<ByTask<OpenRuns>> open_runs;
  std::optional<ByTask<LastRuns>> last_runs;
  std::optional<ByTask<std::int64_t>> open_uploads;
  std::optional<ByTask<std::int64_t>> being_restored;
  std::optional<ByTask<WaitingEvents>> events;
  std::optional<std::int64_t> events_aside;
  std::optional<ByTask<std::vector<StorageRequests>>> requests;
  std::optional<ByTask<std::vector<Retries>>> retries;
  std::optional<ByTask<std::vector<Credentials>>> credentials;
  std::optional<std::vector<Refresh>> refresh;
  std::optional<std::map<std::string, NotifyTotals, std::less<>>> notify;  // by target
};

}  // namespace ferry::exporter
