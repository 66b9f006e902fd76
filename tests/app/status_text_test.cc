#include "batch/app/status_text.h"

#include <gtest/gtest.h>

#include "batch/app/json_key.h"

namespace ferry {
namespace {

TEST(StatusText, NumbersArePutForPeople) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(3.0 * 1024 * 1024 * 1024 * 1024), "3.0 TiB");
  EXPECT_EQ(HumanTime(1.25), "1.2s");
  EXPECT_EQ(HumanTime(125), "2m05s");
  EXPECT_EQ(HumanTime(7260), "2h01m");
  EXPECT_EQ(HumanMoment("2026-03-01T12:00:05.123Z"), "2026-03-01 12:00:05Z");
  EXPECT_EQ(HumanMoment(1'772'366'405'999), "2026-03-01 12:00:05Z");
}

TEST(StatusText, AStoresMessageCannotSteerTheTerminal) {
  EXPECT_EQ(OneLine("two\nlines \x1b[31m and a\\x00key"), "two\\x0alines \\x1b[31m and a\\x00key");
}

TEST(StatusText, ColumnsAlign) {
  const std::vector<std::string> lines =
      AlignedTable({{"run", "state", "done", "error"}, {"7", "complete", "1000", ""}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "run  state     done  error");
  EXPECT_EQ(lines[1], "7    complete  1000");
}

TEST(JsonKey, AKeyIsTextOnlyWhenItIsUtf8) {
  Json text, bytes;
  AddKey(text, Key("日本"));
  AddKey(bytes, Key("\xff\x01"));
  EXPECT_EQ(ToLine(text), R"({"key":"日本"})");
  EXPECT_EQ(ToLine(bytes), R"({"key_base64":"/wE="})");
}

TEST(JsonKey, NoControlCharacterIsInALine) {
  Json json;
  AddKey(json, Key(std::string("a\0\n\x7f\xc2\x85z", 7)));
  const std::string line = ToLine(json);
  EXPECT_EQ(line, R"({"key":"a\u0000\n\u007f\u0085z"})");
  EXPECT_EQ(Json::parse(line)["key"], std::string("a\0\n\x7f\xc2\x85z", 7));
}

TEST(JsonKey, AnEtagThatIsNoTextDoesNotEndTheProgram) {
  Json json;
  json["etag"] = "\xff";
  EXPECT_EQ(ToLine(json), "{\"etag\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace ferry
