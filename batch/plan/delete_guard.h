// Deletes at the destination: which objects are candidates, and when none of them may go.
//
// An extra is an object at the destination whose key the source does not have. Every doubt means:
// it stays. What stands here is decided from listings and the ledger; right before a delete both
// sides are asked once more (batch/copy/delete_extra.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/plan/object.h"

namespace ferry {

enum class DeletePolicy {
  kNever,
  kExtra,     // what the ledger says was brought, while it is what was brought
  kExtraAll,  // also what others put there
};

// How many deletes one run may plan.
struct DeleteLimit {
  bool percent = true;  // of the ledgered objects in scope, rounded down, but at least one
  std::uint64_t amount = 10;
};

std::uint64_t DeletesAllowed(DeleteLimit limit, std::uint64_t ledgered_objects);

enum class ExtraKind {
  kBrought,  // it is what the ledger says was brought
  kForeign,  // the ledger knows nothing of it, or knows another object under its key
};

// REQUIRES: the source does not have `destination.key`. `ledger`: its row, or null.
ExtraKind KindOfExtra(const ListedEntry& destination, const LedgerEntry* ledger);

bool IsCandidate(DeletePolicy policy, ExtraKind kind);

std::string_view ReasonOf(ExtraKind kind);  // of the job: "extra", "extra_foreign"

// Whether this task brought, in its last planned run, the same selection of the same buckets.
enum class Selection { kSame, kFirstRun, kChanged };

// What one merge of the listings and the ledger saw.
struct DeleteScope {
  std::uint64_t source_objects = 0;    // that pass the filter
  std::uint64_t ledgered_objects = 0;  // of those at the destination that pass the filter
  std::uint64_t candidates = 0;
};

enum class DeleteVerdict {
  kGo,
  kFirstRun,
  kSelectionChanged,
  kSourceEmpty,
  kTooMany,  // a failure of the run: what it was asked to do is not done
};

// REQUIRES: both listings were read to their ends.
DeleteVerdict JudgeDeletes(Selection selection, DeleteLimit limit, const DeleteScope& scope);

// Why nothing is deleted, for people. REQUIRES: verdict is not kGo.
std::string WhyNoDeletes(DeleteVerdict verdict, DeleteLimit limit, const DeleteScope& scope);

}  // namespace ferry
