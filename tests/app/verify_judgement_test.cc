#include "batch/app/verify_judgement.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

constexpr char kMd5[] = "0123456789abcdef0123456789abcdef";
constexpr char kOtherMd5[] = "ffffffffffffffffffffffffffffffff";
constexpr char kComposite[] = "0123456789abcdef0123456789abcdef-2";
constexpr char kOtherComposite[] = "ffffffffffffffffffffffffffffffff-3";

ListedEntry Listed(const std::string& etag, std::uint64_t size_bytes = 10) {
  return {Key("a"), etag, size_bytes, 1'700'000'000'000, false};
}

// What was brought: `source` then, and what the destination answered.
LedgerEntry Brought(const ListedEntry& source, const std::string& destination_etag) {
  return {Key("a"), IdentityOf(source), destination_etag, std::nullopt};
}

struct Case {
  const char* name;
  ListedEntry source;
  std::optional<ListedEntry> destination;
  std::optional<LedgerEntry> ledger;
  Judgement judgement;
};

TEST(VerifyJudgement, SaysWhatListingsAndLedgerProve) {
  const Case cases[] = {
      {"not there", Listed(kMd5), {}, {}, Judgement::kMissing},
      {"the ledger cannot stand in for an object",
       Listed(kMd5),
       {},
       Brought(Listed(kMd5), kMd5),
       Judgement::kMissing},
      {"size", Listed(kMd5), Listed(kMd5, 11), {}, Judgement::kSizeDiffers},
      {"equal MD5", Listed(kMd5), Listed(kMd5), {}, Judgement::kEqualByEtag},
      {"other MD5", Listed(kMd5), Listed(kOtherMd5), {}, Judgement::kEtagDiffers},
      {"equal composite", Listed(kComposite), Listed(kComposite), {}, Judgement::kEqualByEtag},
      {"other composite", Listed(kComposite), Listed(kOtherComposite), {}, Judgement::kCannotTell},
      {"MD5 and composite", Listed(kMd5), Listed(kComposite), {}, Judgement::kCannotTell},
      {"opaque and the same text", Listed("x"), Listed("x"), {}, Judgement::kCannotTell},
      {"as the ledger says", Listed(kMd5), Listed(kComposite), Brought(Listed(kMd5), kComposite),
       Judgement::kEqualByLedger},
      {"KMS: 32 digits that are no MD5", Listed(kMd5), Listed(kOtherMd5),
       Brought(Listed(kMd5), kOtherMd5), Judgement::kEqualByLedger},
      {"written again since", Listed(kMd5), Listed(kOtherComposite),
       Brought(Listed(kMd5), kComposite), Judgement::kCannotTell},
      {"source is another since", Listed(kMd5), Listed(kComposite),
       Brought(Listed(kOtherMd5), kComposite), Judgement::kCannotTell},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    Sides sides;
    sides.source = &one.source;
    if (one.destination) sides.destination = &*one.destination;
    if (one.ledger) sides.ledger = &*one.ledger;
    EXPECT_EQ(Judge(sides), one.judgement);
  }
}

TEST(VerifyJudgement, WhatMustBeRestoredFirstIsNoDifferenceUntilItIsThere) {
  ListedEntry source = Listed(kMd5);
  source.archived = true;
  const ListedEntry same = Listed(kMd5);
  const ListedEntry shorter = Listed(kMd5, 9);
  EXPECT_EQ(Judge({.source = &source}), Judgement::kArchived);
  EXPECT_EQ(Judge({.source = &source, .destination = &same}), Judgement::kEqualByEtag);
  EXPECT_EQ(Judge({.source = &source, .destination = &shorter}), Judgement::kSizeDiffers);
}

TEST(VerifyJudgement, AVerdictInTheLedgerProvesNothing) {
  const ListedEntry source = Listed(kMd5);
  const ListedEntry destination = Listed(kComposite);
  LedgerEntry ledger = Brought(source, kComposite);
  ledger.verdict = Verdict::kArchived;
  EXPECT_EQ(Judge({.source = &source, .destination = &destination, .ledger = &ledger}),
            Judgement::kCannotTell);
}

TEST(VerifyJudgement, WhatWasTrustedWasNeverCompared) {
  const ListedEntry source = Listed(kMd5);
  const ListedEntry destination = Listed(kComposite);
  LedgerEntry ledger = Brought(source, kComposite);
  ledger.trusted = true;
  EXPECT_EQ(Judge({.source = &source, .destination = &destination, .ledger = &ledger}),
            Judgement::kCannotTell);
  EXPECT_EQ(Judge({.source = &source, .destination = &source, .ledger = &ledger}),
            Judgement::kEqualByEtag);
}

}  // namespace
}  // namespace ferry
