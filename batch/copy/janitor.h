// The janitor: ends uploads of ours that nobody goes on with.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "batch/base/error.h"
#include "batch/copy/object_copy.h"
#include "batch/pg/session.h"

namespace ferry {

struct TidyOrder {
  std::int64_t task_id = 0;
  std::int64_t worker_id = 0;
  std::string source_prefix;
  std::string destination_prefix;
  std::chrono::milliseconds abandoned_after{0};
};

struct Tidied {
  int gone = 0;  // at the destination no more, and forgotten
  int left = 0;  // not certain: to be tried again
  std::optional<Error> problem;
};

// One pass over one task, of a bounded number of requests; ends early when the destination does not
// answer or refuses. Not on the thread of `ends.loop`. Throws Error of the database only.
Tidied TidyUploads(pg::Session& session, const TidyOrder& order, Ends ends,
                   const std::stop_token& stop);

}  // namespace ferry
