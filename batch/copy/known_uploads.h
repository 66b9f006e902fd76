// What the queue knows of an object's uploads, as a work item carries it to a lane.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/nonce.h"
#include "batch/copy/lane_pool.h"
#include "batch/queue/work_queue.h"

namespace ferry {

std::vector<DonePart> ToDoneParts(std::vector<StoredPart> parts);
// `upload_id` is what it was sent to.
FinishedPart ToFinishedPart(std::int64_t job_id, const DonePart& part, std::string upload_id);

// Those of `uploads` that are of `key`: the one to go on with, with its parts; intents nobody heard
// of; and the ids of all that are recorded. `now` is when they were read.
void TakeUploads(WorkItem& item, const Key& key, const std::vector<KnownUpload>& uploads,
                 SteadyTime now,
                 const std::function<std::vector<DonePart>(std::int64_t run_id,
                                                           std::int64_t job_id)>& load_parts);

}  // namespace ferry
