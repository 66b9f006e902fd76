// This process, as /proc shows it.
#pragma once

#include <optional>

namespace ferry::exporter {

// Empty: /proc did not say.
struct ProcessNumbers {
  std::optional<double> cpu_seconds;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
  std::optional<double> virtual_memory_bytes;
  std::optional<double> resident_memory_bytes;
  std::optional<double> start_time_seconds;
  std::optional<double> threads;
};

ProcessNumbers ReadProcess();

}  // namespace ferry::exporter
