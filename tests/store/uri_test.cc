#include "batch/store/uri.h"

#include <gtest/gtest.h>

#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

TEST(UriEncode, KeepsUnreservedBytesAndWritesUpperCaseHex) {
  EXPECT_EQ(UriEncode("AZaz09-_.~", SlashRule::kEncode), "AZaz09-_.~");
  EXPECT_EQ(UriEncode("a b+c%d", SlashRule::kEncode), "a%20b%2Bc%25d");
  EXPECT_EQ(UriEncode("\xC3\xA9\xFF", SlashRule::kEncode), "%C3%A9%FF");
  EXPECT_EQ(UriEncode(":@;=&?#!*'(),[]", SlashRule::kEncode),
            "%3A%40%3B%3D%26%3F%23%21%2A%27%28%29%2C%5B%5D");
}

TEST(UriEncode, TreatsASlashByItsRuleAndDotsAsBytes) {
  EXPECT_EQ(UriEncode("a/../b//c/./", SlashRule::kKeep), "a/../b//c/./");
  EXPECT_EQ(UriEncode("a/b", SlashRule::kEncode), "a%2Fb");
}

TEST(UriEncode, ComesBackWholeForEveryOneAndTwoByteString) {
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    for (const SlashRule rule : {SlashRule::kKeep, SlashRule::kEncode}) {
      ASSERT_EQ(UriDecode(UriEncode(one, rule)), one) << first;
    }
    for (int second = 0; second < 256; ++second) {
      const std::string two = one + static_cast<char>(second);
      ASSERT_EQ(UriDecode(UriEncode(two, SlashRule::kKeep)), two) << first << " " << second;
    }
  }
}

TEST(UriDecode, FollowsFormRules) {
  EXPECT_EQ(UriDecode("a+1000.txt"), "a 1000.txt");
  EXPECT_EQ(UriDecode("quux%20ab/x"), "quux ab/x");
  EXPECT_EQ(UriDecode("foo%2B1/bar"), "foo+1/bar");
  EXPECT_EQ(UriDecode("a%2fb%2Fc"), "a/b/c");
  EXPECT_EQ(UriDecode("a/%F0%9F%98%80"), "a/\xF0\x9F\x98\x80");
  EXPECT_EQ(UriDecode("%00%0D%0A"), std::string("\0\r\n", 3));
  EXPECT_EQ(UriDecode(""), "");
}

TEST(UriDecode, RefusesBadEscapes) {
  for (const char* text : {"%", "%4", "a%4", "%zz", "%4g", "%%41", "a%"}) {
    try {
      UriDecode(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << text;
    }
  }
}

TEST(CanonicalQuery, SortsByEncodedNameThenEncodedValue) {
  EXPECT_EQ(CanonicalQuery({{"Param", "2"}, {"Param-3", "3"}, {"\xE1\x88\xB4", "1"}}),
            "%E1%88%B4=1&Param=2&Param-3=3");
  EXPECT_EQ(CanonicalQuery({{"a", "b"}, {"a", "/"}, {"a", "B"}}), "a=%2F&a=B&a=b");
}

TEST(CanonicalQuery, WritesASubresourceWithAnEqualsSignAndAPlusAsData) {
  EXPECT_EQ(CanonicalQuery({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(CanonicalQuery({{"prefix", "a+b c"}}), "prefix=a%2Bb%20c");
  EXPECT_EQ(CanonicalQuery({}), "");
}

TEST(ParseEndpointUrl, ReadsSchemeHostAndPort) {
  const struct {
    const char* url;
    EndpointUrl expected;
  } cases[] = {
      {"https://s3.eu-west-1.amazonaws.com", {true, "s3.eu-west-1.amazonaws.com", 0}},
      {"http://minio:9000", {false, "minio", 9000}},
      {"http://minio:9000/", {false, "minio", 9000}},
      {"HTTPS://S3.Example.COM", {true, "s3.example.com", 0}},
      {"https://a:443", {true, "a", 0}},
      {"http://a:80", {false, "a", 0}},
      {"http://a:443", {false, "a", 443}},
      {"https://a:80", {true, "a", 80}},
      {"http://[::1]:7480", {false, "[::1]", 7480}},
      {"https://[2001:DB8::1]", {true, "[2001:db8::1]", 0}},
      {"http://127.0.0.1:65535", {false, "127.0.0.1", 65535}},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseEndpointUrl(c.url), c.expected) << c.url;
}

TEST(ParseEndpointUrl, RefusesEverythingElseWithoutRepeatingIt) {
  const char* const urls[] = {
      "",
      "s3.example.com",
      "ftp://a",
      "https://",
      "https:///",
      "https://user:hunter2@a",
      "https://hunter2@a",
      "https://a/bucket",
      "https://a//",
      "https://a?x=hunter2",
      "https://a/#hunter2",
      "https://a:",
      "https://a:0",
      "https://a:65536",
      "https://a:-1",
      "https://a:+1",
      "https://a:1x",
      "https://:443",
      "https://a b",
      "https://a\r\nx",
      "https://\xC3\xA9",
      "https://[::1",
      "https://[::1]x:1",
      "https://[]",
      "https://[hunter2]",
      "https://::1",
      "https://-a",
      "https://a..b",
  };
  for (const char* url : urls) {
    try {
      ParseEndpointUrl(url);
      ADD_FAILURE() << url << " was taken";
    } catch (const Error& error) {
      const std::string what = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kConfig) << url;
      EXPECT_EQ(what.find("hunter2"), std::string::npos) << what;
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    }
  }
}

}  // namespace
}  // namespace ferry
