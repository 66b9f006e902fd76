// Migrator: brings the schema to what this program was built with.
//
// A migration is `migrations/NNNN_what`, numbered from 0001 without gaps; its first line is
// `-- breaking: yes` or `-- breaking: no`. Breaking means: programs built before it must not work
// on the schema any more. Each applied one is a row of `<schema>.migration`. All that are missing
// are applied in one transaction, under a lock on the schema's name, so any number of processes
// may start at once, and a failure leaves the schema as it was.
#pragma once

#include <span>
#include <string>

#include "batch/pg/session.h"
#include "batch/pg/sql_table.h"

namespace ferry::pg {

enum class SchemaPolicy {
  kMigrate,         // create the schema, apply what is missing
  kRequireCurrent,  // change nothing: Error{kConfig} when something is missing
};

// Makes sure that this program can work on the schema. Throws Error{kConfig} when the schema has
// a breaking migration that this program does not know; a newer schema without one is accepted.
// When nothing is to do it asks one query and needs no right but to read.
// Returns the schema's version.
int EnsureSchema(Session& session, SchemaPolicy policy,
                 std::span<const SqlText> table = SqlTable());

// The highest migration in the schema; 0 when there is none, or no schema.
int SchemaVersion(Session& session);

// The highest migration this program knows.
int ProgramVersion(std::span<const SqlText> table = SqlTable());

}  // namespace ferry::pg
