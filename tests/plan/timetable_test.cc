// Which entry of a timetable applies when: midnight, the end of the week, overlaps.
#include "batch/plan/timetable.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

constexpr std::uint8_t kMon = 1, kFri = 1 << 4, kSat = 1 << 5, kSun = 1 << 6;
constexpr std::uint8_t kWorkdays = 0x1F;

constexpr int At(int day, int hour, int minute = 0) {
  return day * kDayMinutes + hour * 60 + minute;
}
constexpr int Clock(int hour, int minute = 0) { return hour * 60 + minute; }

TEST(Timetable, TheFirstOfOverlappingEntriesApplies) {
  const Timetable table({{kWorkdays, Clock(8), Clock(19)}, {WeekHours::kEveryDay, 0, Clock(24)}});
  EXPECT_EQ(table.At(At(0, 7, 59)), 1U);
  EXPECT_EQ(table.At(At(0, 8)), 0U);
  EXPECT_EQ(table.At(At(0, 18, 59)), 0U);
  EXPECT_EQ(table.At(At(0, 19)), 1U);
  EXPECT_EQ(table.At(At(5, 12)), 1U);  // Saturday
}

TEST(Timetable, NothingAppliesOutsideOfAllEntries) {
  const Timetable table({{kMon, Clock(8), Clock(9)}, {kFri, Clock(8), Clock(9)}});
  EXPECT_EQ(table.At(At(0, 9)), std::nullopt);
  EXPECT_EQ(table.At(At(1, 8)), std::nullopt);
  EXPECT_EQ(table.At(At(4, 8, 30)), 1U);
  EXPECT_EQ(Timetable({}).At(0), std::nullopt);
}

TEST(Timetable, HoursOverMidnightBelongToTheDayOnWhichTheyBegin) {
  const Timetable table({{kFri, Clock(22), Clock(6)}});
  EXPECT_EQ(table.At(At(4, 5)), std::nullopt);  // Friday morning
  EXPECT_EQ(table.At(At(4, 22)), 0U);
  EXPECT_EQ(table.At(At(5, 0)), 0U);
  EXPECT_EQ(table.At(At(5, 5, 59)), 0U);
  EXPECT_EQ(table.At(At(5, 6)), std::nullopt);
  EXPECT_EQ(table.At(At(5, 22)), std::nullopt);
}

TEST(Timetable, TheNightOfSundayEndsOnMonday) {
  const Timetable table({{kSun, Clock(22), Clock(6)}});
  EXPECT_EQ(table.At(At(6, 23)), 0U);
  EXPECT_EQ(table.At(At(0, 5, 59)), 0U);
  EXPECT_EQ(table.At(At(0, 6)), std::nullopt);
  EXPECT_EQ(table.MinutesToChange(At(6, 23)), 7 * 60);
}

TEST(Timetable, SaysWhenSomethingElseBegins) {
  const Timetable table({{kWorkdays, Clock(8), Clock(19)}, {kSat | kSun, Clock(10), Clock(24)}});
  EXPECT_EQ(table.MinutesToChange(At(0, 7, 59)), 1);
  EXPECT_EQ(table.MinutesToChange(At(0, 8)), 11 * 60);
  EXPECT_EQ(table.MinutesToChange(At(4, 19)), 15 * 60);
  EXPECT_EQ(table.MinutesToChange(At(5, 10)), 14 * 60);
  EXPECT_EQ(table.MinutesToChange(At(6, 23)), 60);  // Monday is another day, and closed
}

TEST(Timetable, WhatIsAlwaysTheSameNeverChanges) {
  EXPECT_EQ(Timetable({WeekHours{}}).MinutesToChange(At(3, 12)), std::nullopt);
  EXPECT_EQ(Timetable({}).MinutesToChange(0), std::nullopt);
  // Two entries that touch are two.
  const Timetable table(
      {{WeekHours::kEveryDay, 0, Clock(12)}, {WeekHours::kEveryDay, Clock(12), Clock(24)}});
  EXPECT_EQ(table.MinutesToChange(At(0, 11)), 60);
}

// Whoever asks says what the clock on the wall shows, whatever it showed a minute ago.
TEST(Timetable, AHourThatIsLeftOutOrComesTwiceIsJustAnotherQuestion) {
  const Timetable table({{kSun, Clock(2), Clock(3)}});
  EXPECT_EQ(table.At(At(6, 1, 59)), std::nullopt);
  EXPECT_EQ(table.At(At(6, 3)), std::nullopt);  // spring: 02:00 was left out
  EXPECT_EQ(table.At(At(6, 2, 59)), 0U);
  EXPECT_EQ(table.At(At(6, 2)), 0U);  // autumn: it comes again
}

}  // namespace
}  // namespace ferry
