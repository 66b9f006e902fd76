// The two streams of objects that are compared for a task.
#pragma once

#include <functional>
#include <memory>

#include "batch/app/commands.h"
#include "batch/app/listing_ends.h"
#include "batch/listing/entry_stream.h"
#include "batch/listing/keys_stream.h"

namespace ferry {

class TaskListings {
 public:
  // kAsTaskSays: the destination is asked nothing where its `compare` is none.
  enum class Sides { kAsTaskSays, kBoth };

  // As the task's `list` says. Reads and sorts what it names, in the scratch folder of the
  // configuration. Throws Error. All outlive this object.
  TaskListings(const CommandContext& context, Stores& stores, LanePool& lanes,
               const TaskConfig& task, Patience patience, Sides sides = Sides::kAsTaskSays);

  Ends ends() const { return ends_.ends(); }  // on the first loop
  EntryStream& source() { return *source_; }
  EntryStream& destination() { return *destination_; }

  // Once both were read: says of listed keys how many are not there.
  void SayMissing() const;

 private:
  void OfBucket();
  void OfKeys();
  void OfPrefixes();
  void OfInventory(Stores& stores, LanePool& lanes);
  std::unique_ptr<EntryStream> Bucket(Side side) const;
  KeysStream::Keys SortedLines() const;

  const CommandContext& context_;
  const TaskConfig& task_;
  const ListingEnds ends_;
  std::unique_ptr<EntryStream> source_;
  std::unique_ptr<EntryStream> destination_;
  const KeysStream* keys_ = nullptr;  // of the source
};

// A list file that cannot be read, or holds what is no list, is told before anything begins. Throws
// Error{kConfig}.
void CheckListFile(const TaskConfig& task);

}  // namespace ferry
