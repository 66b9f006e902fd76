#include "batch/app/task_listings.h"

#include "batch/app/task_parts.h"
#include "batch/listing/listing_stream.h"

namespace ferry {

TaskListings::TaskListings(const ListingEnds& ends, const TaskConfig& task)
    : TaskListings(
          ends, task,
          task.compare == CompareMode::kBoth ? Destination::kListed : Destination::kNotAsked) {}

TaskListings TaskListings::OfBoth(const ListingEnds& ends, const TaskConfig& task) {
  return {ends, task, Destination::kListed};
}

TaskListings::TaskListings(const ListingEnds& ends, const TaskConfig& task, Destination destination)
    : source_(std::make_unique<ListingStream>(ends.Places(Side::kSource), task.source.prefix,
                                              SourceName(task), ends.ends().versions)) {
  if (destination == Destination::kNotAsked) {
    destination_ = std::make_unique<NoEntries>();
  } else {
    destination_ = std::make_unique<ListingStream>(ends.Places(Side::kDestination),
                                                   task.destination.prefix, DestinationName(task));
  }
}

}  // namespace ferry
