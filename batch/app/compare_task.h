// CompareTask: both sides of a task and its ledger, compared as a plan does it, without a plan.
// Changes nothing anywhere.
#pragma once

#include <functional>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/stores.h"
#include "batch/copy/delete_planner.h"
#include "batch/copy/planner.h"

namespace ferry {

struct TaskComparison {
  CompareCounts counts;
  DeleteRules deletes;
};

// `database` is null where there is none yet: the ledger is empty then. `found` is called for each
// source object that passes the filter, `extra` for each that the destination alone has, where the
// task deletes. Throws what Compare throws.
TaskComparison CompareTask(const CommandContext& context, Stores& stores, LanePool& lanes,
                           Database* database, const TaskConfig& task,
                           const std::function<void(const Found&)>& found,
                           const std::function<void(const ExtraFound&, DeletePolicy)>& extra = {});

}  // namespace ferry
