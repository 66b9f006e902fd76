#include "batch/plan/object_filter.h"

namespace ferry {

std::optional<std::string> ObjectFilter::WhyExcluded(std::string_view rest,
                                                     const ListedEntry* source) const {
  if (auto why = keys_.WhyExcluded(rest)) return why;
  if (source == nullptr || IsWithinBounds(*source)) return std::nullopt;
  if (source->size_bytes < bounds_.size_bytes_min) return "smaller than min_size";
  if (source->size_bytes > bounds_.size_bytes_max) return "larger than max_size";
  if (source->modified_ms > bounds_.modified_ms_max) return "younger than min_age";
  return "older than max_age";
}

}  // namespace ferry
