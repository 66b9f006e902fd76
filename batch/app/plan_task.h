// One task's run from its planner's view: begun, listed, its jobs enqueued.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "batch/app/commands.h"
#include "batch/app/engine.h"
#include "batch/base/error.h"
#include "batch/plan/delete_guard.h"
#include "batch/queue/planner_session.h"
#include "batch/queue/run_table.h"

namespace ferry {

struct Plan {
  const TaskConfig* task = nullptr;
  BegunRun begun;
  PlanEnd end;
  std::atomic<std::int64_t> run_id{0};  // 0: not begun
  std::atomic<bool> over{false};        // given up: nothing of it is worked on any more
  std::optional<Error> error;
};

using PlanBody = std::function<void(const CommandContext&, Engine&, PlannerSession&, Plan&)>;

// What is planned: what the listings say, or the dead jobs that are left.
void PlanByListing(const CommandContext& context, Engine& engine, PlannerSession& session,
                   Plan& plan);
void PlanByDeadJobs(const CommandContext& context, Engine& engine, PlannerSession& session,
                    Plan& plan);

// What the planner asked its stores, into the sums of the run: where nothing is to be copied no
// worker says so.
void CountListingRequests(Engine& engine, PlannerSession& session, const Plan& plan);

// So many deletes were planned; or none, and `why`: returns what fails the run by it, if anything.
void SayDeletes(const Plan& plan, std::int64_t deletes);
std::optional<std::string> SayNoDeletes(const Plan& plan, DeleteVerdict verdict,
                                        const DeleteScope& scope, const std::string& why);

// Begins a run and plans it. Throws nothing: what went wrong is in `plan`, and the run is closed
// `failed`.
void CarryOutPlan(const CommandContext& context, Engine& engine, RunKind kind, const PlanBody& body,
                  Plan& plan);

}  // namespace ferry
