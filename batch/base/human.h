// Numbers, times and texts as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferry {

std::string HumanBytes(double bytes);               // "1.5 MiB"
std::string HumanTime(double seconds);              // "2m05s"
std::string HumanMoment(std::string_view rfc3339);  // "2026-03-01 12:00:05Z"
std::string HumanMoment(std::int64_t unix_ms);      // the same

// Error texts name keys that are escaped already, so backslashes stay; control characters of a
// server's own message do not reach the terminal.
std::string OneLine(std::string_view text);

}  // namespace ferry
