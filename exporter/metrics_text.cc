#include "exporter/metrics_text.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <sstream>
#include <utility>

#include "batch/base/check.h"
#include "exporter/catalogue.h"

namespace ferry::exporter {

MetricsText::MetricsText() {
  for (const Metric& metric : Catalogue()) {
    families_.push_back({std::string(metric.name), std::string(metric.help), metric.type, {}});
  }
}

prometheus::ClientMetric& MetricsText::NewSample(std::string_view name,
                                                 std::initializer_list<std::string_view> labels,
                                                 Form form) {
  const auto catalogue = Catalogue();
  const auto metric = std::ranges::find(catalogue, name, &Metric::name);
  FERRY_CHECK(metric != catalogue.end());
  FERRY_CHECK(metric->label_count() == labels.size());
  const bool histogram = metric->type == prometheus::MetricType::Histogram;
  FERRY_CHECK(histogram == (form == Form::kHistogram));

  auto& family = families_[static_cast<std::size_t>(metric - catalogue.begin())];
  prometheus::ClientMetric& sample = family.metric.emplace_back();
  sample.label.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sample.label.push_back({std::string(metric->labels[i]), std::string(labels.begin()[i])});
  }
  return sample;
}

void MetricsText::Add(std::string_view name, std::initializer_list<std::string_view> labels,
                      double value) {
  prometheus::ClientMetric& sample = NewSample(name, labels, Form::kNumber);
  // The serializer takes the one that is of the family's type.
  sample.counter.value = value;
  sample.gauge.value = value;
}

void MetricsText::Add(std::string_view name, std::initializer_list<std::string_view> labels,
                      const Histogram& histogram) {
  FERRY_CHECK(histogram.counts.size() == histogram.bounds.size() + 1);
  prometheus::ClientMetric::Histogram& sample = NewSample(name, labels, Form::kHistogram).histogram;
  std::uint64_t total = 0;
  sample.bucket.reserve(histogram.counts.size());
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    total += static_cast<std::uint64_t>(histogram.counts[i]);
    const bool last = i == histogram.bounds.size();
    sample.bucket.push_back(
        {total, last ? std::numeric_limits<double>::infinity() : histogram.bounds[i]});
  }
  sample.sample_count = total;
  sample.sample_sum = histogram.sum;
}

std::string MetricsText::Text() const {
  std::ostringstream text;
  for (const prometheus::MetricFamily& family : families_) {
    if (family.metric.empty()) continue;
    // One after the other: a copy of all would be half of what the exporter needs.
    const std::vector<prometheus::MetricFamily> one(1, family);
    prometheus::TextSerializer().Serialize(text, one);
  }
  return text.str();
}

}  // namespace ferry::exporter
