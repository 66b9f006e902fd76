#include "batch/provider/key_refusal.h"

#include <gtest/gtest.h>

#include <string>

namespace ferry {
namespace {

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

TEST(KeyRefusal, KnowsWhatEachProviderIsCertainToRefuse) {
  const auto refused = [](std::string_view provider, const std::string& key) {
    return KeyRefusal(FindProvider(provider), Key(key)).has_value();
  };
  EXPECT_TRUE(refused("oss", "/a"));
  EXPECT_TRUE(refused("oss", "\\a"));
  EXPECT_TRUE(refused("oss", std::string(1024, 'k')));
  EXPECT_FALSE(refused("oss", "a//b/../c\r"));
  EXPECT_TRUE(refused("cos", std::string(851, 'k')));
  EXPECT_FALSE(refused("cos", "/a"));
  EXPECT_TRUE(refused("kodo", std::string(751, 'k')));
  for (const char* key : {".", "..", "a\nb", "a\r", ".well-known/acme-challenge/x", "\xFF"}) {
    EXPECT_TRUE(refused("gcs", key)) << key;
  }
  EXPECT_FALSE(refused("gcs", "a/../b"));
  EXPECT_TRUE(refused("r2", "\xFF"));
}

}  // namespace
}  // namespace ferry
