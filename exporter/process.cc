#include "exporter/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace ferry::exporter {
namespace {

// Places after "pid (name) " in /proc/self/stat; proc(5) counts from 1, with those two.
constexpr std::size_t kUserTime = 14 - 3;
constexpr std::size_t kSystemTime = 15 - 3;
constexpr std::size_t kThreads = 20 - 3;
constexpr std::size_t kStartTime = 22 - 3;
constexpr std::size_t kVirtualBytes = 23 - 3;
constexpr std::size_t kResidentPages = 24 - 3;

std::vector<std::string> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  return {std::istream_iterator<std::string>(fields), {}};
}

std::optional<double> BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> CountOpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = -1;  // the directory itself is open now
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) ++count;
  if (error) return std::nullopt;
  return count;
}

}  // namespace

ProcessNumbers ReadProcess() {
  ProcessNumbers numbers;
  numbers.open_fds = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) numbers.max_fds = static_cast<double>(limit.rlim_cur);

  const std::vector<std::string> stat = ReadStat();
  if (stat.size() <= kResidentPages) return numbers;
  const auto field = [&](std::size_t place) { return std::strtod(stat[place].c_str(), nullptr); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  numbers.cpu_seconds = (field(kUserTime) + field(kSystemTime)) / ticks;
  numbers.threads = field(kThreads);
  numbers.virtual_memory_bytes = field(kVirtualBytes);
  numbers.resident_memory_bytes =
      field(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (const auto boot = BootTime()) numbers.start_time_seconds = *boot + field(kStartTime) / ticks;
  return numbers;
}

}  // namespace ferry::exporter
