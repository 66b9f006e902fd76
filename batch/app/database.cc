#include "batch/app/database.h"

#include "batch/pg/migrator.h"

namespace ferry {

std::unique_ptr<Database> Database::Open(const Config& config) {
  auto database = std::unique_ptr<Database>(new Database(config));
  if (config.database.kind == DatabaseConfig::Kind::kEmbedded) {
    database->server_.emplace(config.state_dir);
  }
  const auto session = database->Connect();
  pg::EnsureSchema(*session, pg::SchemaPolicy::kMigrate);
  return database;
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
  if (server_) server_->EnsureRunning();
  pg::ConnectOptions options;
  options.uri = server_ ? server_->uri() : config_.database.uri.Reveal();
  options.schema = config_.database_schema;
  return std::make_unique<pg::Session>(std::move(options));
}

}  // namespace ferry
