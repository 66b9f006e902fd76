#include "batch/pg/sqlstate.h"

#include <gtest/gtest.h>

namespace ferry::pg {
namespace {

TEST(SqlState, EveryAnswerWeHaveMet) {
  const struct {
    const char* what;
    Phase phase;
    const char* sqlstate;
    ErrorKind kind;
  } cases[] = {
      {"nobody answers", Phase::kConnect, "", ErrorKind::kUnavailable},
      {"wrong password", Phase::kConnect, "28P01", ErrorKind::kDenied},
      {"no such role, or pg_hba.conf", Phase::kConnect, "28000", ErrorKind::kDenied},
      {"no such database", Phase::kConnect, "3D000", ErrorKind::kConfig},
      {"too many connections", Phase::kConnect, "53300", ErrorKind::kUnavailable},
      {"starting up", Phase::kConnect, "57P03", ErrorKind::kUnavailable},
      {"connection lost", Phase::kStatement, "", ErrorKind::kUnavailable},
      {"server stops", Phase::kStatement, "57P01", ErrorKind::kUnavailable},
      {"idle in transaction", Phase::kStatement, "25P03", ErrorKind::kUnavailable},
      {"disk full", Phase::kStatement, "53100", ErrorKind::kUnavailable},
      {"deadlock", Phase::kStatement, "40P01", ErrorKind::kUnavailable},
      {"statement took too long", Phase::kStatement, "57014", ErrorKind::kUnavailable},
      {"failed over to a standby", Phase::kStatement, "25006", ErrorKind::kUnavailable},
      {"not allowed", Phase::kStatement, "42501", ErrorKind::kDenied},
      {"unique key", Phase::kStatement, "23505", ErrorKind::kConflict},
      {"foreign key", Phase::kStatement, "23503", ErrorKind::kConflict},
      {"check constraint", Phase::kStatement, "23514", ErrorKind::kInvalid},
      {"no such table", Phase::kStatement, "42P01", ErrorKind::kNotFound},
      {"syntax error", Phase::kStatement, "42601", ErrorKind::kInvalid},
      {"connection lost during commit", Phase::kCommit, "", ErrorKind::kInDoubt},
      {"server stops during commit", Phase::kCommit, "57P01", ErrorKind::kInDoubt},
      {"commit refused", Phase::kCommit, "23505", ErrorKind::kConflict},
      {"commit rolled back", Phase::kCommit, "40001", ErrorKind::kUnavailable},
      {"server cannot tell", Phase::kStatement, "08007", ErrorKind::kInDoubt},
  };
  for (const auto& c : cases) EXPECT_EQ(Classify(c.phase, c.sqlstate), c.kind) << c.what;
}

}  // namespace
}  // namespace ferry::pg
