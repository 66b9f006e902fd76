// What belongs to an object beside its bytes, compared: the headers and tags that a copy carries.
#pragma once

#include <string>
#include <vector>

#include "batch/store/object_store.h"

namespace ferry {

// A line for each header that differs: "metadata content-type differs (source ..., destination
// ...)". Not a difference: what bucketferry itself adds at the destination, and the content type
// that a store gives to an object that came without one.
std::vector<std::string> CompareHeaders(const NameValues& source, const NameValues& destination);

// At most one line. The order of tags has no meaning.
std::vector<std::string> CompareTags(const NameValues& source, const NameValues& destination);

}  // namespace ferry
