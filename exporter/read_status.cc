#include <algorithm>

#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "exporter/session_guard.h"
#include "exporter/status.h"
#include "exporter/status_groups.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;

constexpr int kRunsShown = 20;        // of each task
constexpr int kRunsShownOfMany = 12;  // of each of more than kManyTasks
constexpr std::size_t kManyTasks = 20;
constexpr int kWorkersMax = 200;
constexpr int kHeldCounted = 100;
constexpr int kHeldShown = 4;
constexpr int kNotificationsShown = 50;

constexpr milliseconds kWhole{60'000};  // as long as the page has
constexpr milliseconds kShare{1'500};   // what the page can do without

RunStatus ReadRun(const pg::Row& row) {
  const auto count = [&](std::string_view column) { return row.Get<std::int64_t>(column); };
  const auto text = [&](std::string_view column) { return row.Get<OptionalText>(column); };
  return {.task = row.Get<std::string>("task"),
          .run = count("run"),
          .kind = row.Get<std::string>("kind"),
          .state = row.Get<std::string>("state"),
          .active = row.Get<bool>("active"),
          .open = row.Get<bool>("open"),
          .started_at = row.Get<std::string>("started_at"),
          .planned_at = text("planned_at"),
          .progress_at = text("progress_at"),
          .finished_at = text("finished_at"),
          .seconds = row.Get<double>("seconds"),
          .source = count("source_objects"),
          .planned = count("planned"),
          .pending = count("pending"),
          .in_flight = count("in_flight"),
          .retry_wait = count("retry_wait"),
          .done = count("done"),
          .adopted = count("adopted"),
          .deleted = count("deleted"),
          .dead = count("dead"),
          .vanished = count("vanished"),
          .archived = count("archived"),
          .bytes_planned = count("bytes_planned"),
          .bytes_done = count("bytes_done"),
          .bytes_left = count("bytes_left"),
          .retries = count("retries"),
          .requests_source = count("requests_source"),
          .requests_destination = count("requests_destination"),
          .error = text("error")};
}

RefreshStatus ReadRefresh(const pg::Row& row) {
  const auto text = [&](std::string_view column) { return row.Get<OptionalText>(column); };
  return {.task = row.Get<std::string>("task"),
          .target = row.Get<std::string>("target"),
          .required_run = row.Get<std::int64_t>("required_run"),
          .acknowledged_run = row.Get<std::int64_t>("acknowledged_run"),
          .due = row.Get<bool>("due"),
          .required_at = text("required_at"),
          .acknowledged_at = text("acknowledged_at"),
          .outcome = text("outcome"),
          .tries = row.Get<std::int64_t>("tries"),
          .next_try_at = text("next_try_at"),
          .error = text("error")};
}

NotificationStatus ReadNotification(const pg::Row& row) {
  return {.task = row.Get<std::string>("task"),
          .run = row.Get<std::int64_t>("run"),
          .event = row.Get<std::string>("event"),
          .target = row.Get<std::string>("target"),
          .state = row.Get<std::string>("state"),
          .created_at = row.Get<std::string>("created_at"),
          .tries = row.Get<std::int64_t>("tries"),
          .next_try_at = row.Get<std::string>("next_try_at"),
          .error = row.Get<OptionalText>("error")};
}

// One status page, group by group.
class PageReader {
 public:
  PageReader(const Config& config, pg::Transaction& tx, StatusGroups& groups, Detail detail,
             Status* status)
      : tx_(tx), groups_(groups), full_(detail == Detail::kFull), status_(status) {
    for (const TaskConfig& task : config.tasks) names_.push_back(task.name);
  }

  void ReadAll() {
    groups_.Limit(kWhole);
    status_->now = tx_.Execute("metrics/status_now").One().Get<std::string>("now");
    if (!tx_.Execute("metrics/database").One().Get<bool>("has_schema")) return;
    ReadRuns();  // without these there is no page
    Group("tasks", [this] { ReadTasks(); });
    Group("parts under way", [this] { ReadParts(); });
    Group("refresh targets", [this] { ReadRefreshTargets(); });
    Group("notifications", [this] { ReadNotifications(); });
    Group("workers", [this] { ReadWorkers(); });
    Group("what workers do", [this] { ReadInFlight(); });
  }

 private:
  template <typename Body>
  void Group(const std::string& name, Body body) {
    const std::string problem = groups_.Read(kShare, body);
    if (!problem.empty()) status_->not_read.push_back(full_ ? name + ": " + problem : name);
  }

  void ReadRuns() {
    const int shown = names_.size() > kManyTasks ? kRunsShownOfMany : kRunsShown;
    for (const pg::Row row : tx_.Execute("metrics/status_runs", names_, shown, full_)) {
      status_->runs.push_back(ReadRun(row));
    }
  }

  void ReadTasks() {
    for (const pg::Row row : tx_.Execute("metrics/status_tasks", names_)) {
      status_->tasks[row.Get<std::string>("task")] = {
          .succeeded_at = row.Get<OptionalText>("succeeded_at"),
          .skipped_at = row.Get<OptionalText>("skipped_at"),
          .seconds_without_success = row.Get<std::optional<double>>("seconds_without_success")};
    }
  }

  void ReadParts() {
    for (const pg::Row row : tx_.Execute("metrics/status_parts", names_)) {
      const auto run =
          std::ranges::find(status_->runs, row.Get<std::int64_t>("run"), &RunStatus::run);
      if (run != status_->runs.end()) run->bytes_in_parts = row.Get<std::int64_t>("bytes");
    }
  }

  void ReadRefreshTargets() {
    for (const pg::Row row : tx_.Execute("metrics/status_refresh", names_, full_)) {
      status_->refresh.push_back(ReadRefresh(row));
    }
  }

  void ReadNotifications() {
    std::vector<std::int64_t> runs;
    for (const RunStatus& run : status_->runs) runs.push_back(run.run);
    for (const pg::Row row :
         tx_.Execute("metrics/status_notifications", names_, runs, kNotificationsShown, full_)) {
      status_->notifications.push_back(ReadNotification(row));
    }
  }

  void ReadWorkers() {
    for (const pg::Row row : tx_.Execute("metrics/status_workers", names_, kWorkersMax)) {
      const auto id = row.Get<std::int64_t>("worker");
      if (status_->workers.empty() || status_->workers.back().worker != id) {
        status_->workers.push_back({.worker = id,
                                    .host = row.Get<std::string>("host"),
                                    .process_id = row.Get<std::int64_t>("process_id"),
                                    .started_at = row.Get<std::string>("started_at"),
                                    .leased_until = row.Get<std::string>("leased_until"),
                                    .runs = {},
                                    .shown = {}});
      }
      const auto run = row.Get<std::optional<std::int64_t>>("run");
      if (!run) continue;
      status_->workers.back().runs.push_back(
          {.task = row.Get<std::string>("task"), .run = *run, .plans = row.Get<bool>("plans")});
    }
  }

  void ReadInFlight() {
    for (const pg::Row row : tx_.Execute("metrics/status_in_flight", names_, kWorkersMax,
                                         kHeldCounted, kHeldShown, full_)) {
      const auto worker = std::ranges::find(status_->workers, row.Get<std::int64_t>("worker"),
                                            &WorkerStatus::worker);
      if (worker == status_->workers.end()) continue;
      InFlightObject object{
          .run = row.Get<std::int64_t>("run"),
          .job = row.Get<std::int64_t>("job"),
          .key = row.Get<std::optional<Key>>("key"),
          .action = row.Get<std::string>("action"),
          .size_bytes = row.Get<std::int64_t>("size_bytes"),
          .parts = row.Get<std::optional<std::int64_t>>("parts"),
          .bytes_done = row.Get<std::optional<std::int64_t>>("bytes_done").value_or(0)};
      // Every row of a run says how many there are of its kind.
      const bool is_first = std::ranges::none_of(worker->shown, [&](const InFlightObject& other) {
        return other.run == object.run && other.parts.has_value() == object.parts.has_value();
      });
      if (is_first) {
        (object.parts ? worker->parts : worker->objects) += row.Get<std::int64_t>("held");
      }
      worker->shown.push_back(std::move(object));
    }
  }

  pg::Transaction& tx_;
  StatusGroups& groups_;
  const bool full_;
  Status* const status_;
  std::vector<std::string> names_;
};

}  // namespace

Status ReadStatus(const Config& config, Database& database, Clock& clock, SteadyTime deadline,
                  const std::stop_token& stop, Detail detail) {
  Status status;
  try {
    const auto session = database.Connect(deadline);
    const SessionGuard guard(*session, clock, deadline, stop);
    session->Transact(
        [&](pg::Transaction& tx) {
          StatusGroups groups(tx, clock, deadline);
          PageReader(config, tx, groups, detail, &status).ReadAll();
        },
        {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly});
  } catch (const Error& error) {
    status = {};
    status.problem = detail == Detail::kFull ? error.what() : "the database cannot be read";
  }
  return status;
}

}  // namespace ferry::exporter
