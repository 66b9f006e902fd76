#include "batch/store/s3_values.h"

#include <gtest/gtest.h>

#include <string>

namespace ferry {
namespace {

TEST(NormalizeEtag, StripsQuotesAndWeaknessAndLowersAnMd5) {
  const struct {
    const char* given;
    const char* expected;
  } cases[] = {
      {"\"d41d8cd98f00b204e9800998ecf8427e\"", "d41d8cd98f00b204e9800998ecf8427e"},
      {"d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"},
      {"W/\"D41D8CD98F00B204E9800998ECF8427E\"", "d41d8cd98f00b204e9800998ecf8427e"},
      {"\"\"d41d8cd98f00b204e9800998ecf8427e\"\"", "d41d8cd98f00b204e9800998ecf8427e"},
      {"\"B2ADD96CC9702BBF4EFB0CCDFC6B7747-3\"", "b2add96cc9702bbf4efb0ccdfc6b7747-3"},
      {"\"IAMRANDOMETAG\"", "IAMRANDOMETAG"},  // opaque: its case may carry meaning
      {"\"D41D8CD98F00B204E9800998ECF8427E-\"", "D41D8CD98F00B204E9800998ECF8427E-"},
      {"\"D41D8CD98F00B204E9800998ECF8427E-3x\"", "D41D8CD98F00B204E9800998ECF8427E-3x"},
      {"", ""},
      {"\"\"", ""},
      {"\"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(NormalizeEtag(c.given), c.expected) << c.given;
}

TEST(XmlEscape, KeepsLineEndsFromBeingTurnedIntoLineFeeds) {
  EXPECT_EQ(XmlEscape("a<b>&\"c\"\r\n"), "a&lt;b&gt;&amp;&quot;c&quot;&#xD;&#xA;");
  EXPECT_EQ(XmlEscape("\xE4\xB8\xAD '"), "\xE4\xB8\xAD '");
}

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

TEST(ParseRetryAfter, ReadsSecondsAndDatesAndIsBounded) {
  const std::int64_t now = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  const std::pair<const char*, int> cases[] = {
      {"0", 0},
      {"7", 7},
      {"60", 60},
      {"3600", 60},
      {"99999999999999999999999", 60},
      {"Sun, 06 Nov 1994 08:49:50 GMT", 13},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
      {"Sun, 06 Nov 1994 08:00:00 GMT", 0},  // over already
      {"Mon, 07 Nov 1994 08:49:37 GMT", 60},
      {"", 0},
      {"-5", 0},
      {"1.5", 0},
      {"7 s", 0},
      {"soon", 0}};
  for (const auto& [text, seconds] : cases) {
    EXPECT_EQ(ParseRetryAfter(text, now), std::chrono::seconds(seconds)) << text;
  }
}

}  // namespace
}  // namespace ferry
