#include "batch/plan/delete_guard.h"

#include <algorithm>

namespace ferry {

std::uint64_t DeletesAllowed(DeleteLimit limit, std::uint64_t ledgered_objects) {
  if (!limit.percent) return limit.amount;
  if (limit.amount == 0 || ledgered_objects == 0) return 0;
  // Without overflow, whatever the count: percent is at most 100.
  const std::uint64_t whole = ledgered_objects / 100 * limit.amount;
  const std::uint64_t rest = ledgered_objects % 100 * limit.amount / 100;
  return std::max<std::uint64_t>(1, whole + rest);
}

ExtraKind KindOfExtra(const ListedEntry& destination, const LedgerEntry* ledger) {
  const bool brought = ledger != nullptr && !ledger->verdict && !destination.etag.empty() &&
                       ledger->destination_etag == destination.etag &&
                       ledger->source.size_bytes == destination.size_bytes;
  return brought ? ExtraKind::kBrought : ExtraKind::kForeign;
}

bool IsCandidate(DeletePolicy policy, ExtraKind kind) {
  switch (policy) {
    case DeletePolicy::kNever: return false;
    case DeletePolicy::kExtra: return kind == ExtraKind::kBrought;
    case DeletePolicy::kExtraAll: return true;
  }
  return false;
}

std::string_view ReasonOf(ExtraKind kind) {
  return kind == ExtraKind::kBrought ? "extra" : "extra_foreign";
}

DeleteVerdict JudgeDeletes(Selection selection, DeleteLimit limit, const DeleteScope& scope) {
  switch (selection) {
    case Selection::kSame: break;
    case Selection::kFirstRun: return DeleteVerdict::kFirstRun;
    case Selection::kChanged: return DeleteVerdict::kSelectionChanged;
  }
  if (scope.source_objects == 0) return DeleteVerdict::kSourceEmpty;
  if (scope.candidates > DeletesAllowed(limit, scope.ledgered_objects)) {
    return DeleteVerdict::kTooMany;
  }
  return DeleteVerdict::kGo;
}

std::string WhyNoDeletes(DeleteVerdict verdict, DeleteLimit limit, const DeleteScope& scope) {
  switch (verdict) {
    case DeleteVerdict::kGo: break;
    case DeleteVerdict::kFirstRun:
      return "this is the first run that records what these buckets, prefixes and filters select";
    case DeleteVerdict::kSelectionChanged:
      return "the filter or an endpoint is not what it was in the last run";
    case DeleteVerdict::kSourceEmpty:
      return "the source lists no object that the filter lets through";
    case DeleteVerdict::kTooMany: {
      std::string allowed = std::to_string(DeletesAllowed(limit, scope.ledgered_objects));
      if (limit.percent) {
        allowed += " (" + std::to_string(limit.amount) + "% of " +
                   std::to_string(scope.ledgered_objects) + " ledgered objects)";
      }
      return "nothing was deleted: " + std::to_string(scope.candidates) +
             " objects of the destination are not at the source, and max_delete allows " + allowed +
             ": look at `run --dry-run`, and raise max_delete if they shall go";
    }
  }
  return "";
}

}  // namespace ferry
