#include "batch/app/process_report.h"

#include <vector>

namespace ferry {

void ProcessReport::Write(pg::Session& session) {
  MutexLock lock(mutex_);
  if (last_) return;
  totals_.Write(session, stores_.Sums());
  WriteCredentials(session);
}

void ProcessReport::End(pg::Session& session) {
  MutexLock lock(mutex_);
  if (!last_) last_ = stores_.Sums();
  totals_.End(session, *last_);
  WriteCredentials(session);
}

void ProcessReport::WriteCredentials(pg::Session& session) {
  for (const StoreCredentials& one : stores_.TakeCredentials()) {
    OfSide& side = sides_[{one.task, one.side}];
    if (one.word != CredentialsWord::kNone) {
      side.known.word = one.word;
      side.repeated = true;
    }
    side.known.expires_at_ms = one.expires_at_ms;
  }
  std::vector<CredentialReport> reports;
  for (const auto& [place, side] : sides_) {
    const bool news = side.known != side.told;
    if (side.known.word == CredentialsWord::kNone || !(news || side.repeated)) continue;
    CredentialReport report;
    report.task = place.first;
    report.side = place.second;
    report.refused = side.known.word == CredentialsWord::kRefused;
    report.expires_at_ms = side.known.expires_at_ms;
    report.news = news;
    reports.push_back(std::move(report));
  }
  TellCredentials(session, reports);
  for (auto& [place, side] : sides_) {
    side.told = side.known;
    side.repeated = false;
  }
}

}  // namespace ferry
