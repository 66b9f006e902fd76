// What listings and the ledger alone can say about whether two objects hold the same bytes.
#pragma once

#include "batch/plan/diff.h"

namespace ferry {

enum class Judgement {
  kEqualByEtag,
  kEqualByLedger,  // both sides are still what the ledger proved equal
  kMissing,
  kArchived,  // missing, because the source must be restored first: a standing verdict
  kSizeDiffers,
  kEtagDiffers,
  kCannotTell,
};

// REQUIRES: sides.source is not null. The ledger goes before two MD5-like ETags that differ: with
// encryption by KMS such an ETag is none, and the listing does not say so.
Judgement Judge(const Sides& sides);

}  // namespace ferry
