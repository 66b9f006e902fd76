#include "batch/app/database.h"

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/migrator.h"
#include "batch/queue/prune.h"

namespace ferry {

std::unique_ptr<Database> Database::Open(const Config& config) {
  auto database = std::unique_ptr<Database>(new Database(config));
  if (config.database.kind == DatabaseConfig::Kind::kEmbedded) {
    database->server_.emplace(config.state_dir);
  }
  const auto session = database->Connect();
  pg::EnsureSchema(*session, pg::SchemaPolicy::kMigrate);
  database->pruning_ =
      std::jthread([self = database.get()](const std::stop_token& stop) { self->Prune(stop); });
  return database;
}

// What fails here fails nothing else: the next process tries again.
void Database::Prune(const std::stop_token& stop) try {
  const auto session = Connect();
  const Pruned pruned = PruneHistory(*session, config_.history, stop);
  if (pruned == Pruned{}) return;
  log::Info("history pruned", {{"left_jobs", pruned.jobs},
                               {"partitions", pruned.partitions},
                               {"runs", pruned.runs},
                               {"workers", pruned.workers},
                               {"processes", pruned.processes},
                               {"messages", pruned.messages}});
} catch (const Error& error) {
  log::Debug("could not prune history", {{"error", error.what()}});
}

std::unique_ptr<Database> Database::OpenExisting(const Config& config) {
  auto database = std::unique_ptr<Database>(new Database(config));
  if (config.database.kind == DatabaseConfig::Kind::kEmbedded) {
    if (!pg::EmbeddedServerExists(config.state_dir)) return nullptr;
    database->server_.emplace(config.state_dir);
  }
  const auto session = database->Connect();
  if (pg::SchemaVersion(*session) == 0) return nullptr;
  pg::EnsureSchema(*session, pg::SchemaPolicy::kRequireCurrent);
  return database;
}

std::unique_ptr<pg::Session> Database::Connect() {
  pg::ConnectOptions options;
  options.uri = server_ ? server_->uri() : config_.database.uri.Reveal();
  options.schema = config_.database_schema;
  if (!server_) return std::make_unique<pg::Session>(std::move(options), idle_);
  try {
    return std::make_unique<pg::Session>(options, idle_);
  } catch (const Error& error) {
    if (!IsRetryable(error.kind())) throw;
  }
  server_->EnsureRunning();  // it may have ended since
  return std::make_unique<pg::Session>(std::move(options), idle_);
}

}  // namespace ferry
