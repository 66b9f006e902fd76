#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ferry {

// The patterns of an `exclude_from` file: one a line. Blank lines and lines that begin with '#' are
// skipped (a pattern that begins with one is written \#); a line may end in CR LF; other blanks
// belong to the pattern. Throws Error{kConfig} naming the file when it is missing, cannot be
// read, or is larger than 16 MiB.
std::vector<std::string> ReadPatternFile(const std::filesystem::path& file);

}  // namespace ferry
