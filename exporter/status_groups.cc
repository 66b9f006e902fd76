#include "exporter/status_groups.h"

#include <algorithm>

namespace ferry::exporter {
namespace {

// Below this a statement is not worth starting; 0 would mean "no limit" to the server.
constexpr std::chrono::milliseconds kLeast{10};

}  // namespace

void StatusGroups::Limit(std::chrono::milliseconds share) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.SteadyNow());
  const auto limit = std::max(std::min(left, share), kLeast);
  tx_.Execute("metrics/limit_statement", std::to_string(limit.count()));
}

}  // namespace ferry::exporter
