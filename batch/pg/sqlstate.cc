#include "batch/pg/sqlstate.h"

namespace ferry::pg {

bool EndsSession(std::string_view sqlstate) {
  return sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P") ||
         sqlstate == "25P03" /* idle in transaction for too long */;
}

ErrorKind Classify(Phase phase, std::string_view sqlstate) {
  const auto is = [&](std::string_view prefix) { return sqlstate.starts_with(prefix); };

  // A server that ends the session while it commits may have committed before it looked.
  if (phase == Phase::kCommit && EndsSession(sqlstate)) return ErrorKind::kInDoubt;
  if (is("08007") || is("40003")) return ErrorKind::kInDoubt;
  if (EndsSession(sqlstate)) return ErrorKind::kUnavailable;

  if (is("3D000")) return ErrorKind::kConfig;                   // no such database
  if (is("28") || is("42501")) return ErrorKind::kDenied;       // who we are; what we may
  if (is("53") || is("58")) return ErrorKind::kUnavailable;     // disk, memory, connections; I/O
  if (is("40") || is("55P03")) return ErrorKind::kUnavailable;  // rolled back: deadlock; lock
  if (is("57014")) return ErrorKind::kUnavailable;              // statement_timeout
  if (is("25006")) return ErrorKind::kUnavailable;  // read-only: the primary is now elsewhere
  if (is("55000") && phase == Phase::kConnect) return ErrorKind::kUnavailable;
  if (is("23505") || is("23503") || is("23P01")) return ErrorKind::kConflict;
  if (is("42P01") || is("3F000")) return ErrorKind::kNotFound;  // no such table, schema
  return ErrorKind::kInvalid;
}

}  // namespace ferry::pg
