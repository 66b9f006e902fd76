// The database as configured: embedded or by URI, reached with as many sessions as are wanted.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/pg/embedded.h"
#include "batch/pg/idle_connections.h"
#include "batch/pg/session.h"

namespace ferry {

class Database {
 public:
  // Starts the embedded server where it is configured; brings the schema up to date, and prunes
  // history beside everything else, on a thread and a session of its own, which end before this
  // object does.
  // Throws Error{kConfig, kUnavailable}.
  static std::unique_ptr<Database> Open(const Config& config);

  // For commands that only look: nullptr when there is no database yet. Creates and migrates
  // nothing.
  static std::unique_ptr<Database> OpenExisting(const Config& config);

  // Thread-safe. Starts a dead embedded server again.
  std::unique_ptr<pg::Session> Connect();

 private:
  explicit Database(const Config& config) : config_(config) {}

  void Prune(const std::stop_token& stop);

  const Config& config_;
  std::optional<pg::EmbeddedServer> server_;
  SystemClock clock_;
  const std::shared_ptr<pg::IdleConnections> idle_ = std::make_shared<pg::IdleConnections>(clock_);
  std::jthread pruning_;
};

}  // namespace ferry
