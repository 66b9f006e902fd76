#include "batch/config/pattern_file.h"

#include <string_view>

#include "batch/config/bounded_file.h"

namespace ferry {
namespace {

constexpr std::size_t kPatternFileBytesMax = 16 * 1024 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::vector<std::string> ReadPatternFile(const std::filesystem::path& file) {
  const std::string text = ReadBoundedFile(file, kPatternFileBytesMax, ErrorKind::kConfig);
  std::vector<std::string> patterns;
  std::string_view rest = text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool blank = line.find_first_not_of(" \t") == std::string_view::npos;
    if (!blank && !line.starts_with('#')) patterns.emplace_back(line);
  }
  return patterns;
}

}  // namespace ferry
