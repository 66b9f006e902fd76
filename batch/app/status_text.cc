#include "batch/app/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "batch/base/error.h"

namespace ferry {
namespace {

// Columns from here on hold numbers.
constexpr std::size_t kLeftColumns = 2;

bool Written(bool fine) {
  if (fine) return true;
  if (errno == EPIPE) return false;
  throw Error(ErrorKind::kUnavailable,
              fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

}  // namespace

bool PrintLine(std::string_view line) {
  return Written(std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
                 std::fputc('\n', stdout) != EOF);
}

bool FlushLines() { return Written(std::fflush(stdout) == 0); }

std::vector<std::string> AlignedTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      const bool last = i + 1 == row.size();
      const std::string space(last ? 0 : widths[i] - row[i].size(), ' ');
      line += i < kLeftColumns || last ? row[i] + space : space + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace ferry
