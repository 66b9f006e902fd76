#include "exporter/read_snapshot.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/session.h"
#include "exporter/session_guard.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;

// Below this a statement is not worth starting; 0 would mean "no limit" to the server.
constexpr milliseconds kStatementTimeoutMin{10};

constexpr std::array<std::string_view, 12> kCollectors = {
    "database", "totals",  "open_runs",   "last_runs", "uploads", "being_restored",
    "requests", "retries", "credentials", "refresh",   "notify",  "events"};

double Seconds(const pg::Row& row, std::string_view column) {
  return row.Get<std::optional<double>>(column).value_or(0);
}

std::int64_t Count(const pg::Row& row, std::string_view column) {
  return row.Get<std::optional<std::int64_t>>(column).value_or(0);
}

TaskTotals ReadTotals(const pg::Row& row) {
  return {.created_at = Seconds(row, "created"),
          .runs = Count(row, "runs"),
          .runs_failed = Count(row, "runs_failed"),
          .runs_skipped = Count(row, "runs_skipped"),
          .skipped_at = Seconds(row, "skipped"),
          .objects_copied = Count(row, "objects_copied"),
          .objects_failed = Count(row, "objects_failed"),
          .objects_vanished = Count(row, "objects_vanished"),
          .parts_copied = Count(row, "parts_copied"),
          .bytes_copied = Count(row, "bytes_copied"),
          .source_bytes_read = Count(row, "source_bytes_read"),
          .destination_bytes_written = Count(row, "destination_bytes_written")};
}

OpenRuns ReadOpenRuns(const pg::Row& row) {
  return {.active = row.Get<bool>("active"),
          .pending = Count(row, "pending"),
          .in_flight = Count(row, "in_flight"),
          .retry_wait = Count(row, "retry_wait"),
          .parts_pending = Count(row, "parts_pending"),
          .parts_in_flight = Count(row, "parts_in_flight"),
          .pending_bytes = Count(row, "pending_bytes"),
          .in_flight_bytes = Count(row, "in_flight_bytes"),
          .planned_objects = Count(row, "planned_objects"),
          .final_objects = Count(row, "final_objects"),
          .planned_bytes = Count(row, "planned_bytes"),
          .final_bytes = Count(row, "final_bytes"),
          .workers = Count(row, "workers"),
          .oldest_pending_at = row.Get<std::optional<double>>("oldest_pending")};
}

LastRuns ReadLastRuns(const pg::Row& row) {
  return {.started_run = Count(row, "started_run"),
          .completed_run = Count(row, "completed_run"),
          .failed_run = Count(row, "failed_run"),
          .started_at = Seconds(row, "started_at"),
          .completed_at = Seconds(row, "completed_at"),
          .succeeded_at = Seconds(row, "succeeded_at"),
          .failed_at = Seconds(row, "failed_at"),
          .progress_at = Seconds(row, "progress_at"),
          .success = row.Get<std::optional<bool>>("success").value_or(false),
          .plan_seconds = Seconds(row, "plan_seconds"),
          .copy_seconds = Seconds(row, "copy_seconds"),
          .done = Count(row, "done"),
          .adopted = Count(row, "adopted"),
          .deleted = Count(row, "deleted"),
          .dead = Count(row, "dead"),
          .vanished = Count(row, "vanished"),
          .archived = Count(row, "archived"),
          .bytes_done = Count(row, "bytes_done"),
          .bytes_not_done = Count(row, "bytes_not_done")};
}

std::int64_t ReadOpenUploads(const pg::Row& row) { return Count(row, "open_uploads"); }

std::int64_t ReadBeingRestored(const pg::Row& row) { return Count(row, "objects"); }

WaitingEvents ReadWaitingEvents(const pg::Row& row) {
  return {.keys = Count(row, "keys"), .oldest = row.Get<std::optional<double>>("oldest")};
}

StorageRequests ReadRequests(const pg::Row& row) {
  StorageRequests one{.side = row.Get<std::string>("side"),
                      .operation = row.Get<std::string>("operation"),
                      .requests = Count(row, "requests"),
                      .errors = Count(row, "errors"),
                      .microseconds = Count(row, "microseconds")};
  static_assert(kRequestSecondsBuckets == 8, "as many columns as metrics/requests has");
  for (std::size_t i = 0; i < one.buckets.size(); ++i) {
    one.buckets[i] = Count(row, "bucket_" + std::to_string(i + 1));
  }
  return one;
}

Retries ReadRetries(const pg::Row& row) {
  return {.reason = row.Get<std::string>("reason"), .retries = Count(row, "retries")};
}

Credentials ReadCredentials(const pg::Row& row) {
  return {.side = row.Get<std::string>("side"),
          .refused = row.Get<bool>("refused"),
          .expires_at = row.Get<std::optional<double>>("expires")};
}

Refresh ReadRefresh(const pg::Row& row) {
  return {.task = row.Get<std::string>("task"),
          .target = row.Get<std::string>("target"),
          .required_run = Count(row, "required_run_id"),
          .acknowledged_run = Count(row, "acknowledged_run_id"),
          .requests = Count(row, "requests"),
          .failures = Count(row, "failures")};
}

template <typename T>
ByTask<T> ReadByTask(const pg::Rows& rows, T (*read)(const pg::Row&)) {
  ByTask<T> by_task;
  for (const pg::Row row : rows) by_task.emplace(row.Get<std::string>("task"), read(row));
  return by_task;
}

template <typename T>
ByTask<std::vector<T>> ReadListsByTask(const pg::Rows& rows, T (*read)(const pg::Row&)) {
  ByTask<std::vector<T>> by_task;
  for (const pg::Row row : rows) by_task[row.Get<std::string>("task")].push_back(read(row));
  return by_task;
}

// The groups of one scrape, one after the other, each timed and each within what is left.
class Collection {
 public:
  Collection(pg::Transaction& tx, const Clock& clock, SteadyTime deadline, Snapshot* snapshot)
      : tx_(tx), clock_(clock), deadline_(deadline), snapshot_(snapshot) {}

  // One statement gets a third of what is left: one that waits for a lock must not take it all.
  void Limit() {
    tx_.Execute("metrics/limit_statement",
                std::to_string(std::max(Left() / 3, kStatementTimeoutMin).count()));
  }

  // What a group cannot read leaves the others alone, as long as the server answers.
  template <typename Body>
  std::string Collect(std::string_view name, Body body) {
    const SteadyTime started = clock_.SteadyNow();
    CollectorResult& result =
        *std::ranges::find(snapshot_->collectors, name, &CollectorResult::name);
    std::string problem;
    if (Left() <= milliseconds(0)) return "no time is left for " + std::string(name);
    Limit();
    tx_.Execute("metrics/savepoint");
    try {
      body();
      result.success = true;
    } catch (const Error& error) {
      if (!tx_.session().IsOpen()) throw;
      tx_.Execute("metrics/rollback_to_savepoint");
      problem = error.what();
    }
    result.seconds = std::chrono::duration<double>(clock_.SteadyNow() - started).count();
    return problem;
  }

 private:
  milliseconds Left() const {
    return std::chrono::duration_cast<milliseconds>(deadline_ - clock_.SteadyNow());
  }

  pg::Transaction& tx_;
  const Clock& clock_;
  const SteadyTime deadline_;
  Snapshot* const snapshot_;
};

// Whose rows are of interest.
struct Names {
  std::vector<std::string> tasks;
  std::vector<std::string> notify_targets;
};

Names NamesOf(const Config& config) {
  Names names;
  for (const TaskConfig& task : config.tasks) {
    names.tasks.push_back(task.name);
    names.notify_targets.insert(names.notify_targets.end(), task.notify.begin(), task.notify.end());
  }
  return names;
}

// Returns the first problem, or nothing.
std::string CollectTasks(pg::Transaction& tx, const Names& names, Collection* collection,
                         Snapshot* snapshot) {
  std::string first;
  const auto collect = [&](std::string_view name, auto body) {
    const std::string problem = collection->Collect(name, body);
    if (first.empty()) first = problem;
  };
  collect("totals", [&] {
    snapshot->totals = ReadByTask(tx.Execute("metrics/totals", names.tasks), ReadTotals);
  });
  collect("open_runs", [&] {
    snapshot->open_runs = ReadByTask(tx.Execute("metrics/open_runs", names.tasks), ReadOpenRuns);
  });
  collect("last_runs", [&] {
    snapshot->last_runs = ReadByTask(tx.Execute("metrics/last_runs", names.tasks), ReadLastRuns);
  });
  collect("uploads", [&] {
    snapshot->open_uploads =
        ReadByTask(tx.Execute("metrics/uploads", names.tasks), ReadOpenUploads);
  });
  collect("being_restored", [&] {
    snapshot->being_restored =
        ReadByTask(tx.Execute("metrics/being_restored", names.tasks), ReadBeingRestored);
  });
  collect("requests", [&] {
    snapshot->requests = ReadListsByTask(tx.Execute("metrics/requests", names.tasks), ReadRequests);
  });
  collect("retries", [&] {
    snapshot->retries = ReadListsByTask(tx.Execute("metrics/retries", names.tasks), ReadRetries);
  });
  collect("credentials", [&] {
    snapshot->credentials =
        ReadListsByTask(tx.Execute("metrics/credentials", names.tasks), ReadCredentials);
  });
  collect("refresh", [&] {
    const pg::Rows rows = tx.Execute("metrics/refresh");
    snapshot->refresh.emplace();
    for (const pg::Row row : rows) snapshot->refresh->push_back(ReadRefresh(row));
  });
  collect("notify", [&] {
    const pg::Rows rows = tx.Execute("metrics/notify", names.notify_targets);
    snapshot->notify.emplace();
    for (const pg::Row row : rows) {
      (*snapshot->notify)[row.Get<std::string>("target")] = {Count(row, "requests"),
                                                             Count(row, "failures")};
    }
  });
  collect("events", [&] {
    snapshot->events = ReadByTask(tx.Execute("metrics/events", names.tasks), ReadWaitingEvents);
    snapshot->events_aside = Count(tx.Execute("metrics/events_aside").One(), "messages");
  });
  return first;
}

// A database that no run has seen yet: everything is at zero.
void FillEmpty(Snapshot* snapshot) {
  snapshot->totals.emplace();
  snapshot->open_runs.emplace();
  snapshot->last_runs.emplace();
  snapshot->open_uploads.emplace();
  snapshot->being_restored.emplace();
  snapshot->events.emplace();
  snapshot->events_aside = 0;
  snapshot->requests.emplace();
  snapshot->retries.emplace();
  snapshot->credentials.emplace();
  snapshot->refresh.emplace();
  snapshot->notify.emplace();
  for (CollectorResult& collector : snapshot->collectors) collector.success = true;
}

std::vector<CollectorResult> NoneRead() {
  std::vector<CollectorResult> results;
  results.reserve(std::size(kCollectors));
  for (const std::string_view name : kCollectors) results.push_back({.name = name});
  return results;
}

}  // namespace

Snapshot SnapshotReader::Read(milliseconds budget) {
  Snapshot snapshot;
  snapshot.collectors = NoneRead();
  const SteadyTime started = clock_.SteadyNow();
  try {
    ReadAll(started + budget, &snapshot);
  } catch (const Error& error) {
    snapshot = {};
    snapshot.collectors = NoneRead();
    snapshot.collectors.front().seconds =
        std::chrono::duration<double>(clock_.SteadyNow() - started).count();
    if (!stop_.stop_requested()) Complain(error.what());
  }
  return snapshot;
}

void SnapshotReader::ReadAll(SteadyTime deadline, Snapshot* snapshot) {
  const SteadyTime started = clock_.SteadyNow();
  const auto session = database_.Connect(deadline);
  const SessionGuard guard(*session, clock_, deadline, stop_);
  pg::Transaction tx(*session,
                     {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly});
  Collection collection(tx, clock_, deadline, snapshot);

  collection.Limit();
  const pg::Rows rows = tx.Execute("metrics/database");
  snapshot->database_time = rows.One().Get<double>("now");
  const bool has_schema = rows.One().Get<bool>("has_schema");
  if (has_schema) {
    snapshot->schema_version = tx.Execute("metrics/schema_version").One().Get<int>("version");
  }
  snapshot->collectors.front().success = true;
  snapshot->collectors.front().seconds =
      std::chrono::duration<double>(clock_.SteadyNow() - started).count();

  std::string problem;
  if (has_schema) {
    problem = CollectTasks(tx, NamesOf(config_), &collection, snapshot);
  } else {
    FillEmpty(snapshot);
  }
  tx.Commit();
  snapshot->up = true;
  Complain(problem);
}

// Nothing: all is well again.
void SnapshotReader::Complain(const std::string& problem) {
  {
    MutexLock lock(mutex_);
    if (problem == last_problem_) return;
    last_problem_ = problem;
  }
  if (problem.empty()) {
    log::Info("metrics can be read again");
  } else {
    log::Warn("metrics cannot be read", {{"error", problem}});
  }
}

}  // namespace ferry::exporter
