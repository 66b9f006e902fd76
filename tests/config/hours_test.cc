// `timezone`, `bandwidth` and `window` of a task, good and bad.
#include <gtest/gtest.h>

#include "tests/config/config_file.h"

namespace ferry {
namespace {

using test::kSmallest;

class HoursConfigTest : public testing::Test, protected test::ConfigFile {
 protected:
  // With lines added to the only task.
  TaskConfig Task(const std::string& lines) { return Load(kSmallest + lines).tasks[0]; }
  std::string FailureOf(const std::string& line) {
    return Failure(kSmallest + ("    " + line + "\n"));
  }
};

TEST_F(HoursConfigTest, HoursOfTheWeekAreReadInEveryWayTheyCanBeWritten) {
  const auto minutes = [](int hour, int minute = 0) { return hour * 60 + minute; };
  const WeekHours night{WeekHours::kEveryDay, minutes(22), minutes(6)};
  EXPECT_EQ(Task("    window: 22:00-06:00\n").window, std::vector{night});
  EXPECT_EQ(Task("    window: [{hours: \"22:00-06:00\"}]\n").window, std::vector{night});
  EXPECT_EQ(Task("    window:\n"
                 "      - {days: mon-fri, hours: \"00:00-07:30\"}\n"
                 "      - {days: [sat, sun]}\n"
                 "      - {days: [sun-tue, thu], hours: \"12:00-24:00\"}\n")
                .window,
            (std::vector<WeekHours>{{0b0011111, 0, minutes(7, 30)},
                                    {0b1100000, 0, minutes(24)},
                                    {0b1001011, minutes(12), minutes(24)}}));
}

TEST_F(HoursConfigTest, ABandwidthIsOneLimitOrATimetable) {
  const TaskConfig one = Task("    bandwidth: 50MiB\n    timezone: Asia/Shanghai\n");
  EXPECT_EQ(one.timezone, "Asia/Shanghai");
  ASSERT_EQ(one.bandwidth.size(), 1U);
  EXPECT_EQ(one.bandwidth[0].hours, WeekHours{});
  EXPECT_EQ(one.bandwidth[0].bytes_per_second, 50 * kMiB);
  const TaskConfig two = Task(
      "    bandwidth:\n"
      "      - {days: mon-fri, hours: \"08:00-19:00\", limit: 10MiB}\n"
      "      - {limit: 1GiB}\n");
  ASSERT_EQ(two.bandwidth.size(), 2U);
  EXPECT_EQ(two.bandwidth[0].hours, (WeekHours{0b0011111, 8 * 60, 19 * 60}));
  EXPECT_EQ(two.bandwidth[1].bytes_per_second, kGiB);
}

TEST_F(HoursConfigTest, HoursThatCannotBe) {
  EXPECT_EQ(FailureOf("window: 22:00-06:00"), "accepted");
  EXPECT_EQ(FailureOf("window: \"8:00-19:00\""),
            "f.yaml:8: tasks[0].window: \"8:00-19:00\" is not hours such as \"08:00-19:00\" or "
            "\"22:00-06:00\"; the day ends at 24:00");
  for (const char* const hours : {"22:00", "24:00-06:00", "06:00-00:00", "06:00-24:01",
                                  "06:60-07:00", "-6:00-07:00", "06:00-07:00-08:00", "at night"}) {
    EXPECT_NE(FailureOf(std::string("window: \"") + hours + "\""), "accepted") << hours;
  }
  EXPECT_EQ(FailureOf("window: \"08:00-08:00\""),
            "f.yaml:8: tasks[0].window: \"08:00-08:00\" is no time at all; a whole day is "
            "00:00-24:00");
  EXPECT_EQ(FailureOf("window: []"),
            "f.yaml:8: tasks[0].window: is an empty list: nothing would ever be copied");
  EXPECT_EQ(FailureOf("window:\n      - {days: mon-fry}"),
            "f.yaml:9: tasks[0].window[0].days: \"mon-fry\" is neither a day (mon tue wed thu fri "
            "sat sun) nor a range of days (mon-fri)");
  EXPECT_EQ(FailureOf("window: [{days: []}]"),
            "f.yaml:8: tasks[0].window[0].days: is an empty list (leave it out for every day)");
  EXPECT_EQ(FailureOf("window: [{day: mon}]"),
            "f.yaml:8: tasks[0].window[0]: unknown key \"day\"; did you mean \"days\"?");
  EXPECT_EQ(FailureOf("timezone: \"Asia/Shanghai; drop\""),
            "f.yaml:8: tasks[0].timezone: \"Asia/Shanghai; drop\" holds other characters than "
            "letters, digits and /_+-");
}

TEST_F(HoursConfigTest, BandwidthsThatCannotBe) {
  for (const char* const zero : {"0", "0MiB"}) {
    EXPECT_EQ(FailureOf(std::string("bandwidth: ") + zero),
              "f.yaml:8: tasks[0].bandwidth: 0 would be no copying at all: say by `window` when it "
              "may run");
  }
  EXPECT_EQ(FailureOf("bandwidth: 1023B"),
            "f.yaml:8: tasks[0].bandwidth: \"1023B\" is not within 1KiB..1TiB");
  EXPECT_EQ(FailureOf("bandwidth: 10Mbit"),
            "f.yaml:8: tasks[0].bandwidth: \"10Mbit\" is not a size such as 16MiB (B KiB MiB GiB "
            "TiB)");
  EXPECT_EQ(FailureOf("bandwidth: [{days: mon}]"),
            "f.yaml:8: tasks[0].bandwidth[0]: lacks \"limit\"");
  EXPECT_EQ(FailureOf("bandwidth:\n      - {limit: 1MiB}\n      - {days: sat, limit: 2MiB}"),
            "f.yaml:10: tasks[0].bandwidth[1]: is never reached: the entry before it applies "
            "always");
  EXPECT_EQ(FailureOf("bandwidth: []"),
            "f.yaml:8: tasks[0].bandwidth: is an empty list (leave it out for no limit)");
}

}  // namespace
}  // namespace ferry
