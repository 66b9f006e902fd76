// What an SQLSTATE means: the one table.
#pragma once

#include <string_view>

#include "batch/base/error.h"

namespace ferry::pg {

// What was going on when the server answered, or the connection broke.
enum class Phase { kConnect, kStatement, kCommit };

// `sqlstate` is empty where there was no answer: never connected, or the connection broke.
ErrorKind Classify(Phase phase, std::string_view sqlstate);

// Whether the session that got this answer is over.
bool EndsSession(std::string_view sqlstate);

}  // namespace ferry::pg
