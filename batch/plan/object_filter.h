// ObjectFilter: which objects of a task are brought over, by their key, size and age.
//
// Deletes go by keys alone: an object that has become too old or too large at the source is still
// there, and one that is gone has no size any more. Immutable; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "batch/plan/key_filter.h"
#include "batch/plan/object.h"

namespace ferry {

// Both ends belong to it. Times are Unix milliseconds, of the store's clock.
struct ObjectBounds {
  std::uint64_t size_bytes_min = 0;
  std::uint64_t size_bytes_max = std::numeric_limits<std::uint64_t>::max();
  std::int64_t modified_ms_min = std::numeric_limits<std::int64_t>::min();
  std::int64_t modified_ms_max = std::numeric_limits<std::int64_t>::max();
};

class ObjectFilter {
 public:
  explicit ObjectFilter(KeyFilter keys, ObjectBounds bounds = {})
      : keys_(std::move(keys)), bounds_(bounds) {}

  // `source` is an object of the source, its key without the task's prefix.
  bool Matches(const ListedEntry& source) const {
    return IsWithinBounds(source) && keys_.Matches(source.key.bytes());
  }
  bool MatchesKey(std::string_view rest) const { return keys_.Matches(rest); }

  // For people: why an object is left out. `source` is null where there is none. nullopt: it
  // matches.
  std::optional<std::string> WhyExcluded(std::string_view rest, const ListedEntry* source) const;

 private:
  bool IsWithinBounds(const ListedEntry& source) const {
    return source.size_bytes >= bounds_.size_bytes_min &&
           source.size_bytes <= bounds_.size_bytes_max &&
           source.modified_ms >= bounds_.modified_ms_min &&
           source.modified_ms <= bounds_.modified_ms_max;
  }

  KeyFilter keys_;
  ObjectBounds bounds_;
};

}  // namespace ferry
