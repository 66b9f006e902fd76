#include "batch/plan/object.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TEST(KindOfEtag, TellsDigestsFromWhatOnlyLooksLikeOne) {
  const std::string md5 = "d41d8cd98f00b204e9800998ecf8427e";
  const std::pair<std::string, EtagKind> cases[] = {
      {md5, EtagKind::kMd5},
      {"D41D8CD98F00B204E9800998ECF8427E", EtagKind::kMd5},
      {md5 + "-1", EtagKind::kComposite},
      {md5 + "-10000", EtagKind::kComposite},
      {md5 + "-", EtagKind::kOpaque},
      {md5 + "-100000", EtagKind::kOpaque},  // no upload has so many parts
      {md5 + "-1a", EtagKind::kOpaque},
      {md5 + "1", EtagKind::kOpaque},
      {md5 + "a-1", EtagKind::kOpaque},
      {md5.substr(1), EtagKind::kOpaque},
      {"x" + md5.substr(1), EtagKind::kOpaque},
      {"", EtagKind::kOpaque},
      {"lqVv8EJ1NVtRZmaYWUSwYYLmQNH6", EtagKind::kOpaque},
  };
  for (const auto& [etag, kind] : cases) EXPECT_EQ(KindOfEtag(etag), kind) << etag;
}

TEST(IsArchiveClass, IsTrueOnlyOfWhatMustBeRestored) {
  for (const char* one : {"GLACIER", "DEEP_ARCHIVE"}) EXPECT_TRUE(IsArchiveClass(one)) << one;
  for (const char* one : {"", "STANDARD", "GLACIER_IR", "STANDARD_IA", "INTELLIGENT_TIERING",
                          "glacier", "ONEZONE_IA"}) {
    EXPECT_FALSE(IsArchiveClass(one)) << one;
  }
}

TEST(SourceIdentity, IsTheSameByEtagSizeVersionAndWholeSeconds) {
  const SourceIdentity one{"e", 5, 1'700'000'000'123, "v"};
  SourceIdentity other = one;
  other.modified_ms = 1'700'000'000'000;
  EXPECT_TRUE(one.SameAs(other));  // HEAD says whole seconds
  other.modified_ms = 1'700'000'001'000;
  EXPECT_FALSE(one.SameAs(other));
  EXPECT_FALSE(one.SameAs({"f", 5, one.modified_ms, "v"}));
  EXPECT_FALSE(one.SameAs({"e", 6, one.modified_ms, "v"}));
  EXPECT_FALSE(one.SameAs({"e", 5, one.modified_ms, "w"}));
  EXPECT_TRUE(one.SameAs({"e", 5, one.modified_ms, ""}));  // not known: tells nothing
}

TEST(PartsOfEtag, IsTheNumberBehindACompositeOne) {
  const std::string md5(32, 'a');
  EXPECT_EQ(PartsOfEtag(md5 + "-1"), 1U);
  EXPECT_EQ(PartsOfEtag(md5 + "-10000"), 10'000U);
  for (const std::string& none : {md5, md5 + "-", md5 + "-x", md5 + "-123456", std::string()}) {
    EXPECT_EQ(PartsOfEtag(none), 0U) << none;
  }
}

TEST(SourceIdentity, CountsSecondsBefore1970Downwards) {
  const SourceIdentity before{"e", 1, -1, ""};
  EXPECT_TRUE(before.SameAs({"e", 1, -1000, ""}));
  EXPECT_FALSE(before.SameAs({"e", 1, 0, ""}));
}

}  // namespace
}  // namespace ferry
