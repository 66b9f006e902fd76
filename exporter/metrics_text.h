// MetricsText: samples in, a page of Prometheus text 0.0.4 out.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <span>
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

  // The same for a histogram: `counts` of what lies between one of `bounds` and the one before, and
  // last of what is above all of them. The page has them added up, as the format wants.
  struct Histogram {
    std::span<const double> bounds;
    std::span<const std::int64_t> counts;
    double sum = 0;
  };
  void Add(std::string_view name, std::initializer_list<std::string_view> labels,
           const Histogram& histogram);

  // Families in the order of the catalogue, samples in the order of Add. A family without samples
  // is left out.
  std::string Text() const;

 private:
  enum class Form { kNumber, kHistogram };
  prometheus::ClientMetric& NewSample(std::string_view name,
                                      std::initializer_list<std::string_view> labels, Form form);

  std::vector<prometheus::MetricFamily> families_;  // one for each of the catalogue
};

}  // namespace ferry::exporter
