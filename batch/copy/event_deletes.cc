#include "batch/copy/event_deletes.h"

#include <limits>

namespace ferry {
namespace {

constexpr std::size_t kStagedMax = 50'000;
constexpr std::int64_t kBatchRowsMax = 2000;

// So many ledgered objects allow `candidates` deletes, whatever more there are.
std::int64_t EnoughLedgered(DeleteLimit limit, std::uint64_t candidates) {
  if (!limit.percent) return 0;
  const std::uint64_t percent = limit.amount == 0 ? 1 : limit.amount;
  return static_cast<std::int64_t>((candidates / percent + 1) * 100);
}

}  // namespace

EventDeletes::EventDeletes(PlannerSession& session, BegunRun run, DeleteRules rules)
    : session_(session), run_(run), rules_(rules) {}

void EventDeletes::Take(const ExtraFound& extra) {
  TakeNone(extra.source_key);  // it may be another object than the one that was staged
  const ExtraKind kind = KindOfExtra(extra.destination, extra.ledger);
  if (!rules_.on() || !IsCandidate(rules_.policy, kind)) return;
  // An empty key would name the bucket itself.
  if (extra.source_key.empty() || extra.destination_key.empty()) return;
  added_[extra.source_key] = StageExtra(next_number_++, kind, extra);
}

void EventDeletes::TakeNone(const Key& source_key) {
  added_.erase(source_key);
  const auto staged = staged_.find(source_key);
  if (staged == staged_.end()) return;
  dropped_.push_back(staged->second);
  staged_.erase(staged);
}

void EventDeletes::Write(pg::Transaction& tx) const {
  std::vector<StagedExtra> rows;
  std::vector<std::int64_t> numbers = dropped_;
  for (const auto& [key, row] : added_) {
    rows.push_back(row);
    numbers.push_back(row.number);
  }
  DropExtras(tx, run_.run_id, numbers);
  AddExtras(tx, run_.run_id, rows);
}

void EventDeletes::Written() {
  for (const auto& [key, row] : added_) staged_[key] = row.number;
  added_.clear();
  dropped_.clear();
}

bool EventDeletes::full() const { return staged_.size() + added_.size() >= kStagedMax; }

DeleteScope EventDeletes::Scope(const std::function<bool()>& source_has_some,
                                std::uint64_t deleted_before) {
  DeleteScope scope;
  scope.candidates = staged_.size() + deleted_before;
  // What would be in vain is not asked.
  if (rules_.selection != Selection::kSame) return scope;
  scope.source_objects = source_has_some() ? 1 : 0;
  const std::int64_t enough = EnoughLedgered(rules_.limit, scope.candidates);
  const std::int64_t ledgered = session_.Read(
      [&](pg::Session& database) { return CountLedgered(database, run_.task_id, enough); });
  scope.ledgered_objects = static_cast<std::uint64_t>(ledgered) + deleted_before;
  return scope;
}

EventDeletes::Result EventDeletes::Finish(std::int64_t first_job_id,
                                          const std::function<bool()>& source_has_some) {
  Result result;
  if (staged_.empty()) return result;
  result.deleted_before = static_cast<std::uint64_t>(session_.Read(
      [&](pg::Session& database) { return CountEventDeletes(database, run_.task_id); }));
  result.scope = Scope(source_has_some, result.deleted_before);
  result.verdict = JudgeDeletes(rules_.selection, rules_.limit, result.scope);
  if (result.verdict != DeleteVerdict::kGo) {
    session_.Read([&](pg::Session& database) { SweepExtras(database, run_.run_id); });
    return result;
  }
  result.planned = std::ssize(staged_);
  for (std::int64_t above = 0; above < next_number_; above += kBatchRowsMax) {
    session_.Write(
        run_.run_id,
        // Written or not: what became a job is an extra no more.
        [](pg::Transaction&) { return false; },
        [&](pg::Transaction& tx, std::int64_t worker_id) {
          PromoteExtras(tx, run_.run_id, worker_id, above, above + kBatchRowsMax, first_job_id);
        });
  }
  return result;
}

}  // namespace ferry
