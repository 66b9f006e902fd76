#include "batch/base/human.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "batch/base/key.h"

namespace ferry {

std::string HumanBytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string HumanTime(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f}s", std::max(seconds, 0.0));
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string HumanMoment(std::string_view rfc3339) {
  std::string text(rfc3339.substr(0, rfc3339.find('.')));
  std::replace(text.begin(), text.end(), 'T', ' ');
  if (!text.ends_with('Z')) text += 'Z';
  return text;
}

std::string HumanMoment(std::int64_t unix_ms) {
  if (unix_ms == 0) return "unknown";
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string OneLine(std::string_view text) {
  std::string line;
  while (true) {
    const std::size_t backslash = text.find('\\');
    line += EscapeBytes(text.substr(0, backslash));
    if (backslash == std::string_view::npos) return line;
    line += '\\';
    text.remove_prefix(backslash + 1);
  }
}

}  // namespace ferry
