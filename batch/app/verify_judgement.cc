#include "batch/app/verify_judgement.h"

namespace ferry {
namespace {

bool LedgerProvesEqual(const Sides& sides) {
  if (sides.ledger == nullptr || sides.ledger->verdict || sides.ledger->trusted) return false;
  const LedgerEntry& ledger = *sides.ledger;
  return ledger.source.SameAs(IdentityOf(*sides.source)) &&
         ledger.destination_etag == sides.destination->etag &&
         ledger.source.size_bytes == sides.destination->size_bytes;
}

}  // namespace

Judgement Judge(const Sides& sides) {
  const ListedEntry& source = *sides.source;
  if (sides.destination == nullptr) {
    return source.archived ? Judgement::kArchived : Judgement::kMissing;
  }
  const ListedEntry& destination = *sides.destination;
  if (source.size_bytes != destination.size_bytes) return Judgement::kSizeDiffers;
  const EtagKind kind = KindOfEtag(source.etag);
  const bool comparable = kind != EtagKind::kOpaque && kind == KindOfEtag(destination.etag);
  if (comparable && source.etag == destination.etag) return Judgement::kEqualByEtag;
  if (LedgerProvesEqual(sides)) return Judgement::kEqualByLedger;
  // Two composites differ by the sizes of their parts as well as by their bytes.
  return comparable && kind == EtagKind::kMd5 ? Judgement::kEtagDiffers : Judgement::kCannotTell;
}

}  // namespace ferry
