// The decision about one key: what the source has, what the destination has, what the ledger knows.
// Pure; the table in diff.cc is the product's answer to "why was this copied?".
#pragma once

#include <string_view>

#include "batch/plan/object.h"

namespace ferry {

// For a filled destination that the ledger does not know, where ETags can't tell.
enum class AdoptPolicy { kTrust, kVerify, kCopy };

enum class Decision {
  kNothing,       // nothing at the source, or all is as the ledger says
  kCopy,          // plan a job
  kVerify,        // plan a job that reads both sides and copies only a difference
  kAdopt,         // write the ledger row, send nothing
  kRepairLedger,  // both sides hold the same bytes: renew the ledger row, send nothing
  kArchived,      // the source must be restored first: standing verdict
  kKeyRefused,    // the destination cannot hold this key: standing verdict
};

enum class Reason {
  kUnchanged,
  kNotAtSource,
  kMissing,             // not at the destination
  kSourceChanged,       // not what the ledger says was brought
  kDestinationChanged,  // not what was written
  kSizeDiffers,         // no ledger row
  kEtagDiffers,         // no ledger row
  kEqualEtags,
  kVersionLearnt,  // all is as the ledger says, which did not know the version yet
  kTrustedBySizeAndTime,
  kNotComparable,  // no ledger row, ETags can't tell
  kArchivedAtSource,
  kBeingRestored,  // archived still, when last looked at
  kKeyNotAllowed,
};

std::string_view ToString(Decision decision);
std::string_view ToString(Reason reason);  // "source_changed"

struct Finding {
  Decision decision = Decision::kNothing;
  Reason reason = Reason::kUnchanged;
  // The verdict stands in the ledger already, for this very object: no new row.
  bool known = false;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// Null: that side has no such key.
struct Sides {
  const ListedEntry* source = nullptr;
  const ListedEntry* destination = nullptr;
  const LedgerEntry* ledger = nullptr;
  bool key_allowed = true;
};

Finding Decide(const Sides& sides, AdoptPolicy adopt);

SourceIdentity IdentityOf(const ListedEntry& source);

}  // namespace ferry
