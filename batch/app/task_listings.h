// The two streams of objects that are compared for a task.
#pragma once

#include <functional>
#include <memory>

#include "batch/app/listing_ends.h"
#include "batch/config/config.h"
#include "batch/listing/entry_stream.h"
#include "batch/listing/keys_stream.h"

namespace ferry {

class TaskListings {
 public:
  // kAsTaskSays: the destination is asked nothing where its `compare` is none.
  enum class Sides { kAsTaskSays, kBoth };

  // As the task's `list` says. Reads and sorts a file that it names, in the scratch folder of
  // `config`. Throws Error. All outlive this object.
  TaskListings(const ListingEnds& ends, const Config& config, const TaskConfig& task,
               Sides sides = Sides::kAsTaskSays);

  EntryStream& source() { return *source_; }
  EntryStream& destination() { return *destination_; }

  // Once both were read: says of listed keys how many are not there.
  void SayMissing() const;

 private:
  void OfBucket(const ListingEnds& ends, const TaskConfig& task);
  void OfKeys(const ListingEnds& ends, const Config& config, const TaskConfig& task);
  void OfPrefixes(const ListingEnds& ends, const Config& config, const TaskConfig& task);

  const TaskConfig& task_;
  std::unique_ptr<EntryStream> source_;
  std::unique_ptr<EntryStream> destination_;
  const KeysStream* keys_ = nullptr;  // of the source
};

// A list file that cannot be read, or holds what is no list, is told before anything begins. Throws
// Error{kConfig}.
void CheckListFile(const TaskConfig& task);

}  // namespace ferry
