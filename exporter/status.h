// What the status page shows, read from the database.
//
// Times are text as in RFC 3339, UTC, by the database's clock. An optional is empty where there is
// none, or where the reader may not see it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/key.h"
#include "batch/config/config.h"
#include "exporter/database.h"

namespace ferry::exporter {

// Keys and error texts say what is in a bucket, and are for some eyes only.
enum class Detail { kPublic, kFull };

using OptionalText = std::optional<std::string>;

struct RunStatus {
  std::string task;
  std::int64_t run = 0;
  std::string kind;
  std::string state;
  bool active = false;  // somebody with a lease works on it
  bool open = false;    // not closed: levels and `final_*` mean something
  std::string started_at;
  OptionalText planned_at;
  OptionalText progress_at;
  OptionalText finished_at;
  double seconds = 0;
  std::int64_t source = 0;
  std::int64_t planned = 0;
  std::int64_t pending = 0;
  std::int64_t in_flight = 0;
  std::int64_t retry_wait = 0;
  std::int64_t done = 0;
  std::int64_t adopted = 0;
  std::int64_t deleted = 0;
  std::int64_t dead = 0;
  std::int64_t vanished = 0;
  std::int64_t archived = 0;
  std::int64_t bytes_planned = 0;
  std::int64_t bytes_done = 0;
  std::int64_t bytes_left = 0;      // of objects that are not final
  std::int64_t bytes_in_parts = 0;  // of these: parts that are at the destination
  std::int64_t retries = 0;
  std::int64_t requests_source = 0;
  std::int64_t requests_destination = 0;
  OptionalText error;
};

struct RefreshStatus {
  std::string task;
  std::string target;
  std::int64_t required_run = 0;
  std::int64_t acknowledged_run = 0;
  bool due = false;
  OptionalText required_at;
  OptionalText acknowledged_at;
  OptionalText outcome;  // of the last acknowledged one: done, or accepted
  std::int64_t tries = 0;
  OptionalText next_try_at;
  OptionalText error;
};

struct NotificationStatus {
  std::string task;
  std::int64_t run = 0;
  std::string event;
  std::string target;
  std::string state;  // waiting, given_up
  std::string created_at;
  std::int64_t tries = 0;
  std::string next_try_at;
  OptionalText error;
};

struct TaskStatus {
  OptionalText succeeded_at;
  OptionalText skipped_at;
  std::optional<double> seconds_without_success;  // since the task is known
};

struct WorkerRun {
  std::string task;
  std::int64_t run = 0;
  bool plans = false;
};

struct InFlightObject {
  std::int64_t run = 0;
  std::int64_t job = 0;
  std::optional<Key> key;
  std::string action;
  std::int64_t size_bytes = 0;
  std::optional<std::int64_t> parts;  // so many of its parts; else the whole object
  std::int64_t bytes_done = 0;        // of an object in parts, by all workers together
};

struct WorkerStatus {
  std::int64_t worker = 0;
  std::string host;
  std::int64_t process_id = 0;
  std::string started_at;
  std::string leased_until;
  std::vector<WorkerRun> runs;
  std::int64_t objects = 0;  // held now, counted up to a hundred a run
  std::int64_t parts = 0;
  std::vector<InFlightObject> shown;  // a few of them
};

struct Status {
  std::string problem;  // empty: the database answered
  std::string now;
  std::vector<RunStatus> runs;  // by task in the configuration's order, newest first
  std::map<std::string, TaskStatus> tasks;
  std::vector<RefreshStatus> refresh;
  std::vector<NotificationStatus> notifications;
  std::vector<WorkerStatus> workers;
  std::vector<std::string> not_read;  // groups that could not be read, and why
};

// Never throws for anything the database does: Status::problem says it. With Detail::kPublic
// nothing of keys and error texts is read. A stop ends waiting for the server.
Status ReadStatus(const Config& config, Database& database, Clock& clock, SteadyTime deadline,
                  const std::stop_token& stop, Detail detail);

}  // namespace ferry::exporter
