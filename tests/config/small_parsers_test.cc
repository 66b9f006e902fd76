// Units, ${} and endpoints on their own.
#include <gtest/gtest.h>

#include "batch/config/substitute.h"
#include "batch/config/suggestion.h"
#include "batch/config/units.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;

TEST(Units, SizesAreDigitsAndOneUnit) {
  EXPECT_EQ(ParseSize("0B"), 0U);
  EXPECT_EQ(ParseSize("1KiB"), 1024U);
  EXPECT_EQ(ParseSize("16MiB"), 16 * kMiB);
  EXPECT_EQ(ParseSize("2TiB"), 2 * kTiB);
  EXPECT_EQ(ParseSize("18446744073709551615B"), UINT64_MAX);
  for (const char* text : {"", "B", "1", "1kib", "1K", "1MB", "1.5MiB", " 1B", "1B ", "+1B", "-1B",
                           "1 B", "0x1B", "18446744073709551616B", "16777216TiB", "1MiBx"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

TEST(Units, TimesAreDigitsAndOneUnitOrZero) {
  EXPECT_EQ(ParseDuration("0"), 0ms);
  EXPECT_EQ(ParseDuration("90s"), 90s);
  EXPECT_EQ(ParseDuration("14m"), 14min);
  EXPECT_EQ(ParseDuration("1h"), 1h);
  EXPECT_EQ(ParseDuration("7d"), 168h);
  for (const char* text : {"", "s", "1", "00", "1ms", "1S", "1h30m", "1.5h", "-1s", " 1s", "1s ",
                           "36501d", "99999999999999999999s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(Units, AreShownInTheLargestThatDivides) {
  EXPECT_EQ(ShowSize(0), "0B");
  EXPECT_EQ(ShowSize(1025), "1025B");
  EXPECT_EQ(ShowSize(5 * kGiB), "5GiB");
  EXPECT_EQ(ShowDuration(0s), "0s");
  EXPECT_EQ(ShowDuration(90s), "90s");
  EXPECT_EQ(ShowDuration(24h), "1d");
}

TEST(Substitute, FillsEachNameOnce) {
  test::MapEnvironment environment;
  environment.values = {{"A", "1"}, {"E", ""}, {"N", "${A}"}, {"_x9", "y"}};
  const struct {
    const char* text;
    const char* filled;
  } cases[] = {
      {"", ""},         {"plain", "plain"},     {"${A}", "1"},        {"x${A}y${A}", "x1y1"},
      {"${E}", ""},     {"${E:-d}", "d"},       {"${U:-d}", "d"},     {"${U:-}", ""},
      {"${A:-d}", "1"}, {"${U:-a:-b}", "a:-b"}, {"${U:-${A}", "${A"}, {"${N}", "${A}"},
      {"${_x9}", "y"},  {"$${A}", "${A}"},      {"$$${A}", "$${A}"},  {"$A $ $$", "$A $ $$"},
      {"100$", "100$"}, {"{A}", "{A}"},
  };
  for (const auto& c : cases) EXPECT_EQ(Substitute(c.text, environment), c.filled) << c.text;
}

TEST(Substitute, RefusesWhatIsNotAName) {
  const test::MapEnvironment environment;
  for (const char* text : {"${", "${A", "${}", "${:-x}", "${A B}", "${9}", "${A-x}", "${U}",
                           "${A:x}", "${\xC3\xA9}"}) {
    EXPECT_THROW(Substitute(text, environment), Error) << text;
  }
}

TEST(Suggestion, FindsTheNearestKnownWord) {
  constexpr std::string_view kKnown[] = {"source", "destination", "include", "exclude"};
  EXPECT_EQ(Nearest("sorce", kKnown), "source");
  EXPECT_EQ(Nearest("SOURCE", kKnown), "source");
  EXPECT_EQ(Nearest("soucre", kKnown), "source");
  EXPECT_EQ(Nearest("dest", kKnown), std::nullopt);
  EXPECT_EQ(Nearest("", kKnown), std::nullopt);
  EXPECT_EQ(Nearest(std::string(10'000, 'a'), kKnown), std::nullopt);
  EXPECT_EQ(Suggest("x", {}), "none is known here");
}

TEST(Endpoint, IsSchemeHostAndPort) {
  const struct {
    const char* text;
    const char* url;
  } cases[] = {
      {"https://s3.example.com", "https://s3.example.com"},
      {"HTTPS://S3.Example.COM./", "https://s3.example.com"},
      {"https://h:443", "https://h"},
      {"http://h:443", "http://h:443"},
      {"http://10.0.0.1:9000", "http://10.0.0.1:9000"},
      {"http://rgw_1:7480/", "http://rgw_1:7480"},
      {"https://[::1]", "https://[::1]"},
      {"https://[fe80::1]:8443/", "https://[fe80::1]:8443"},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseEndpoint(c.text).Url(), c.url) << c.text;
}

TEST(Endpoint, RefusesEverythingElseWithoutRepeatingIt) {
  for (const char* text : {"",
                           "hunter2",
                           "s3.hunter2.com",
                           "ftp://hunter2",
                           "https://",
                           "https:///",
                           "http://:80",
                           "https://u:hunter2@h",
                           "https://hunter2@h",
                           "https://h/hunter2",
                           "https://h?hunter2",
                           "https://h#hunter2",
                           "https://h:hunter2",
                           "https://h:0",
                           "https://h:65536",
                           "https://h:",
                           "https://h:80:80",
                           "https://hunter2 x",
                           "https://[hunter2",
                           "https://[hunter2]",
                           "https://[::1]hunter2",
                           "https://.h",
                           "https://a..b",
                           "https://h//",
                           "https://h\\hunter2",
                           "https://h%2fhunter2"}) {
    try {
      ParseEndpoint(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
    }
  }
}

TEST(Endpoint, KnowsTheRegionInAnAwsName) {
  const auto region = [](const char* url) { return AwsRegionOf(ParseEndpoint(url)); };
  EXPECT_EQ(region("https://s3.eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(region("https://s3.dualstack.eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(region("https://s3.cn-north-1.amazonaws.com.cn"), "cn-north-1");
  EXPECT_EQ(region("https://s3-us-west-2.amazonaws.com"), "us-west-2");
  EXPECT_EQ(region("https://s3.amazonaws.com"), "");
  EXPECT_EQ(region("https://s3-accelerate.amazonaws.com"), "");
  EXPECT_EQ(region("https://minio.example"), "");
  EXPECT_EQ(region("https://a.amazonaws.com.evil.example"), "");
}

}  // namespace
}  // namespace ferry
