// Uploads that were begun and that nobody knows: Create was carried out, its answer was lost, and
// all that is left is the row written before it was sent. Which of a bucket's uploads is that one
// is judged from the store's own list, and rather too seldom than once too often: what is not
// certainly ours is left alone.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/key.h"
#include "batch/base/task.h"
#include "batch/copy/object_copy.h"

namespace ferry {

// Ends what `intents` have left at the destination, where it can be told:
//   - the key is exactly `key`, and none of `recorded_ids` is meant: those are known;
//   - it was begun no earlier than its intent was written and no later than kCreateWindow after it,
//     by the store's own clock (the Date of its answer: both sides of the comparison are its);
//   - it has no part: ours got none, since parts are sent to what is recorded;
//   - its Initiator is that of `recorded_ids` in the same list, where the store names them.
// REQUIRES: one of `recorded_ids` is open. A list that shows none of them is not believed.
//
// Needs s3:ListBucketMultipartUploads; without it nothing is settled, and the copy goes on. Adds to
// `settlement`. Throws Error{kStopped} only.
Task<Unit> SettleIntents(Ends ends, Key key, std::vector<Intent> intents,
                         std::vector<std::string> recorded_ids, Settlement& settlement);

// Whether an upload of `key` is open that one of `intents` may have begun, judged as above but for
// the Initiator, which nobody knows without an upload of our own. Throws Error.
Task<bool> MayHaveLeft(Ends ends, Key key, std::vector<Intent> intents,
                       std::vector<std::string> recorded_ids);

// Whether a store that answered Create so may have begun an upload all the same.
bool MayHaveBegun(ErrorKind kind);

// Aborts until the store has it no more: parts that were on their way when it was aborted may keep
// it (API_AbortMultipartUpload). False: it is still there. Throws Error.
Task<bool> EndUpload(Ends ends, Key key, std::string upload_id);

// Requests end sooner, also those that wait for what Retry-After says: an intent of this age that
// left nothing so far leaves nothing any more.
inline constexpr std::chrono::minutes kCreateWindow{15};

}  // namespace ferry
