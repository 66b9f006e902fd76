#include "batch/plan/delete_guard.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

constexpr DeleteLimit Percent(std::uint64_t amount) { return {true, amount}; }
constexpr DeleteLimit Count(std::uint64_t amount) { return {false, amount}; }

TEST(DeletesAllowed, ACountIsACountWhateverTheLedgerHolds) {
  EXPECT_EQ(DeletesAllowed(Count(7), 0), 7U);
  EXPECT_EQ(DeletesAllowed(Count(0), 1000), 0U);
}

TEST(DeletesAllowed, APercentageIsRoundedDownButIsOneAtLeast) {
  EXPECT_EQ(DeletesAllowed(Percent(10), 1), 1U);
  EXPECT_EQ(DeletesAllowed(Percent(10), 19), 1U);
  EXPECT_EQ(DeletesAllowed(Percent(10), 20), 2U);
  EXPECT_EQ(DeletesAllowed(Percent(10), 199), 19U);
  EXPECT_EQ(DeletesAllowed(Percent(100), 199), 199U);
}

TEST(DeletesAllowed, NothingIsAllowedOfNothingAndByZeroPercent) {
  EXPECT_EQ(DeletesAllowed(Percent(10), 0), 0U);
  EXPECT_EQ(DeletesAllowed(Percent(100), 0), 0U);
  EXPECT_EQ(DeletesAllowed(Percent(0), 1'000'000), 0U);
}

TEST(DeletesAllowed, APercentageOfAnyCountFits) {
  EXPECT_EQ(DeletesAllowed(Percent(100), UINT64_MAX), UINT64_MAX);
}

ListedEntry There() { return {Key("a"), "etag", 10, 1'700'000'000'000, false}; }
LedgerEntry Brought() { return {Key("a"), {"source", 10, 1, ""}, "etag", {}}; }

TEST(KindOfExtra, OnlyWhatTheDestinationStillHoldsAsItWasBroughtIsOurs) {
  LedgerEntry ledger = Brought();
  EXPECT_EQ(KindOfExtra(There(), &ledger), ExtraKind::kBrought);
  EXPECT_EQ(KindOfExtra(There(), nullptr), ExtraKind::kForeign);
  ledger.destination_etag = "another";
  EXPECT_EQ(KindOfExtra(There(), &ledger), ExtraKind::kForeign);
  ledger = Brought();
  ledger.source.size_bytes = 11;
  EXPECT_EQ(KindOfExtra(There(), &ledger), ExtraKind::kForeign);
}

TEST(KindOfExtra, AVerdictSaysThatNothingWasBrought) {
  LedgerEntry ledger = Brought();
  ledger.verdict = Verdict::kArchived;
  EXPECT_EQ(KindOfExtra(There(), &ledger), ExtraKind::kForeign);
}

TEST(KindOfExtra, AnObjectWithoutAnEtagIsNobodys) {
  LedgerEntry ledger = Brought();
  ledger.destination_etag = "";
  ListedEntry there = There();
  there.etag = "";
  EXPECT_EQ(KindOfExtra(there, &ledger), ExtraKind::kForeign);
}

TEST(IsCandidate, FollowsThePolicy) {
  for (const ExtraKind kind : {ExtraKind::kBrought, ExtraKind::kForeign}) {
    EXPECT_FALSE(IsCandidate(DeletePolicy::kNever, kind));
    EXPECT_EQ(IsCandidate(DeletePolicy::kExtra, kind), kind == ExtraKind::kBrought);
    EXPECT_TRUE(IsCandidate(DeletePolicy::kExtraAll, kind));
  }
}

TEST(JudgeDeletes, GoesOnlyWhenNothingSpeaksAgainstIt) {
  const DeleteScope scope{100, 100, 10};
  EXPECT_EQ(JudgeDeletes(Selection::kSame, Percent(10), scope), DeleteVerdict::kGo);
  EXPECT_EQ(JudgeDeletes(Selection::kFirstRun, Percent(10), scope), DeleteVerdict::kFirstRun);
  EXPECT_EQ(JudgeDeletes(Selection::kChanged, Percent(10), scope),
            DeleteVerdict::kSelectionChanged);
  EXPECT_EQ(JudgeDeletes(Selection::kSame, Percent(100), {0, 100, 1}), DeleteVerdict::kSourceEmpty);
  EXPECT_EQ(JudgeDeletes(Selection::kSame, Percent(10), {100, 100, 11}), DeleteVerdict::kTooMany);
  EXPECT_EQ(JudgeDeletes(Selection::kSame, Count(10), {1, 1, 10}), DeleteVerdict::kGo);
}

// A first run, a changed filter and an empty source say nothing about the number.
TEST(JudgeDeletes, TooManyFailsARunOnlyWhereDeletesAreOn) {
  const DeleteScope scope{0, 100, 100};
  EXPECT_EQ(JudgeDeletes(Selection::kChanged, Percent(10), scope),
            DeleteVerdict::kSelectionChanged);
  EXPECT_EQ(JudgeDeletes(Selection::kSame, Percent(10), scope), DeleteVerdict::kSourceEmpty);
}

TEST(WhyNoDeletes, TooManyNamesBothNumbersAndWhatToDo) {
  const std::string why = WhyNoDeletes(DeleteVerdict::kTooMany, Percent(10), {89, 100, 11});
  EXPECT_EQ(
      why,
      "nothing was deleted: 11 objects of the destination are not at the source, and "
      "max_delete allows 10 (10% of 100 ledgered objects): look at `run --dry-run`, and raise "
      "max_delete if they shall go");
  EXPECT_NE(WhyNoDeletes(DeleteVerdict::kTooMany, Count(3), {89, 100, 11}).find("allows 3:"),
            std::string::npos);
}

}  // namespace
}  // namespace ferry
