#include "batch/plan/glob.h"

#include <gtest/gtest.h>

#include <random>

#include "batch/base/error.h"

namespace ferry {
namespace {

using std::string_literals::operator""s;

TEST(Glob, MatchesWhatItsHeaderSays) {
  const struct {
    std::string pattern;
    std::string rest;
    bool matches;
  } cases[] = {
      // without '/': the last segment, at any depth
      {"*.tmp", "a.tmp", true},
      {"*.tmp", "a/b/c.tmp", true},
      {"*.tmp", ".tmp", true},
      {"*.tmp", "a.tmp/b", false},
      {"*.tmp", "a.tmpx", false},
      {"readme.md", "readme.md", true},
      {"readme.md", "x/readme.md", true},
      {"readme.md", "xreadme.md", false},
      {"readme.md", "readme.md/", false},
      {"a*", "b/abc", true},
      {"a*", "abc/b", false},
      {"a**c", "x/abc", true},
      {"a**c", "a/c", false},
      {"a*b*c", "abbc", true},
      {"a*b*c", "axbxc", true},
      {"a*b*c", "acb", false},
      {"a*a", "a", false},
      {"a*a", "aa", true},
      // with '/': the whole rest
      {"a/*.jpg", "a/b.jpg", true},
      {"a/*.jpg", "a/b/c.jpg", false},
      {"a/*.jpg", "x/a/b.jpg", false},
      {"*/b", "a/b", true},
      {"*/b", "/b", true},
      {"*/b", "a/a/b", false},
      {"*/*", "a", false},
      {"*/*", "a/", true},
      // ** crosses segments
      {"**", "", true},
      {"**", "a", true},
      {"**", "a/b/", true},
      {"***", "a/b", true},
      {"a/**", "a/", true},
      {"a/**", "a/b", true},
      {"a/**", "a/b/c/", true},
      {"a/**", "a", false},
      {"a/**", "ab/c", false},
      {"a/b**c", "a/b/x/c", true},
      {"a/b**c", "a/bc", true},
      {"a/b**c", "a/b/x/d", false},
      {"x**/y", "xa/b/y", true},
      {"x**/y", "xy", false},
      {"**/x", "x", true},
      {"**/x", "a/x", true},
      {"**/x", "a/b/x", true},
      {"**/x", "a//x", true},
      {"**/x", "/x", true},
      {"**/x", "ax", false},
      {"**/x", "a/bx", false},
      {"**/x", "x/", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/xb", false},
      {"a/**/b", "ab", false},
      {"a/**/**/b", "a/b", true},
      {"**/a/**", "a/", true},
      {"**/a/**", "x/a/y/z", true},
      {"**/a/**", "x/ab/y", false},
      {"**/*.md", "x/y.md", true},
      {"**/", "", true},
      {"**/", "a/b/", true},
      {"**/", "a/b", false},
      {"**/?/**/z", "a/b/c/z", true},
      // the last segment of "dir/" is empty
      {"*", "dir/", true},
      {"*", "", true},
      {"*", "a/b", true},
      {"?", "dir/", false},
      {"dir", "dir/", false},
      {"dir/", "dir/", true},
      {"dir/", "dir/a", false},
      {"dir/*", "dir/", true},
      // keys are not paths
      {"a//b", "a//b", true},
      {"a/b", "a//b", false},
      {"a/*/b", "a//b", true},
      {"**/../x", "a/../x", true},
      {"../x", "../x", true},
      {"a/./b", "a/./b", true},
      {"/x", "/x", true},
      {"/x", "x", false},
      {"/*", "/x", true},
      // ? is one character
      {"?", "a", true},
      {"?", "", false},
      {"?", "ab", false},
      {"?", "\xE6\x97\xA5", true},  // 日
      {"??", "\xE6\x97\xA5", false},
      {"*??", "\xE6\x97\xA5", false},
      {"*?*?", "\xE6\x97\xA5\xE6\x9C\xAC", true},
      {"?", "\xF0\x9F\x98\x80", true},
      {"?", "\xFF", true},
      {"??", "\xC3(", true},
      {"?", "\xED\xA0\x80", false},  // a surrogate is no character but three bytes
      {"???", "\xED\xA0\x80", true},
      {"a/?/b", "a///b", false},
      {"*\xC3", "a\xC3", true},
      // nothing else is special
      {"[ab]", "a", false},
      {"[ab]", "[ab]", true},
      {"{a,b}", "{a,b}", true},
      {"!a", "!a", true},
      {"A", "a", false},
      {"+ %25 & ?", "+ %25 & \xE6\x97\xA5", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\?x*", "?xyz", true},
      {"\\\\", "\\", true},
      {"\\#a", "#a", true},
      {"a\\/b", "a/b", true},
      {"a\\/b", "x/a/b", false},
      {"*\0b"s, "a\0b"s, true},
      {"a\n*", "a\nb", true},
      {"*", "\x01\x7F", true},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Glob(c.pattern).Matches(c.rest), c.matches) << c.pattern << " on " << c.rest;
  }
}

TEST(Glob, RefusesPatternsThatCanMatchNothing) {
  for (const std::string& pattern : {""s, "a\\"s, "\\"s, std::string(1025, 'a')}) {
    try {
      Glob glob(pattern);
      ADD_FAILURE() << "accepted " << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    }
  }
  EXPECT_TRUE(Glob(std::string(1024, 'a')).Matches(std::string(1024, 'a')));
  EXPECT_TRUE(Glob(std::string(1023, '?') + "*").Matches(std::string(1023, 'a')));
}

TEST(Glob, EndsSoonOnPatternsThatMakeABacktrackingMatcherRunForEver) {
  const std::string key(1024, 'a');
  std::string segments;
  for (int i = 0; i < 512; ++i) segments += "a/";
  std::string many_stars;
  for (int i = 0; i < 511; ++i) many_stars += "*a";
  std::string many_any;
  for (int i = 0; i < 340; ++i) many_any += "**a";
  std::string many_segments = "b";
  for (int i = 0; i < 255; ++i) many_segments += "/**";
  EXPECT_FALSE(Glob("*a*a*a*a*b").Matches(key));
  EXPECT_FALSE(Glob(many_stars + "*b").Matches(key));
  EXPECT_TRUE(Glob(many_stars).Matches(key));
  EXPECT_FALSE(Glob(many_any + "**b").Matches(key));
  EXPECT_FALSE(Glob("**/a/**/a/**/a/**/a/**/a/**/b/**/").Matches(segments));
  EXPECT_FALSE(Glob(many_segments + "/x").Matches("b/" + segments));
}

// The definition, word for word and as slow as it likes.
bool Slow(std::string_view pattern, std::string_view text, bool begins) {
  if (pattern.empty()) return text.empty();
  if (pattern.starts_with("**/") && begins) {
    if (Slow(pattern.substr(3), text, true)) return true;
    const std::size_t slash = text.find('/');
    return slash != std::string_view::npos && Slow(pattern, text.substr(slash + 1), true);
  }
  if (pattern.starts_with("**")) {
    return Slow(pattern.substr(2), text, false) ||
           (!text.empty() && Slow("**" + std::string(pattern.substr(2)), text.substr(1), false));
  }
  if (pattern[0] == '*') {
    return Slow(pattern.substr(1), text, false) ||
           (!text.empty() && text[0] != '/' && Slow(pattern, text.substr(1), false));
  }
  if (text.empty()) return false;
  const bool same = pattern[0] == '?' ? text[0] != '/' : pattern[0] == text[0];
  return same && Slow(pattern.substr(1), text.substr(1), pattern[0] == '/');
}

std::string Draw(std::mt19937& random, const std::string& from, std::size_t most) {
  std::string text;
  for (std::size_t left = random() % (most + 1); left > 0; --left) {
    text += from[random() % from.size()];
  }
  return text;
}

TEST(Glob, AgreesWithItsDefinitionOnRandomPatterns) {
  std::mt19937 random(7);
  for (int round = 0; round < 30'000; ++round) {
    std::string pattern = Draw(random, "a**?//b", 8);
    while (pattern.find("***") != std::string::npos) pattern.erase(pattern.find("***"), 1);
    if (pattern.empty()) continue;
    const std::string rest = Draw(random, "aab/", 9);
    const bool whole = pattern.find('/') != std::string::npos;
    EXPECT_EQ(Glob(pattern).Matches(rest), Slow(pattern, whole ? rest : LastSegment(rest), true))
        << pattern << " on " << rest;
  }
}

}  // namespace
}  // namespace ferry
