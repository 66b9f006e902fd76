// A configured task in the terms of the layers below.
#pragma once

#include "batch/config/config.h"
#include "batch/copy/worker.h"
#include "batch/plan/diff.h"
#include "batch/plan/key_filter.h"
#include "batch/queue/run_table.h"

namespace ferry {

TaskPlace PlaceOf(const TaskConfig& task);
AdoptPolicy AdoptPolicyOf(const TaskConfig& task);
VersionPolicy VersionPolicyOf(const TaskConfig& task);
// Reads exclude_from. Throws Error{kConfig}.
KeyFilter FilterOf(const TaskConfig& task);
WorkerOptions WorkerOptionsOf(const TransferConfig& transfer);
int LaneCount();

// "store:bucket/prefix", for people.
std::string SourceName(const TaskConfig& task);
std::string DestinationName(const TaskConfig& task);

}  // namespace ferry
