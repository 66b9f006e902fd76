#include "batch/provider/provider.h"

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

TEST(Provider, EveryOneIsFoundByItsName) {
  for (const std::string_view name : ProviderNames()) EXPECT_EQ(FindProvider(name).name, name);
  EXPECT_EQ(ProviderNames().size(), 9U);
  EXPECT_NE(ConfigError([] { FindProvider("AWS\n"); }).find("unknown provider AWS\\x0a"),
            std::string::npos);
}

TEST(Provider, PartsOfTheLargestSizeHoldTheLargestObject) {
  for (const std::string_view name : ProviderNames()) {
    const SizeLimits& limits = FindProvider(name).limits;
    EXPECT_GE(limits.part_bytes_max * limits.parts_max, limits.object_bytes_max) << name;
    EXPECT_LT(limits.part_bytes_min, limits.part_bytes_max) << name;
    EXPECT_LE(limits.single_put_bytes_max, 5 * kGiB) << name;
  }
  EXPECT_EQ(FindProvider("aws").limits.object_bytes_max, 50'000 * kGiB);  // 48.8 TiB
  EXPECT_EQ(FindProvider("aws").limits.single_put_bytes_max, 5 * kGiB);
  EXPECT_EQ(FindProvider("s3").limits.part_bytes_min, 5 * kMiB);
}

TEST(Provider, WhoNeedsARegionSaysWhatOneLooksLike) {
  for (const std::string_view name : ProviderNames()) {
    const Provider& provider = FindProvider(name);
    if (!provider.region.empty()) continue;
    EXPECT_NE(ConfigError([&] { DefaultEndpoint(provider, ""); }).find(provider.region_example),
              std::string::npos)
        << name;
  }
}

TEST(Provider, UnknownServersGetNoHeadersThatServersHaveRefused) {
  EXPECT_FALSE(FindProvider("s3").checksum);
  EXPECT_FALSE(FindProvider("s3").expect_100);
  EXPECT_EQ(FindProvider("s3").etag, EtagHabit::kUnknown);
}

TEST(DefaultEndpoint, KnowsBothPartitionsOfAws) {
  const Provider& aws = FindProvider("aws");
  EXPECT_EQ(DefaultEndpoint(aws, "us-east-1"), "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(DefaultEndpoint(aws, "cn-north-1"), "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(DefaultEndpoint(aws, "cn-northwest-1"), "https://s3.cn-northwest-1.amazonaws.com.cn");
}

TEST(UsualStorageClass, KnowsWhatMustBeRestoredByAnyName) {
  const auto usual = [](std::string_view provider, std::string_view name) {
    return UsualStorageClass(FindProvider(provider), name);
  };
  EXPECT_EQ(usual("cos", "ARCHIVE"), "GLACIER");
  EXPECT_EQ(usual("oss", "ColdArchive"), "GLACIER");
  EXPECT_EQ(usual("gcs", "ARCHIVE"), "ARCHIVE");
  for (const std::string_view name : {"", "STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}) {
    EXPECT_EQ(usual("cos", name), name);
  }
}

TEST(DualStackEndpoint, IsThereWhereAProviderHasOne) {
  EXPECT_EQ(DualStackEndpoint(FindProvider("aws"), "eu-west-1"),
            "https://s3.dualstack.eu-west-1.amazonaws.com");
  EXPECT_NE(ConfigError([] { DualStackEndpoint(FindProvider("oss"), "x"); }).find("no endpoints"),
            std::string::npos);
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

}  // namespace
}  // namespace ferry
