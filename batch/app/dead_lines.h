// The dead objects of a run, as people are told of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

// A line for each, 20 at most: what died in the run, then keys that the destination cannot hold.
std::vector<std::string> DeadLines(pg::Session& session, std::int64_t task_id, std::int64_t run_id);

}  // namespace ferry
