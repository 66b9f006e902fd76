// What people are told of a run at the end of the command that worked on it.
#pragma once

#include <cstdint>

#include "batch/app/engine.h"
#include "batch/config/config.h"
#include "batch/pg/session.h"
#include "batch/queue/run_table.h"

namespace ferry {

// How long somebody who was stopped waits for a database that is away.
inline constexpr std::chrono::seconds kStoppedPatience{20};

// The last line about a run, on stdout; its error, and at most 20 of its dead objects, on stderr.
void SayRun(pg::Session& session, const TaskConfig& task, std::int64_t task_id,
            const RunState& run);
void SayDead(pg::Session& session, const TaskConfig& task, std::int64_t task_id,
             const RunState& run);

// Of a run that could not go on here, whether it was closed or left to others. Returns the exit
// code.
int SayGivenUp(Engine& engine);

// At the end of one that works: whatever is left of the runs that `until` accepts is for others, or
// for the next time. Waits for the database as long as somebody who was stopped does; throws
// nothing.
void InterruptRuns(const Worker::Until& until, Engine& engine);

}  // namespace ferry
