// The metrics: every name, type, help text and label that can stand on /metrics.
//
// A sample that is not in this table cannot be written (MetricsText checks it), so the table is
// what dashboards and rules may rely on. Help texts hold no backslash and no line break:
// prometheus-cpp 1.0.1 does not escape them, and one makes the whole page unreadable.
#pragma once

#include <prometheus/metric_type.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace ferry::exporter {

inline constexpr std::size_t kLabelsMax = 3;

struct Metric {
  std::string_view name;
  prometheus::MetricType type;
  std::string_view help;
  std::array<std::string_view, kLabelsMax> labels{};  // empty from the first unused one on

  constexpr std::size_t label_count() const {
    std::size_t count = 0;
    while (count < labels.size() && !labels[count].empty()) ++count;
    return count;
  }
};

// In the order of the page.
std::span<const Metric> Catalogue();

}  // namespace ferry::exporter
