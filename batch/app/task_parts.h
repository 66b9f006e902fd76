// A configured task in the terms of the layers below.
#pragma once

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/copy/delete_planner.h"
#include "batch/copy/worker.h"
#include "batch/plan/diff.h"
#include "batch/plan/object_filter.h"
#include "batch/queue/run_table.h"
#include "batch/store/s3_store.h"

namespace ferry {

// An endpoint that the provider implies is left out: a store may correct it
// (store/bucket_access.h), one that the operator chose it may not.
StoreLocation LocationOf(const StoreConfig& store);

S3Options SourceOptionsOf(const TaskConfig& task, const StoreConfig& store);
S3Options DestinationOptionsOf(const TaskConfig& task, const StoreConfig& store);
// That of the destination's store, with the checksum that the task asks for.
Provider DestinationProviderOf(const TaskConfig& task, const StoreConfig& store);
// Whether that checksum is asked for, not only expected.
bool DemandsChecksum(const TaskConfig& task, const StoreConfig& store);
// What objects get that is not the same for all of them, or is compared.
WriteRules WriteRulesOf(const TaskConfig& task, const StoreConfig& destination);

std::optional<RestoreRules> RestoreRulesOf(const TaskConfig& task);

TaskPlace PlaceOf(const TaskConfig& task);
// Whether `place` is what the task is now, and no other generation: the same buckets and prefixes
// of the same stores.
bool IsGenerationOf(const TaskConfig& task, const TaskPlace& place);
AdoptPolicy AdoptPolicyOf(const TaskConfig& task);
VersionPolicy VersionPolicyOf(const TaskConfig& task);
// Reads exclude_from. Ages are those at `now`. Throws Error{kConfig}.
ObjectFilter FilterOf(const TaskConfig& task, WallTime now);

// Which objects of which buckets a task is about. The digest changes with the patterns (the content
// of exclude_from, too) and with either endpoint: with all that deletes go by.
struct TaskSelection {
  ObjectFilter filter;
  std::string digest;
};
// Reads exclude_from. Ages are those at `now`. Throws Error{kConfig}.
TaskSelection SelectionOf(const Config& config, const TaskConfig& task, WallTime now);

DeletePolicy DeletePolicyOf(const TaskConfig& task);
// `before`: the digest of the last planned run, if there was one.
DeleteRules DeleteRulesOf(const TaskConfig& task, const TaskSelection& selection,
                          const std::optional<std::string>& before);

// How much one run may hold. `being_restored`: so many archived objects of the task are.
PlanCaps PlanCapsOf(const TaskConfig& task, std::int64_t being_restored);

// What a worker with this configuration may delete, by task.
std::map<std::string, DeletePolicy> DeletePoliciesOf(const Config& config);

WorkerOptions WorkerOptionsOf(const TransferConfig& transfer);
// The kernel's name for what long connections are to use; empty: the host's own.
std::string CongestionControlOf(const TransferConfig& transfer);
int LaneCount();

// "store:bucket/prefix", for people.
std::string SourceName(const TaskConfig& task);
std::string DestinationName(const TaskConfig& task);

}  // namespace ferry
