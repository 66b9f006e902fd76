#include "batch/base/key.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "batch/base/digest.h"
#include "batch/base/error.h"

namespace ferry {
namespace {

TEST(Key, IsOrderedAsUnsignedBytes) {
  const std::vector<Key> keys = {Key(""),
                                 Key(std::string("\0", 1)),
                                 Key("Z"),
                                 Key("a"),
                                 Key("a!"),
                                 Key("a/"),
                                 Key("a0"),
                                 Key("\xC3\xA9"),
                                 Key("\xEF\xBF\xBD"),
                                 Key("\xF0\x9F\x98\x80"),
                                 Key("\xFF")};
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST(Escape, ShowsTextAsItIsAndBytesAsHex) {
  const std::pair<std::string, const char*> cases[] = {
      {"plain/key 1.txt", "plain/key 1.txt"},
      {"gr\xC3\xBCn \xF0\x9F\x98\x80", "gr\xC3\xBCn \xF0\x9F\x98\x80"},
      {"a\\b", "a\\\\b"},
      {std::string("\0", 1), "\\x00"},
      {"a\nb\t\x7F", "a\\x0ab\\x09\\x7f"},
      {"\xFF\xFE", "\\xff\\xfe"},
      {"\xC3", "\\xc3"},                             // cut
      {"\xC0\xAF", "\\xc0\\xaf"},                    // overlong
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xC2\x9B", "\\xc2\\x9b"},                    // CSI: a terminal would obey it
      {"\xC2\xA0", "\xC2\xA0"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(EscapeBytes(bytes), text);
}

TEST(Escape, ComesBackWholeForEveryOneAndTwoByteKey) {
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    ASSERT_EQ(UnescapeKey(EscapeBytes(one)).bytes(), one);
    for (int second = 0; second < 256; ++second) {
      const std::string two = one + static_cast<char>(second);
      ASSERT_EQ(UnescapeKey(EscapeBytes(two)).bytes(), two);
      ASSERT_TRUE(IsUtf8(EscapeBytes(two)));
    }
  }
}

TEST(UnescapeKey, RefusesABackslashThatIsNoEscape) {
  for (const char* text : {"\\", "a\\", "\\x", "\\x4", "\\xg0", "\\n", "\\X41", "\\x4\\x41"}) {
    EXPECT_THROW(UnescapeKey(text), Error) << text;
  }
  EXPECT_EQ(UnescapeKey("\\x4Aa\\\\x41").bytes(), "Ja\\x41");
}

TEST(IsUtf8, TakesWellFormedTextOnly) {
  for (const char* good : {"", "a", "\xC2\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC1\x81", "\xE0\x80\x80", "\xED\xBF\xBF", "\xF5\x80\x80\x80",
                          "a\xE2\x82", "\xF0\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(bad)) << ToHex(bad);
  }
}

TEST(Hex, GoesThereAndBackAndRefusesTheRest) {
  EXPECT_EQ(ToHex(std::string("\x00\xFF\x1a", 3)), "00ff1a");
  EXPECT_EQ(FromHex("00FF1a"), std::string("\x00\xFF\x1a", 3));
  EXPECT_EQ(FromHex(""), "");
  for (const char* bad : {"0", "0g", "zz", "000", "0 "}) EXPECT_THROW(FromHex(bad), Error) << bad;
}

TEST(ToBase64, PadsAndBreaksNoLines) {
  EXPECT_EQ(ToBase64(""), "");
  EXPECT_EQ(ToBase64("f"), "Zg==");
  EXPECT_EQ(ToBase64("fo"), "Zm8=");
  EXPECT_EQ(ToBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(ToBase64("\xFF\xEF"), "/+8=");
  EXPECT_EQ(ToBase64(std::string(300, 'x')).find('\n'), std::string::npos);
}

TEST(Md5, IsThatOfRfc1321HoweverTheBytesCome) {
  EXPECT_EQ(ToHex(Md5::Of("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(ToHex(Md5::Of("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
  Md5 pieces;
  for (const char* piece : {"mess", "", "age", " digest"}) pieces.Update(piece);
  Md5 moved = std::move(pieces);
  EXPECT_EQ(moved.Finish(), Md5::Of("message digest"));
}

}  // namespace
}  // namespace ferry
