// MetricsText: samples in, a page of Prometheus text 0.0.4 out.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::exporter {

class MetricsText {
 public:
  MetricsText();

  // One sample; `labels` are the values of the catalogue's labels, in its order. A name that is not
  // in the catalogue, or another number of labels, ends the program (FERRY_CHECK).
  void Add(std::string_view name, std::initializer_list<std::string_view> labels, double value);

  // Families in the order of the catalogue, samples in the order of Add. A family without samples
  // is left out.
  std::string Text() const;

 private:
  std::vector<prometheus::MetricFamily> families_;  // one for each of the catalogue
};

}  // namespace ferry::exporter
