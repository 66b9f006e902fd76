#include "batch/queue/credential_table.h"

namespace ferry {
namespace {

// It goes with the heartbeat of a lease, which must not wait.
constexpr std::chrono::milliseconds kStatementTimeout{500};

}  // namespace

void TellCredentials(pg::Session& session, const std::vector<CredentialReport>& reports) {
  if (reports.empty()) return;
  std::vector<std::string> tasks, sides;
  std::vector<bool> refused, news;
  std::vector<std::optional<std::int64_t>> expiries;
  for (const CredentialReport& report : reports) {
    tasks.push_back(report.task);
    sides.push_back(report.side);
    refused.push_back(report.refused);
    expiries.push_back(report.expires_at_ms);
    news.push_back(report.news);
  }
  session.Transact(
      [&](pg::Transaction& tx) {
        tx.Execute("queries/tell_credentials", tasks, sides, refused, expiries, news);
      },
      {.statement_timeout = kStatementTimeout});
}

}  // namespace ferry
