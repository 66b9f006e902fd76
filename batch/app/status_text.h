// What commands print for people, on stdout.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferry {

// Writes a line to stdout. False: nobody reads any more (`| head`), which is no error.
// Throws Error{kUnavailable} when it cannot be written for another reason.
bool PrintLine(std::string_view line);
// The same, for everything that was printed and is still in memory.
bool FlushLines();

// Rows of equally many cells, in columns; the first row is the heading. All but the first two
// columns and the last are aligned to the right.
std::vector<std::string> AlignedTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace ferry
