#include "batch/store/endpoint.h"

#include <gtest/gtest.h>

#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

StoreLocation Aws(const std::string& region) {
  return {.provider = FindProvider("aws"), .region = region};
}
StoreLocation At(const std::string& endpoint, AddressStyle style = AddressStyle::kAuto) {
  return {.provider = FindProvider("s3"), .region = "", .endpoint = endpoint, .addressing = style};
}

std::string ObjectUrl(const StoreLocation& store, const std::string& bucket,
                      const std::string& key) {
  const BucketAddress address = ResolveBucket(store, bucket);
  return address.Url(address.ObjectPath(Key(key)));
}

std::string Refusal(const StoreLocation& store, const std::string& bucket) {
  try {
    return "taken: " + ObjectUrl(store, bucket, "k");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
}

TEST(Endpoint, PutsABucketWhereItsProviderWantsIt) {
  const StoreLocation minio = At("http://minio:9000");
  const StoreLocation oss_like = At("https://store.example.com", AddressStyle::kVirtual);
  const StoreLocation china = Aws("cn-north-1");
  StoreLocation aws_at_home = Aws("us-east-1");
  aws_at_home.endpoint = "http://localhost:4566";
  StoreLocation aws_by_path = Aws("us-east-1");
  aws_by_path.addressing = AddressStyle::kPath;
  const struct {
    StoreLocation store;
    const char* bucket;
    const char* url;
  } cases[] = {
      {Aws("eu-west-1"), "media", "https://media.s3.eu-west-1.amazonaws.com/k"},
      {china, "media", "https://media.s3.cn-north-1.amazonaws.com.cn/k"},
      {Aws("eu-west-1"), "my.media", "https://s3.eu-west-1.amazonaws.com/my.media/k"},
      {Aws("us-east-1"), "Old_Bucket", "https://s3.us-east-1.amazonaws.com/Old_Bucket/k"},
      {aws_by_path, "media", "https://s3.us-east-1.amazonaws.com/media/k"},
      {aws_at_home, "media", "http://localhost:4566/media/k"},
      {minio, "media", "http://minio:9000/media/k"},
      {minio, "minio", "http://minio:9000/minio/k"},
      {oss_like, "media", "https://media.store.example.com/k"},
      {oss_like, "my.media", "https://my.media.store.example.com/k"},
      {At("http://[::1]:7480"), "tenant:b", "http://[::1]:7480/tenant%3Ab/k"},
      {At("https://a.b:443"), "media", "https://a.b/media/k"},
  };
  for (const auto& c : cases) EXPECT_EQ(ObjectUrl(c.store, c.bucket, "k"), c.url);
}

TEST(Endpoint, WritesTheHostHeaderThatTheServerWillSee) {
  const struct {
    const char* endpoint;
    const char* host;
    int port;
  } cases[] = {
      {"http://a.b:80", "a.b", 80},     {"https://a.b:443", "a.b", 443},
      {"https://A.B", "a.b", 443},      {"http://a.b:9000", "a.b:9000", 9000},
      {"http://[::1]:80", "[::1]", 80}, {"http://[::1]:9000", "[::1]:9000", 9000},
      {"https://a.b:80", "a.b:80", 80},
  };
  for (const auto& c : cases) {
    const BucketAddress address = ResolveBucket(At(c.endpoint), "bucket");
    EXPECT_EQ(address.host_header, c.host) << c.endpoint;
    EXPECT_EQ(address.connect_port, c.port) << c.endpoint;
    EXPECT_TRUE(address.path_style);
  }
}

TEST(Endpoint, EncodesKeysOnceAndNormalisesNothing) {
  const BucketAddress address = ResolveBucket(At("http://a.b"), "c");
  const struct {
    const char* key;
    const char* path;
  } cases[] = {
      {"../k", "/c/../k"},
      {"a/../b", "/c/a/../b"},
      {"a/./b", "/c/a/./b"},
      {".", "/c/."},
      {"..", "/c/.."},
      {"a/.", "/c/a/."},
      {"/a//b/", "/c//a//b/"},
      {"a%2Fb", "/c/a%252Fb"},
      {"a b+c", "/c/a%20b%2Bc"},
      {"?x#y", "/c/%3Fx%23y"},
      {"\xF0\x9F\x98\x80", "/c/%F0%9F%98%80"},
  };
  for (const auto& c : cases) EXPECT_EQ(address.ObjectPath(Key(c.key)), c.path);
  EXPECT_EQ(address.Url("/c/a%20b", "uploads="), "http://a.b/c/a%20b?uploads=");
  EXPECT_EQ(address.bucket_path, "/c");
  EXPECT_EQ(ResolveBucket(Aws("eu-west-1"), "media").bucket_path, "/");
}

TEST(Endpoint, RefusesAnEndpointThatAlreadyHoldsTheBucket) {
  EXPECT_EQ(Refusal(At("https://media.oss-cn-beijing.aliyuncs.com"), "media"),
            "endpoint media.oss-cn-beijing.aliyuncs.com already holds the bucket media; "
            "leave it out of the endpoint");
  EXPECT_EQ(Refusal(At("https://media.oss-cn-beijing.aliyuncs.com"), "med"),
            "taken: https://media.oss-cn-beijing.aliyuncs.com/med/k");
}

TEST(Endpoint, RefusesWhatHasNoAddress) {
  for (const char* bucket : {"", ".", "..", "a/b"}) {
    EXPECT_NE(Refusal(At("http://a.b"), bucket).find("no bucket name"), std::string::npos)
        << bucket;
  }
  EXPECT_NE(Refusal(Aws("us-west-2"), "data--usw2-az1--x-s3").find("directory bucket"),
            std::string::npos);
  EXPECT_NE(Refusal(At("http://127.0.0.1:9000", AddressStyle::kVirtual), "media")
                .find("use addressing: path"),
            std::string::npos);
  EXPECT_NE(
      Refusal(At("http://a.b", AddressStyle::kVirtual), "Old_Bucket").find("use addressing: path"),
      std::string::npos);
  EXPECT_NE(Refusal(At(""), "media").find("needs an endpoint"), std::string::npos);
  StoreLocation hostile = At("http://a.b");
  hostile.region = "evil.com/#";
  EXPECT_NE(Refusal(hostile, "media").find("no region name"), std::string::npos);
}

TEST(Endpoint, SignsForUsEast1WhereNoRegionIsConfigured) {
  EXPECT_EQ(SigningRegion(At("http://a.b")), "us-east-1");
  EXPECT_EQ(SigningRegion(Aws("cn-north-1")), "cn-north-1");
  EXPECT_EQ(ResolveService(Aws("cn-north-1")).host_header, "s3.cn-north-1.amazonaws.com.cn");
}

}  // namespace
}  // namespace ferry
