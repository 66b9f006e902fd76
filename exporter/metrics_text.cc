#include "exporter/metrics_text.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "batch/base/check.h"
#include "exporter/catalogue.h"

namespace ferry::exporter {

MetricsText::MetricsText() {
  for (const Metric& metric : Catalogue()) {
    families_.push_back({std::string(metric.name), std::string(metric.help), metric.type, {}});
  }
}

void MetricsText::Add(std::string_view name, std::initializer_list<std::string_view> labels,
                      double value) {
  const auto catalogue = Catalogue();
  const auto metric = std::ranges::find(catalogue, name, &Metric::name);
  FERRY_CHECK(metric != catalogue.end());
  FERRY_CHECK(metric->label_count() == labels.size());

  prometheus::ClientMetric sample;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sample.label.push_back({std::string(metric->labels[i]), std::string(labels.begin()[i])});
  }
  (metric->type == prometheus::MetricType::Counter ? sample.counter.value : sample.gauge.value) =
      value;
  families_[static_cast<std::size_t>(metric - catalogue.begin())].metric.push_back(
      std::move(sample));
}

std::string MetricsText::Text() const {
  std::vector<prometheus::MetricFamily> filled;
  std::ranges::copy_if(families_, std::back_inserter(filled),
                       [](const auto& family) { return !family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(filled);
}

}  // namespace ferry::exporter
