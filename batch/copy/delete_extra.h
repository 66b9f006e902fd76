// Deleting one object at the destination that the source does not have.
#pragma once

#include <functional>
#include <string>

#include "batch/copy/object_copy.h"
#include "batch/queue/delete_jobs.h"

namespace ferry {

struct ObjectToDelete {
  Key source_key;
  Key destination_key;
  DeleteTarget target;
  // Asked right before the delete is sent: whether it is still for us to do. Between the look at
  // both sides and here a process may have been paused for as long as one likes.
  std::function<bool()> may_act = [] { return true; };
};

enum class DeleteOutcome {
  kDeleted,
  kSourceHasIt,  // it came back since it was listed
  kAlreadyGone,  // by others, or by an attempt whose answer was lost
  kChanged,      // another object is there now
};

// Asks both sides once more, and deletes only what is as it was planned: the source must answer
// "NoSuchKey" (as it does for a delete marker; a 403 or any other answer proves nothing), the
// destination must hold the very object of `target`. Throws SideError for every other answer;
// then nothing was deleted, or the answer to the delete was lost. Safe to repeat.
Task<DeleteOutcome> DeleteExtra(Ends ends, ObjectToDelete object);

// Why nothing was deleted, for people. REQUIRES: not kDeleted.
std::string WhyNotDeleted(DeleteOutcome outcome);

}  // namespace ferry
