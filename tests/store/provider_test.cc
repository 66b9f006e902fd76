#include "batch/store/provider.h"

#include <gtest/gtest.h>

#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kGiB = 1024 * kMiB;

std::string ConfigError(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Provider, ServesFourAndRefusesTheOthersByName) {
  for (const char* name : {"aws", "minio", "ceph", "s3"}) {
    EXPECT_EQ(FindProvider(name).name, name);
    EXPECT_EQ(FindProvider(name).key_bytes_max, 1024U);
    EXPECT_EQ(FindProvider(name).list_version, 2);
  }
  for (const char* name : {"oss", "cos", "kodo", "gcs", "r2"}) {
    EXPECT_NE(ConfigError([&] { FindProvider(name); }).find("not supported yet"), std::string::npos)
        << name;
  }
  EXPECT_NE(ConfigError([] { FindProvider("AWS\n"); }).find("unknown provider AWS\\x0a"),
            std::string::npos);
}

TEST(Provider, PartsOfTheLargestSizeHoldTheLargestObject) {
  for (const char* name : {"aws", "minio", "ceph", "s3"}) {
    const SizeLimits& limits = FindProvider(name).limits;
    EXPECT_GE(limits.part_bytes_max * limits.parts_max, limits.object_bytes_max) << name;
    EXPECT_LT(limits.part_bytes_min, limits.part_bytes_max) << name;
  }
  EXPECT_EQ(FindProvider("aws").limits.object_bytes_max, 50'000 * kGiB);  // 48.8 TiB
  EXPECT_EQ(FindProvider("aws").limits.single_put_bytes_max, 5 * kGiB);
  EXPECT_EQ(FindProvider("s3").limits.part_bytes_min, 5 * kMiB);
}

TEST(Provider, UnknownServersGetNoHeadersThatServersHaveRefused) {
  EXPECT_FALSE(FindProvider("s3").checksum);
  EXPECT_FALSE(FindProvider("s3").expect_100);
  EXPECT_FALSE(FindProvider("s3").size_on_complete);
  EXPECT_EQ(FindProvider("s3").etag, EtagHabit::kUnknown);
}

TEST(DefaultEndpoint, KnowsBothPartitionsOfAws) {
  const Provider& aws = FindProvider("aws");
  EXPECT_EQ(DefaultEndpoint(aws, "us-east-1"), "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(DefaultEndpoint(aws, "cn-north-1"), "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(DefaultEndpoint(aws, "cn-northwest-1"), "https://s3.cn-northwest-1.amazonaws.com.cn");
}

TEST(DefaultEndpoint, RefusesWhatCannotBeARegionOrHasNoDefault) {
  const Provider& aws = FindProvider("aws");
  EXPECT_NE(ConfigError([&] { DefaultEndpoint(aws, ""); }).find("needs a region"),
            std::string::npos);
  for (const char* region : {"evil.com/#", "a b", "US-EAST-1", "eu@x", "\xC3\xA9"}) {
    EXPECT_NE(ConfigError([&] { DefaultEndpoint(aws, region); }).find("no region name"),
              std::string::npos)
        << region;
  }
  EXPECT_NE(ConfigError([] { DefaultEndpoint(FindProvider("ceph"), "x"); }).find("an endpoint"),
            std::string::npos);
}

TEST(KeyRefusal, HoldsOnlyTheLengthForMostProviders) {
  for (const char* name : {"aws", "ceph", "s3"}) {
    const Provider& provider = FindProvider(name);
    for (const char* key : {"a", "/a", "a//b", "..", "a/../b", "./", "\\", "\x01\r\n", "\xFF"}) {
      EXPECT_EQ(KeyRefusal(provider, Key(key)), std::nullopt) << name << " " << key;
    }
    EXPECT_EQ(KeyRefusal(provider, Key(std::string(1024, 'k'))), std::nullopt);
    EXPECT_EQ(KeyRefusal(provider, Key(std::string(1025, 'k'))), "the key has over 1024 bytes");
    EXPECT_TRUE(KeyRefusal(provider, Key()).has_value());
  }
}

TEST(KeyRefusal, KnowsThatMinioMapsKeysToPaths) {
  const Provider& minio = FindProvider("minio");
  const std::string longest(255, 's');
  for (const std::string& key : {std::string("a"), std::string("dir/"), std::string("a/b\\c"),
                                 std::string("..."), std::string("a/.b/c."), std::string("a b"),
                                 longest + "/" + longest, std::string("\xE4\xB8\xAD")}) {
    EXPECT_EQ(KeyRefusal(minio, Key(key)), std::nullopt) << key;
  }
  for (const std::string& key :
       {std::string("/a"), std::string("a//b"), std::string("a//"), std::string("."),
        std::string(".."), std::string("a/./b"), std::string("a/../b"), std::string("a/.."),
        std::string("a/ .. /b"), longest + "s", "a/" + longest + "s/b", std::string("a\0b", 3),
        std::string("\xFF")}) {
    EXPECT_TRUE(KeyRefusal(minio, Key(key)).has_value()) << key;
  }
}

}  // namespace
}  // namespace ferry
