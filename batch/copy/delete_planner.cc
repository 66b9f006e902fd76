#include "batch/copy/delete_planner.h"

#include <algorithm>

namespace ferry {
namespace {

constexpr std::int64_t kBatchRowsMax = 2000;

}  // namespace

StagedExtra StageExtra(std::int64_t number, ExtraKind kind, const ExtraFound& extra) {
  StagedExtra row;
  row.number = number;
  row.key = extra.source_key;
  row.kind = kind;
  if (extra.ledger != nullptr && !extra.ledger->verdict) row.brought = extra.ledger->source;
  row.destination_etag = extra.destination.etag;
  row.destination_size_bytes = extra.destination.size_bytes;
  row.destination_modified_ms = extra.destination.modified_ms;
  return row;
}

DeletePlanner::DeletePlanner(PlannerSession& session, std::int64_t run_id, DeleteRules rules)
    : session_(session), run_id_(run_id), rules_(rules) {}

void DeletePlanner::Add(const ExtraFound& extra) {
  const ExtraKind kind = KindOfExtra(extra.destination, extra.ledger);
  if (!IsCandidate(rules_.policy, kind)) return;
  // An empty key would name the bucket itself.
  if (extra.source_key.empty() || extra.destination_key.empty()) return;
  candidates_ += 1;
  // Nothing that can no longer be deleted costs a row.
  if (rules_.selection != Selection::kSame) return;
  if (!rules_.limit.percent && static_cast<std::uint64_t>(candidates_) > rules_.limit.amount)
    return;
  batch_.push_back(StageExtra(candidates_, kind, extra));
  if (std::ssize(batch_) >= kBatchRowsMax) Stage();
}

void DeletePlanner::Stage() {
  if (batch_.empty()) return;
  session_.Write(
      run_id_, [&](pg::Transaction& tx) { return IsStaged(tx, batch_.front().number); },
      [&](pg::Transaction& tx, std::int64_t) { AddExtras(tx, run_id_, batch_); });
  staged_ += std::ssize(batch_);
  batch_.clear();
}

bool DeletePlanner::IsStaged(pg::Transaction& tx, std::int64_t number) const {
  return !tx.Execute("queries/find_extra", run_id_, number).empty();
}

DeletePlanner::Result DeletePlanner::Finish(const CompareCounts& counts,
                                            std::int64_t first_job_id) {
  Result result;
  result.scope = {counts.source_objects, counts.ledgered_objects,
                  static_cast<std::uint64_t>(candidates_)};
  result.verdict = JudgeDeletes(rules_.selection, rules_.limit, result.scope);
  if (result.verdict != DeleteVerdict::kGo) {
    batch_.clear();
    if (staged_ > 0) {
      session_.Read([&](pg::Session& database) { SweepExtras(database, run_id_); });
    }
    return result;
  }
  Stage();
  for (std::int64_t above = 0; above < staged_; above += kBatchRowsMax) {
    session_.Write(
        run_id_, [&](pg::Transaction& tx) { return !IsStaged(tx, above + 1); },
        [&](pg::Transaction& tx, std::int64_t worker_id) {
          PromoteExtras(tx, run_id_, worker_id, above, above + kBatchRowsMax, first_job_id);
        });
  }
  return result;
}

}  // namespace ferry
