// EntryStream: the objects of one side of a task, in key order, each key once.
#pragma once

#include <cstddef>
#include <vector>

#include "batch/plan/object.h"

namespace ferry {

// One thread reads, not a loop's.
class EntryStream {
 public:
  EntryStream() = default;
  virtual ~EntryStream() = default;
  EntryStream(const EntryStream&) = delete;
  EntryStream& operator=(const EntryStream&) = delete;

  // nullptr at the end. The object, its key without the prefix of the side, stays valid until
  // Next(). Throws Error.
  const ListedEntry* Peek() {
    if (position_ == page_.size()) {
      page_ = TakePage();
      position_ = 0;
    }
    return page_.empty() ? nullptr : &page_[position_];
  }
  void Next() { position_ += 1; }

 private:
  // The next ones; empty at the end, and whenever it is asked again then.
  virtual std::vector<ListedEntry> TakePage() = 0;

  std::vector<ListedEntry> page_;
  std::size_t position_ = 0;
};

// Of a side that nobody asks.
class NoEntries final : public EntryStream {
  std::vector<ListedEntry> TakePage() override { return {}; }
};

}  // namespace ferry
