// What commands print for people, on stdout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

// Writes a line to stdout. False: nobody reads any more (`| head`), which is no error.
// Throws Error{kUnavailable} when it cannot be written for another reason.
bool PrintLine(std::string_view line);
// The same, for everything that was printed and is still in memory.
bool FlushLines();

std::string HumanBytes(double bytes);               // "1.5 MiB"
std::string HumanTime(double seconds);              // "2m05s"
std::string HumanMoment(std::string_view rfc3339);  // "2026-03-01 12:00:05Z"
std::string HumanMoment(std::int64_t unix_ms);      // the same

// Error texts name keys that are escaped already, so backslashes stay; control characters of a
// store's own message do not reach the terminal.
std::string OneLine(std::string_view text);

// Rows of equally many cells, in columns; the first row is the heading. All but the first two
// columns and the last are aligned to the right.
std::vector<std::string> AlignedTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace ferry
