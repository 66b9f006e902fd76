// The janitor's pass of this process: once a run, after its work.
#pragma once

#include "batch/app/commands.h"
#include "batch/app/engine.h"

namespace ferry {

// Ends uploads of the command's tasks that nobody goes on with. What fails is said in the log and
// left for next time: no exit code depends on it.
void TidyAfterwards(const CommandContext& context, Engine& engine);

}  // namespace ferry
