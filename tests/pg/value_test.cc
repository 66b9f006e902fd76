#include "batch/pg/value.h"

#include <gtest/gtest.h>

#include "batch/base/error.h"

namespace ferry::pg {
namespace {

TEST(Value, PlainValuesHaveTheTextPostgresReads) {
  EXPECT_EQ(Encode(-5), "-5");
  EXPECT_EQ(Encode(std::uint64_t{1} << 62), "4611686018427387904");
  EXPECT_EQ(Encode(true), "t");
  EXPECT_EQ(Encode(0.1), "0.1");
  EXPECT_EQ(Encode("text"), "text");
  EXPECT_EQ(Encode(Key(std::string("a\0b", 3))), "\\x610062");
  EXPECT_EQ(Encode(Bytes{"\xff"}), "\\xff");
  EXPECT_EQ(Encode(std::nullopt), std::nullopt);
  EXPECT_EQ(Encode(std::optional<int>()), std::nullopt);
  EXPECT_EQ(Encode(std::optional<int>(3)), "3");
}

TEST(Value, TimesHaveMicroseconds) {
  EXPECT_EQ(Encode(Timestamp{0}), "1970-01-01 00:00:00.000000+00");
  EXPECT_EQ(Encode(Timestamp{1'700'000'000'123'456}), "2023-11-14 22:13:20.123456+00");
  EXPECT_EQ(Encode(Timestamp{-1}), "1969-12-31 23:59:59.999999+00");
}

TEST(Value, ArraysQuoteEveryElement) {
  EXPECT_EQ(Encode(std::vector<int>{}), "{}");
  EXPECT_EQ(Encode(std::vector<std::int64_t>{1, 2}), "{\"1\",\"2\"}");
  EXPECT_EQ(Encode(std::vector<std::optional<std::string>>{"a\"b", std::nullopt, "", "NULL", "\\"}),
            R"({"a\"b",NULL,"","NULL","\\"})");
  EXPECT_EQ(Encode(std::vector<Key>{Key("A")}), R"({"\\x41"})");
  EXPECT_EQ(Encode(std::vector<bool>{true, false}), R"({"t","f"})");
}

TEST(Value, ANulCannotBeText) { EXPECT_THROW(Encode(std::string("a\0b", 3)), Error); }

TEST(Value, CopyFieldsEscapeWhatEndsThem) {
  std::string line;
  AppendCopyField(std::nullopt, &line);
  AppendCopyField("\\N\t\n\r\\.", &line);
  EXPECT_EQ(line, "\\N\\\\N\\t\\n\\r\\\\.");
}

}  // namespace
}  // namespace ferry::pg
