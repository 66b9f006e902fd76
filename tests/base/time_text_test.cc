#include "batch/base/time_text.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(ParseIso8601, ReadsTimesWithAndWithoutDecimals) {
  EXPECT_EQ(ParseIso8601("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseIso8601("2009-10-12T17:50:30.000Z"), 1255369830000);
  EXPECT_EQ(ParseIso8601("2009-10-12T17:50:30Z"), 1255369830000);
  EXPECT_EQ(ParseIso8601("2009-10-12T17:50:30.5Z"), 1255369830500);
  EXPECT_EQ(ParseIso8601("2009-10-12T17:50:30.123999999Z"), 1255369830123);
  EXPECT_EQ(ParseIso8601("2024-02-29T23:59:59.999Z"), 1709251199999);
  EXPECT_EQ(ParseIso8601("1969-12-31T23:59:59.000Z"), -1000);
}

TEST(ParseIso8601, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "garbage",
                           "2009-10-12",
                           "2009-10-12T17:50:30",
                           "2009-10-12T17:50:30.Z",
                           "2009-10-12T17:50:30.1234567890Z",
                           "2009-10-12 17:50:30Z",
                           "2009-10-12T17:50:30z",
                           "2009-10-12T17:50:30+00:00",
                           "2009-10-12T17:50:30ZZ",
                           " 2009-10-12T17:50:30Z",
                           "2009-02-31T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2009-13-01T00:00:00Z",
                           "2009-00-01T00:00:00Z",
                           "2009-01-00T00:00:00Z",
                           "2009-10-12T24:00:00Z",
                           "2009-10-12T17:60:30Z",
                           "2009-10-12T17:50:60Z",
                           "-009-10-12T17:50:30Z",
                           "2009-1-012T17:50:30Z"}) {
    EXPECT_EQ(ParseIso8601(text), std::nullopt) << text;
  }
}

TEST(ParseHttpDate, ReadsTheFixedForm) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(ParseHttpDate("Thu, 29 Feb 2024 23:59:59 GMT"), 1709251199000);
}

TEST(ParseHttpDate, RefusesWhatAnExpiresHeaderMayHold) {
  for (const char* text :
       {"", "-1", "0", "garbage", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT", "unM, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(ParseRfc3339, HeedsTheOffset) {
  EXPECT_EQ(ParseRfc3339("2009-10-12T17:50:30Z"), 1255369830000);
  EXPECT_EQ(ParseRfc3339("2009-10-12T17:50:30+00:00"), 1255369830000);
  EXPECT_EQ(ParseRfc3339("2009-10-13T01:50:30.25+08:00"), 1255369830250);
  EXPECT_EQ(ParseRfc3339("2009-10-12T14:20:30-03:30"), 1255369830000);
  for (const char* text :
       {"2009-10-12T17:50:30", "2009-10-12T17:50:30+24:00", "2009-10-12T17:50:30+00:60",
        "2009-10-12T17:50:30+0000", "2009-10-12T17:50:30+00:00 ", "2009-10-12T17:50:30 +00:00",
        "1255369830"}) {
    EXPECT_EQ(ParseRfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ferry
