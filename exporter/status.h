// What the status page shows, read from the database.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/key.h"
#include "batch/config/config.h"
#include "exporter/database.h"

namespace ferry::exporter {

struct RunStatus {
  std::string task;
  std::int64_t run = 0;
  std::string state;
  bool active = false;
  std::string started_at;  // UTC
  double seconds = 0;
  std::int64_t planned = 0;
  std::int64_t waiting = 0;  // pending and retry_wait
  std::int64_t in_flight = 0;
  std::int64_t done = 0;
  std::int64_t adopted = 0;
  std::int64_t dead = 0;
  std::int64_t vanished = 0;
  std::int64_t archived = 0;
  std::int64_t bytes_planned = 0;
  std::int64_t bytes_done = 0;
  std::string error;
};

struct DeadObject {
  std::string task;
  std::int64_t run = 0;
  Key key;
  std::int64_t attempts = 0;
  std::string error;
};

struct Status {
  std::string problem;          // empty: the database answered
  std::vector<RunStatus> runs;  // by task in the configuration's order, newest first
  std::vector<DeadObject> dead;
};

// Keys and error texts say what is in a bucket, and are for some eyes only.
enum class Detail { kPublic, kFull };

// Never throws for anything the database does: Status::problem says it. With Detail::kPublic
// nothing of keys and error texts is read. A stop ends waiting for the server.
Status ReadStatus(const Config& config, Database& database, Clock& clock, SteadyTime deadline,
                  const std::stop_token& stop, Detail detail);

// A whole HTML page that loads nothing from elsewhere.
std::string RenderStatus(const Config& config, const Status& status, Detail detail);

}  // namespace ferry::exporter
