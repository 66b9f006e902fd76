// What an SQLSTATE means: the one table.
#pragma once

#include <string_view>

#include "batch/base/error.h"

namespace ferry::pg {

// Whether the statement came from a session that was already working, or the server refused one.
enum class Phase { kConnect, kStatement, kCommit };

// The kind for an error answer with this SQLSTATE. `sqlstate` is empty where the connection was
// lost, or never made, without an answer.
ErrorKind Classify(Phase phase, std::string_view sqlstate);

}  // namespace ferry::pg
