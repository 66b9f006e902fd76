// The plan of a run of events: the keys that wait, looked at as they come, until no more do.
#pragma once

#include "batch/app/plan_task.h"

namespace ferry {

// A PlanBody, for RunKind::kEvent. Ends after `events.quiet` without an event, when another run of
// the task waits, when the run is an hour old, or holds as much as max_objects and max_bytes let
// one. A store that cannot be asked is asked again, as long as the run goes on; the keys wait.
void PlanByEvents(const CommandContext& context, Engine& engine, PlannerSession& session,
                  Plan& plan);

}  // namespace ferry
