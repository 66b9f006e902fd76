// What a worker does about delete jobs beside carrying them out: which of the claimed ones it may
// carry out, and what became of each.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "batch/copy/delete_extra.h"
#include "batch/copy/worker.h"

namespace ferry {

struct ClaimedDelete {
  Job job;
  DeleteTarget target;
};

// Takes the deletes out of `jobs`. Those that `policies` (by task; none: never) does not allow go
// to `refused`, as not carried out.
std::vector<ClaimedDelete> TakeDeletes(WorkQueue& queue, const OpenRun& run,
                                       const std::map<std::string, DeletePolicy>& policies,
                                       std::deque<Job>& jobs, std::vector<FinishedDelete>& refused);

// Tells the observer, and returns what is to be recorded.
FinishedDelete ConcludeDelete(RunObserver& observer, const std::string& task, const Job& job,
                              DeleteOutcome outcome);

}  // namespace ferry
