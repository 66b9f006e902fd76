#include "batch/base/human.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(Human, NumbersArePutForPeople) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(3.0 * 1024 * 1024 * 1024 * 1024), "3.0 TiB");
  EXPECT_EQ(HumanTime(1.25), "1.2s");
  EXPECT_EQ(HumanTime(125), "2m05s");
  EXPECT_EQ(HumanTime(7260), "2h01m");
  EXPECT_EQ(HumanMoment("2026-03-01T12:00:05.123Z"), "2026-03-01 12:00:05Z");
  EXPECT_EQ(HumanMoment(1'772'366'405'999), "2026-03-01 12:00:05Z");
}

TEST(Human, AStoresMessageCannotSteerTheTerminal) {
  EXPECT_EQ(OneLine("two\nlines \x1b[31m and a\\x00key"), "two\\x0alines \\x1b[31m and a\\x00key");
}

}  // namespace
}  // namespace ferry
