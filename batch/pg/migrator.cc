#include "batch/pg/migrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry::pg {

namespace {

constexpr std::string_view kFolder = "migrations/";

// Waiting for others' migrations, and building an index on a large table.
constexpr std::chrono::milliseconds kMigrationTimeout{30 * 60 * 1000};

struct Migration {
  int id = 0;
  std::string_view name;
  std::string_view text;
  bool breaking = false;
};

bool IsBreaking(const SqlText& sql) {
  const std::string_view line = sql.text.substr(0, sql.text.find('\n'));
  const bool breaking = line.starts_with("-- breaking: yes");
  FERRY_CHECK(breaking || line.starts_with("-- breaking: no"));
  return breaking;
}

std::vector<Migration> Migrations(std::span<const SqlText> table) {
  std::vector<Migration> migrations;
  for (const SqlText& sql : table) {
    if (!sql.name.starts_with(kFolder)) continue;
    const std::string_view name = sql.name.substr(kFolder.size());
    Migration migration{0, name, sql.text, IsBreaking(sql)};
    std::from_chars(name.data(), name.data() + name.size(), migration.id);
    migrations.push_back(migration);
    FERRY_CHECK(migration.id == static_cast<int>(migrations.size()));
  }
  return migrations;
}

struct State {
  int version = 0;
  std::optional<int> breaking;  // the highest breaking migration above what was asked
};

State ReadState(Transaction& tx, int known) {
  const Rows rows = tx.ExecuteText(
      "select coalesce(max(id), 0) as version,"
      "       max(id) filter (where breaking and id > $1::int) as breaking"
      " from bucketferry.migration",
      known);
  return {rows.One().Get<int>("version"), rows.One().Get<std::optional<int>>("breaking")};
}

// nullopt: no schema, or nothing in it.
std::optional<State> ReadStateIfThere(Session& session, int known) {
  try {
    return session.Transact([&](Transaction& tx) { return ReadState(tx, known); },
                            {.access = Access::kReadOnly});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return std::nullopt;
    throw;
  }
}

// Creates what holds the versions where it is missing. Under the lock.
void CreateSchema(Transaction& tx) {
  const std::string schema = QuoteIdentifier(tx.session().statements().schema());
  const Rows exists = tx.ExecuteText("select to_regnamespace($1) is not null as exists", schema);
  // Asked first: CREATE SCHEMA IF NOT EXISTS wants its right even where the schema is there.
  if (!exists.One().Get<bool>("exists")) tx.ExecuteText("create schema " + schema);
  tx.ExecuteText(
      "create table if not exists bucketferry.migration ("
      "  id int primary key,"
      "  name text not null,"
      "  breaking boolean not null,"
      "  applied_at timestamptz not null default clock_timestamp())");
}

void RefuseNewer(const State& state, int known) {
  if (!state.breaking) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("database: the schema is at version {} and its migration {} is for newer "
                          "programs only; this program knows version {}: update it",
                          state.version, *state.breaking, known));
}

void Apply(Transaction& tx, const Migration& migration) {
  // First the row, so that a second migrator that got here in spite of the lock fails at once.
  tx.ExecuteText(
      "insert into bucketferry.migration (id, name, breaking) values ($1::int, $2, $3::boolean)",
      migration.id, migration.name, migration.breaking);
  tx.ExecuteScript(migration.text, migration.name);
  log::Info("migration applied", {{"migration", std::string(migration.name)}});
}

int Migrate(Session& session, const std::vector<Migration>& migrations) {
  const int known = static_cast<int>(migrations.size());
  Transaction tx(session, {.statement_timeout = kMigrationTimeout});
  // A lock of the transaction, not of the session: poolers lose those.
  tx.ExecuteText("select pg_advisory_xact_lock(hashtextextended($1, 0))",
                 "bucketferry migration " + session.statements().schema());
  CreateSchema(tx);
  const State state = ReadState(tx, known);
  RefuseNewer(state, known);
  for (const Migration& migration : migrations) {
    if (migration.id > state.version) Apply(tx, migration);
  }
  tx.Commit();
  return std::max(known, state.version);
}

}  // namespace

int EnsureSchema(Session& session, SchemaPolicy policy, std::span<const SqlText> table) {
  const std::vector<Migration> migrations = Migrations(table);
  const int known = static_cast<int>(migrations.size());
  const std::optional<State> state = ReadStateIfThere(session, known);
  if (state) RefuseNewer(*state, known);
  if (state && state->version >= known) return state->version;
  if (policy == SchemaPolicy::kMigrate) return Migrate(session, migrations);
  throw Error(ErrorKind::kConfig,
              fmt::format("database: schema \"{}\" is at version {}, this program needs {}: run "
                          "`bucketferry migrate`",
                          session.statements().schema(), state ? state->version : 0, known));
}

int SchemaVersion(Session& session) {
  const std::optional<State> state = ReadStateIfThere(session, 0);
  return state ? state->version : 0;
}

int ProgramVersion(std::span<const SqlText> table) {
  return static_cast<int>(Migrations(table).size());
}

}  // namespace ferry::pg
