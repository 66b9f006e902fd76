// The two streams of objects that are compared for a task.
#pragma once

#include <memory>

#include "batch/app/listing_ends.h"
#include "batch/config/config.h"
#include "batch/listing/entry_stream.h"

namespace ferry {

// The configuration outlives this object, and `ends` too.
class TaskListings {
 public:
  // What a run goes by: as the task's `compare` says.
  TaskListings(const ListingEnds& ends, const TaskConfig& task);
  // Both sides, whatever it says.
  static TaskListings OfBoth(const ListingEnds& ends, const TaskConfig& task);

  EntryStream& source() { return *source_; }
  EntryStream& destination() { return *destination_; }

 private:
  enum class Destination { kListed, kNotAsked };
  TaskListings(const ListingEnds& ends, const TaskConfig& task, Destination destination);

  std::unique_ptr<EntryStream> source_;
  std::unique_ptr<EntryStream> destination_;
};

}  // namespace ferry
