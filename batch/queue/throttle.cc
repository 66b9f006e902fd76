#include "batch/queue/throttle.h"

namespace ferry {
namespace {

// It goes with the renewal of a lease, which must not wait for what another worker locks.
constexpr std::chrono::milliseconds kStatementTimeout{1000};

void Report(pg::Transaction& tx, const std::vector<ThrottleReport>& reports) {
  std::vector<std::string> endpoints, buckets, sides;
  std::vector<int> limits;
  std::vector<std::int64_t> pauses;
  for (const ThrottleReport& report : reports) {
    endpoints.push_back(report.endpoint);
    buckets.push_back(report.bucket);
    sides.push_back(report.side);
    limits.push_back(report.requests_max);
    pauses.push_back(report.pause.count());
  }
  tx.Execute("queries/report_throttles", endpoints, buckets, sides, limits, pauses,
             kSharedGrowthPerSecond);
}

}  // namespace

std::vector<ThrottleShare> ExchangeThrottles(pg::Session& session,
                                             const std::vector<ThrottleReport>& reports) {
  const auto exchange = [&](pg::Transaction& tx) {
    if (!reports.empty()) Report(tx, reports);
    std::vector<ThrottleShare> shares;
    for (const pg::Row row : tx.Execute("queries/read_throttles", kSharedGrowthPerSecond)) {
      ThrottleShare share;
      share.endpoint = row.Get<std::string>("endpoint");
      share.bucket = row.Get<std::string>("bucket");
      share.side = row.Get<std::string>("side");
      share.requests_max = row.Get<double>("share");
      share.pause = std::chrono::milliseconds(row.Get<std::int64_t>("pause_ms"));
      shares.push_back(std::move(share));
    }
    return shares;
  };
  return session.Transact(exchange, {.statement_timeout = kStatementTimeout});
}

}  // namespace ferry
