// Names that nobody else has.
#pragma once

#include <string>

namespace ferry {

// 32 hex digits from the system's random source.
std::string RandomId();

}  // namespace ferry
