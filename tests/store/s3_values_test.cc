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
