// One byte range of an object, read on both sides at the same time and compared as it arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "batch/base/task.h"
#include "batch/copy/object_copy.h"

namespace ferry {

struct RangeToCompare {
  Key source_key;
  Key destination_key;
  std::string source_etag;  // both sides are pinned to what they were
  std::string destination_etag;
  std::uint64_t object_bytes = 0;  // the same on both sides
  std::uint64_t first_byte = 0;
  std::uint64_t size_bytes = 0;  // object_bytes: one plain GET
};

struct RangeComparison {
  std::optional<std::uint64_t> differs_at;  // the first such byte, counted within the object
  ObjectHead source;
  ObjectHead destination;
};

// Memory: what one side is ahead of the other, at most size_bytes. Neither side waits for the
// other, so two that share a limit of requests cannot stop each other. Throws SideError: kConflict
// or kNotFound where a side is not any more what it was.
Task<RangeComparison> CompareRange(Ends ends, RangeToCompare range, Traffic& traffic);

}  // namespace ferry
