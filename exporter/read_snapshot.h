// SnapshotReader: one read-only, repeatable-read transaction for each scrape, one statement for
// each group of metrics, within the scrape's time.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/config/config.h"
#include "exporter/database.h"
#include "exporter/snapshot.h"

namespace ferry::exporter {

class SnapshotReader {
 public:
  // All must outlive this object. A stop ends reads that wait for the server.
  SnapshotReader(const Config& config, Database& database, Clock& clock, std::stop_token stop)
      : config_(config), database_(database), clock_(clock), stop_(std::move(stop)) {}

  // From any thread. Does not throw for anything the database does: what could not be read is
  // missing in the snapshot, and a warning says why, once until it changes.
  Snapshot Read(std::chrono::milliseconds budget);

 private:
  void ReadAll(SteadyTime deadline, Snapshot* snapshot);
  void Complain(const std::string& problem);

  const Config& config_;
  Database& database_;
  Clock& clock_;
  const std::stop_token stop_;

  Mutex mutex_;
  std::string last_problem_ FERRY_GUARDED_BY(mutex_);  // empty: the last scrape went well
};

}  // namespace ferry::exporter
