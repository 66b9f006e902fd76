#include "batch/plan/key_filter.h"

#include <gtest/gtest.h>

#include "batch/base/error.h"

namespace ferry {
namespace {

TEST(KeyFilter, IncludesFirstThenExcludes) {
  const KeyFilter filter({"*.jpg", "raw/**"}, {"**/draft/**", "thumb.jpg"});
  EXPECT_TRUE(filter.Matches("a/b.jpg"));
  EXPECT_TRUE(filter.Matches("raw/x.bin"));
  EXPECT_FALSE(filter.Matches("x.bin"));
  EXPECT_FALSE(filter.Matches("a/draft/b.jpg"));
  EXPECT_FALSE(filter.Matches("a/thumb.jpg"));
  EXPECT_FALSE(filter.Matches("raw/thumb.jpg"));
}

TEST(KeyFilter, WithoutPatternsTakesEveryKey) {
  const KeyFilter filter({}, {});
  for (const char* rest : {"", "a", "dir/", "a//b", "../x", "\x01", "\xFF"}) {
    EXPECT_TRUE(filter.Matches(rest)) << rest;
    EXPECT_EQ(filter.WhyExcluded(rest), std::nullopt) << rest;
  }
}

TEST(KeyFilter, TheExampleOfTheConfigurationLeavesOutWhatItNames) {
  const KeyFilter filter({"**"}, {"*.tmp", "**/readme.md"});
  EXPECT_FALSE(filter.Matches("a/b.tmp"));
  EXPECT_FALSE(filter.Matches("readme.md"));
  EXPECT_FALSE(filter.Matches("a/readme.md"));
  EXPECT_TRUE(filter.Matches("a/README.md"));
  EXPECT_TRUE(filter.Matches("dir/"));
}

TEST(KeyFilter, SaysWhyAKeyIsLeftOut) {
  const KeyFilter filter({"in/**"}, {"*.tmp", "in/a\\\\b", "name"});
  EXPECT_EQ(filter.WhyExcluded("x"), "no include pattern matches");
  EXPECT_EQ(filter.WhyExcluded("in/a.tmp"), "excluded by the pattern *.tmp");
  EXPECT_EQ(filter.WhyExcluded("in/a\\b"), "excluded by the pattern in/a\\\\\\\\b");
  EXPECT_EQ(filter.WhyExcluded("in/deep/name"), "excluded by the pattern name");
  EXPECT_EQ(filter.WhyExcluded("in/a"), std::nullopt);
}

TEST(KeyFilter, LooksLongListsOfNamesUp) {
  std::vector<std::string> names;
  for (int i = 0; i < 100'000; ++i) names.push_back("dir/" + std::to_string(i));
  const KeyFilter filter({}, names);
  for (int i = 0; i < 100'000; ++i) EXPECT_FALSE(filter.Matches("dir/" + std::to_string(i)));
  EXPECT_TRUE(filter.Matches("dir/100000"));
}

TEST(KeyFilter, MayBeMovedAndCopied) {
  KeyFilter filter({"a*"}, {"ab"});
  const KeyFilter copy = filter;
  const KeyFilter moved = std::move(filter);
  EXPECT_TRUE(copy.Matches("ac"));
  EXPECT_FALSE(moved.Matches("ab"));
}

TEST(KeyFilter, RefusesWhatGlobRefuses) {
  EXPECT_THROW(KeyFilter({""}, {}), Error);
  EXPECT_THROW(KeyFilter({}, {"a\\"}), Error);
}

}  // namespace
}  // namespace ferry
