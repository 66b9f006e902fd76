#include "batch/plan/diff.h"

namespace ferry {
namespace {

// Whether two ETags of different stores prove the same bytes, other bytes, or nothing.
enum class Comparison { kEqual, kDifferent, kUnknown };

Comparison CompareEtags(const ListedEntry& a, const ListedEntry& b) {
  const EtagKind kind = KindOfEtag(a.etag);
  if (kind == EtagKind::kOpaque || kind != KindOfEtag(b.etag)) return Comparison::kUnknown;
  if (a.etag == b.etag) return Comparison::kEqual;
  // Two composites differ by the sizes of their parts as well as by their bytes.
  return kind == EtagKind::kMd5 ? Comparison::kDifferent : Comparison::kUnknown;
}

bool SameBytes(const ListedEntry& source, const ListedEntry& destination) {
  return source.size_bytes == destination.size_bytes &&
         CompareEtags(source, destination) == Comparison::kEqual;
}

Finding WithoutLedger(const ListedEntry& source, const ListedEntry& destination,
                      AdoptPolicy adopt) {
  if (source.size_bytes != destination.size_bytes) return {Decision::kCopy, Reason::kSizeDiffers};
  switch (CompareEtags(source, destination)) {
    case Comparison::kEqual: return {Decision::kAdopt, Reason::kEqualEtags};
    case Comparison::kDifferent: return {Decision::kCopy, Reason::kEtagDiffers};
    case Comparison::kUnknown: break;
  }
  switch (adopt) {
    case AdoptPolicy::kCopy: return {Decision::kCopy, Reason::kNotComparable};
    case AdoptPolicy::kVerify: return {Decision::kVerify, Reason::kNotComparable};
    case AdoptPolicy::kTrust: break;
  }
  if (destination.modified_ms >= source.modified_ms) {
    return {Decision::kAdopt, Reason::kTrustedBySizeAndTime};
  }
  return {Decision::kCopy, Reason::kNotComparable};
}

Finding WithLedger(const ListedEntry& source, const ListedEntry& destination,
                   const LedgerEntry& ledger) {
  const bool source_same = ledger.source.SameAs(IdentityOf(source));
  const bool destination_same = ledger.destination_etag == destination.etag &&
                                ledger.source.size_bytes == destination.size_bytes;
  if (source_same && destination_same) {
    const bool learnt = ledger.source.version.empty() && !source.version.empty();
    return learnt ? Finding{Decision::kRepairLedger, Reason::kVersionLearnt} : Finding{};
  }
  // Where versions are compared a new one is a new copy, whatever its bytes.
  if (!source_same && !source.version.empty()) return {Decision::kCopy, Reason::kSourceChanged};
  if (SameBytes(source, destination)) return {Decision::kRepairLedger, Reason::kEqualEtags};
  return {Decision::kCopy, source_same ? Reason::kDestinationChanged : Reason::kSourceChanged};
}

}  // namespace

SourceIdentity IdentityOf(const ListedEntry& source) {
  return {source.etag, source.size_bytes, source.modified_ms, source.version};
}

Finding Decide(const Sides& sides, AdoptPolicy adopt) {
  if (sides.source == nullptr) return {Decision::kNothing, Reason::kNotAtSource};
  const ListedEntry& source = *sides.source;
  const LedgerEntry* ledger = sides.ledger;
  const bool verdict_stands =
      ledger != nullptr && ledger->verdict.has_value() && ledger->source.SameAs(IdentityOf(source));
  if (!sides.key_allowed) {
    return {Decision::kKeyRefused, Reason::kKeyNotAllowed,
            verdict_stands && *ledger->verdict == Verdict::kKeyRefused};
  }
  if (ledger != nullptr && ledger->verdict.has_value()) ledger = nullptr;

  Finding finding = {Decision::kCopy, Reason::kMissing};
  if (sides.destination != nullptr) {
    finding = ledger != nullptr ? WithLedger(source, *sides.destination, *ledger)
                                : WithoutLedger(source, *sides.destination, adopt);
  }
  // What is there already needs no reading; what would have to be read cannot be.
  const bool must_read =
      finding.decision == Decision::kCopy || finding.decision == Decision::kVerify;
  if (source.archived && must_read) {
    if (verdict_stands && *sides.ledger->verdict == Verdict::kBeingRestored) {
      return {Decision::kArchived, Reason::kBeingRestored, true};
    }
    return {Decision::kArchived, Reason::kArchivedAtSource,
            verdict_stands && *sides.ledger->verdict == Verdict::kArchived};
  }
  return finding;
}

std::string_view ToString(Decision decision) {
  switch (decision) {
    case Decision::kNothing: return "nothing";
    case Decision::kCopy: return "copy";
    case Decision::kVerify: return "verify";
    case Decision::kAdopt: return "adopt";
    case Decision::kRepairLedger: return "repair_ledger";
    case Decision::kArchived: return "archived";
    case Decision::kKeyRefused: return "key_refused";
  }
  return "";
}

std::string_view ToString(Reason reason) {
  switch (reason) {
    case Reason::kUnchanged: return "unchanged";
    case Reason::kNotAtSource: return "not_at_source";
    case Reason::kMissing: return "missing";
    case Reason::kSourceChanged: return "source_changed";
    case Reason::kDestinationChanged: return "destination_changed";
    case Reason::kSizeDiffers: return "size_differs";
    case Reason::kEtagDiffers: return "etag_differs";
    case Reason::kEqualEtags: return "equal_etags";
    case Reason::kVersionLearnt: return "version_learnt";
    case Reason::kTrustedBySizeAndTime: return "trusted_by_size_and_time";
    case Reason::kNotComparable: return "not_comparable";
    case Reason::kArchivedAtSource: return "archived_at_source";
    case Reason::kBeingRestored: return "being_restored";
    case Reason::kKeyNotAllowed: return "key_not_allowed";
  }
  return "";
}

}  // namespace ferry
