#include "batch/plan/diff.h"

#include <gtest/gtest.h>

#include <set>

namespace ferry {
namespace {

constexpr const char* kMd5A = "0cc175b9c0f1b6a831c399e269772661";
constexpr const char* kMd5B = "92eb5ffee6ae2fec3ad71c777531578f";
constexpr const char* kPartsA = "0cc175b9c0f1b6a831c399e269772661-2";
constexpr const char* kPartsB = "92eb5ffee6ae2fec3ad71c777531578f-3";

struct Object {
  const char* etag = kMd5A;
  std::uint64_t bytes = 1;
  std::int64_t modified_ms = 1000;
  const char* version = "";
};

struct Known {  // a ledger row
  const char* source_etag = kMd5A;
  std::uint64_t bytes = 1;
  const char* destination_etag = kMd5A;
  std::optional<Verdict> verdict = {};
  const char* version = "";
};

struct Case {
  const char* name;
  std::optional<Object> source;
  std::optional<Object> destination;
  std::optional<Known> ledger;
  AdoptPolicy adopt;
  Decision decision;
  Reason reason;
};

Finding Find(const Case& c, bool archived = false, bool key_allowed = true) {
  const auto entry = [](const Object& object) {
    return ListedEntry{Key("k"),           object.etag, object.bytes,
                       object.modified_ms, false,       object.version};
  };
  std::optional<ListedEntry> source, destination;
  std::optional<LedgerEntry> ledger;
  if (c.source) source = entry(*c.source);
  if (source) source->archived = archived;
  if (c.destination) destination = entry(*c.destination);
  if (c.ledger) {
    ledger = LedgerEntry{Key("k"),
                         {c.ledger->source_etag, c.ledger->bytes, 1000, c.ledger->version},
                         c.ledger->destination_etag,
                         c.ledger->verdict};
  }
  const auto pointer = [](auto& one) { return one ? &*one : nullptr; };
  return Decide({pointer(source), pointer(destination), pointer(ledger), key_allowed}, c.adopt);
}

constexpr AdoptPolicy kTrust = AdoptPolicy::kTrust;
constexpr AdoptPolicy kVerify = AdoptPolicy::kVerify;
constexpr AdoptPolicy kCopy = AdoptPolicy::kCopy;
const std::optional<Object> kNoObject;
const std::optional<Known> kNoRow;

// clang-format off
const Case kCases[] = {
    // name                              source            destination             ledger                    adopt    decision                 reason
    {"nothing anywhere",                 kNoObject,        kNoObject,              kNoRow,                   kVerify, Decision::kNothing,      Reason::kNotAtSource},
    {"gone at the source",               kNoObject,        Object{},               Known{},                  kVerify, Decision::kNothing,      Reason::kNotAtSource},
    {"new",                              Object{},         kNoObject,              kNoRow,                   kTrust,  Decision::kCopy,         Reason::kMissing},
    {"deleted at the destination",       Object{},         kNoObject,              Known{},                  kTrust,  Decision::kCopy,         Reason::kMissing},
    {"as the ledger says",               Object{},         Object{},               Known{},                  kCopy,   Decision::kNothing,      Reason::kUnchanged},
    {"ledger, opaque on both sides",     Object{"s"},      Object{"d"},            Known{"s", 1, "d"},       kCopy,   Decision::kNothing,      Reason::kUnchanged},
    {"source changed",                   Object{kMd5B},    Object{},               Known{},                  kTrust,  Decision::kCopy,         Reason::kSourceChanged},
    {"source changed in size",           Object{kMd5B, 2}, Object{},               Known{},                  kTrust,  Decision::kCopy,         Reason::kSourceChanged},
    {"source written again, same bytes", Object{kMd5A, 1, 9000}, Object{},         Known{},                  kTrust,  Decision::kRepairLedger, Reason::kEqualEtags},
    {"source written again, opaque",     Object{"s", 1, 9000}, Object{"d"},        Known{"s", 1, "d"},       kTrust,  Decision::kCopy,         Reason::kSourceChanged},
    {"same bytes, another version",      Object{kMd5A, 1, 9000, "v2"}, Object{},   Known{kMd5A, 1, kMd5A, {}, "v1"}, kTrust, Decision::kCopy, Reason::kSourceChanged},
    {"another version in one second",    Object{kMd5A, 1, 1000, "v2"}, Object{},   Known{kMd5A, 1, kMd5A, {}, "v1"}, kTrust, Decision::kCopy, Reason::kSourceChanged},
    {"null version written again",       Object{kMd5A, 1, 9000, "null"}, Object{}, Known{kMd5A, 1, kMd5A, {}, "null"}, kTrust, Decision::kCopy, Reason::kSourceChanged},
    {"the version that was brought",     Object{kMd5A, 1, 1000, "v1"}, Object{},   Known{kMd5A, 1, kMd5A, {}, "v1"}, kTrust, Decision::kNothing, Reason::kUnchanged},
    {"the ledger knows no version yet",  Object{kMd5A, 1, 1000, "v1"}, Object{},   Known{},                  kTrust,  Decision::kRepairLedger, Reason::kVersionLearnt},
    {"the listing names no version",     Object{},         Object{},               Known{kMd5A, 1, kMd5A, {}, "v1"}, kTrust, Decision::kNothing, Reason::kUnchanged},
    {"version not known, other time",    Object{kMd5A, 1, 9000, "v1"}, Object{},   Known{},                  kTrust,  Decision::kCopy,         Reason::kSourceChanged},
    {"both changed, versions compared",  Object{kMd5B, 1, 9000, "v2"}, Object{kMd5B}, Known{kMd5A, 1, kMd5A, {}, "v1"}, kCopy, Decision::kCopy, Reason::kSourceChanged},
    {"destination rewritten, same bytes", Object{kMd5A, 1, 1000, "v1"}, Object{},  Known{kMd5A, 1, "d", {}, "v1"}, kCopy, Decision::kRepairLedger, Reason::kEqualEtags},
    {"destination changed",              Object{},         Object{kMd5B},          Known{},                  kTrust,  Decision::kCopy,         Reason::kDestinationChanged},
    {"destination changed in size",      Object{},         Object{kMd5A, 2},       Known{},                  kTrust,  Decision::kCopy,         Reason::kDestinationChanged},
    {"destination rewritten with parts", Object{},         Object{kPartsA},        Known{},                  kTrust,  Decision::kCopy,         Reason::kDestinationChanged},
    {"both changed to the same",         Object{kMd5B},    Object{kMd5B},          Known{},                  kCopy,   Decision::kRepairLedger, Reason::kEqualEtags},
    {"both changed to different",        Object{kMd5B},    Object{"x"},            Known{},                  kTrust,  Decision::kCopy,         Reason::kSourceChanged},
    {"no ledger, other size",            Object{},         Object{kMd5A, 2},       kNoRow,                   kTrust,  Decision::kCopy,         Reason::kSizeDiffers},
    {"no ledger, equal MD5",             Object{},         Object{},               kNoRow,                   kCopy,   Decision::kAdopt,        Reason::kEqualEtags},
    {"no ledger, equal parts",           Object{kPartsA},  Object{kPartsA},        kNoRow,                   kCopy,   Decision::kAdopt,        Reason::kEqualEtags},
    {"no ledger, other MD5",             Object{},         Object{kMd5B},          kNoRow,                   kTrust,  Decision::kCopy,         Reason::kEtagDiffers},
    {"other parts tell nothing: copy",   Object{kPartsA},  Object{kPartsB},        kNoRow,                   kCopy,   Decision::kCopy,         Reason::kNotComparable},
    {"other parts tell nothing: verify", Object{kPartsA},  Object{kPartsB},        kNoRow,                   kVerify, Decision::kVerify,       Reason::kNotComparable},
    {"MD5 against parts: verify",        Object{kMd5A},    Object{kPartsA},        kNoRow,                   kVerify, Decision::kVerify,       Reason::kNotComparable},
    {"equal but opaque: verify",         Object{"same"},   Object{"same"},         kNoRow,                   kVerify, Decision::kVerify,       Reason::kNotComparable},
    {"trusted: not older",               Object{"s", 1, 5000}, Object{"d", 1, 5000}, kNoRow,                 kTrust,  Decision::kAdopt,        Reason::kTrustedBySizeAndTime},
    {"not trusted: older",               Object{"s", 1, 5000}, Object{"d", 1, 4999}, kNoRow,                 kTrust,  Decision::kCopy,         Reason::kNotComparable},
    {"a verdict is no copy",             Object{},         Object{},               Known{kMd5A, 1, "", Verdict::kArchived},   kCopy, Decision::kAdopt, Reason::kEqualEtags},
    {"restored since",                   Object{},         kNoObject,              Known{kMd5A, 1, "", Verdict::kArchived},   kCopy, Decision::kCopy,  Reason::kMissing},
    {"allowed since",                    Object{},         kNoObject,              Known{kMd5A, 1, "", Verdict::kKeyRefused}, kCopy, Decision::kCopy,  Reason::kMissing},
};
// clang-format on

TEST(Decide, FollowsTheTable) {
  for (const Case& c : kCases) {
    const Finding found = Find(c);
    EXPECT_EQ(ToString(found.decision), ToString(c.decision)) << c.name;
    EXPECT_EQ(ToString(found.reason), ToString(c.reason)) << c.name;
    EXPECT_FALSE(found.known) << c.name;
  }
}

TEST(Decide, WhatIsArchivedIsNotReadAndWhatNeedsNoReadingIsAsEver) {
  for (const Case& c : kCases) {
    const Finding found = Find(c, /*archived=*/true);
    const bool must_read = c.decision == Decision::kCopy || c.decision == Decision::kVerify;
    const Decision expected = must_read ? Decision::kArchived : c.decision;
    EXPECT_EQ(ToString(found.decision), ToString(expected)) << c.name;
    EXPECT_EQ(found.reason == Reason::kArchivedAtSource, must_read) << c.name;
  }
}

TEST(Decide, WhatIsBeingRestoredIsSaidOfThatVeryObjectUntilItCanBeRead) {
  const Case same = {"",      Object{}, kNoObject, Known{kMd5A, 1, "", Verdict::kBeingRestored},
                     kVerify, {},       {}};
  const Finding waits = Find(same, /*archived=*/true);
  EXPECT_EQ(ToString(waits.decision), "archived");
  EXPECT_EQ(ToString(waits.reason), "being_restored");
  EXPECT_TRUE(waits.known);
  EXPECT_EQ(ToString(Find(same, /*archived=*/false).decision), "copy");
  Case other = same;
  other.source = Object{kMd5B};
  EXPECT_EQ(ToString(Find(other, /*archived=*/true).reason), "archived_at_source");
}

TEST(Decide, AKeyThatIsNotAllowedIsRefusedWhateverElse) {
  for (const Case& c : kCases) {
    const Finding found = Find(c, /*archived=*/true, /*key_allowed=*/false);
    const Decision expected = c.source ? Decision::kKeyRefused : Decision::kNothing;
    EXPECT_EQ(ToString(found.decision), ToString(expected)) << c.name;
  }
}

TEST(Decide, AStandingVerdictIsKnownForThatVeryObjectOnly) {
  const Case same = {"",      Object{}, kNoObject, Known{kMd5A, 1, "", Verdict::kArchived},
                     kVerify, {},       {}};
  EXPECT_TRUE(Find(same, true).known);
  EXPECT_FALSE(Find(same, true, /*key_allowed=*/false).known);  // another verdict
  Case other = same;
  other.source = Object{kMd5B};
  EXPECT_FALSE(Find(other, true).known);
  Case refused = same;
  refused.ledger->verdict = Verdict::kKeyRefused;
  EXPECT_TRUE(Find(refused, false, /*key_allowed=*/false).known);
  EXPECT_FALSE(Find(refused, true).known);
}

TEST(Decide, EveryReasonIsInTheTableAndHasAName) {
  std::set<std::string_view> names = {"archived_at_source", "being_restored", "key_not_allowed"};
  for (const Case& c : kCases) names.insert(ToString(c.reason));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Reason::kKeyNotAllowed) + 1);
  EXPECT_FALSE(names.contains(""));
  std::set<std::string_view> decisions;
  for (int i = 0; i <= static_cast<int>(Decision::kKeyRefused); ++i) {
    decisions.insert(ToString(static_cast<Decision>(i)));
  }
  EXPECT_EQ(decisions.size(), static_cast<std::size_t>(Decision::kKeyRefused) + 1);
}

}  // namespace
}  // namespace ferry
