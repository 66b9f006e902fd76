#include "batch/app/status_text.h"

#include <gtest/gtest.h>

#include "batch/app/json_key.h"

namespace ferry {
namespace {

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
