#include "batch/config/load_config.h"

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/config/sections.h"
#include "batch/config/yaml_value.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kSchemaBytesMax = 63;  // PostgreSQL cuts longer names
constexpr const char* kUsualStateDir = ".bucketferry";

std::string ReadSchema(const Value& value) {
  std::string schema = value.LowerWord(kSchemaBytesMax, "_");
  if (schema.front() >= '0' && schema.front() <= '9') value.Fail("must begin with a letter or _");
  if (schema.starts_with("pg_")) value.Fail("names that begin with pg_ are PostgreSQL's own");
  return schema;
}

// Empty counts as not set: a unit file cannot unset what it inherits.
std::optional<std::string> Override(const Environment& environment, const std::string& name) {
  auto text = environment.Get(name);
  return text && !text->empty() ? text : std::nullopt;
}

DatabaseConfig ChooseDatabase(const Map& keys, const Environment& environment) {
  const auto value = keys.Find("database");
  if (const auto uri = Override(environment, "BUCKETFERRY_DATABASE")) {
    try {
      return ParseDatabase(*uri);
    } catch (const Error& error) {
      throw Error(ErrorKind::kConfig, std::string("$BUCKETFERRY_DATABASE: ") + error.what());
    }
  }
  return value ? ReadDatabase(*value) : DatabaseConfig();
}

std::filesystem::path ChooseStateDir(const Map& keys, const yaml::Reading& reading) {
  const auto value = keys.Find("state_dir");
  if (const auto path = Override(reading.environment, "BUCKETFERRY_STATE_DIR")) return *path;
  return value ? value->Path() : reading.file.parent_path() / kUsualStateDir;
}

Config Read(yaml::Reading& reading) {
  const Map keys = yaml::ReadYaml(reading).Keys(
      {"database", "state_dir", "database_schema", "history", "stores", "tasks", "transfer",
       "refresh_targets", "notify_targets", "hook", "listen"});
  Config config;
  config.file = reading.file;
  config.database = ChooseDatabase(keys, reading.environment);
  config.state_dir = ChooseStateDir(keys, reading);
  if (const auto schema = keys.Find("database_schema")) {
    config.database_schema = ReadSchema(*schema);
  }
  if (const auto history = keys.Find("history")) {
    config.history = history->Duration({std::chrono::hours(24), std::chrono::hours(24 * 3650)});
  }
  if (const auto transfer = keys.Find("transfer")) config.transfer = ReadTransfer(*transfer);
  if (const auto targets = keys.Find("refresh_targets")) {
    config.refresh_targets = ReadRefreshTargets(*targets);
  }
  if (const auto targets = keys.Find("notify_targets")) {
    config.notify_targets = ReadNotifyTargets(*targets);
  }
  if (const auto hook = keys.Find("hook")) config.hook = ReadHook(*hook);
  if (const auto listen = keys.Find("listen")) config.listen = ReadListen(*listen);
  config.stores = ReadStores(keys.Need("stores"));
  config.tasks = ReadTasks(keys.Need("tasks"), config);
  return config;
}

}  // namespace

Config LoadConfig(const std::filesystem::path& file, const Environment& environment,
                  CredentialUse credentials) {
  yaml::Reading reading{.file = file, .environment = environment, .credentials = credentials};
  try {
    return Read(reading);
  } catch (const YAML::Exception&) {
    // Every use of a node above asks for its type first; this is for the one that would not.
    throw Error(ErrorKind::kConfig, EscapeBytes(file.native()) + ": not YAML that can be read");
  }
}

}  // namespace ferry
