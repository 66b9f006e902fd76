#include "batch/base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ferry {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { log::Configure(log::Format::kText, log::Level::kInfo); }

  template <typename Body>
  std::string Written(log::Format format, log::Level level, Body body) {
    log::Configure(format, level);
    testing::internal::CaptureStderr();
    body();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, TextLinesAreForPeople) {
  const std::string line = Written(log::Format::kText, log::Level::kInfo, [] {
    log::Info("run begins",
              {{"task", "media"}, {"run", 7}, {"key", Key("a b\n\xFF")}, {"empty", ""}});
  });
  EXPECT_TRUE(
      line.ends_with("Z info  run begins task=media run=7 key=\"a b\\x0a\\xff\" empty=\"\"\n"))
      << line;
}

TEST_F(LogTest, JsonLinesAreJsonWhateverTheValue) {
  const std::string lines = Written(log::Format::kJson, log::Level::kInfo, [] {
    log::Warn("a \"quoted\" \\ message\n", {{"key", Key("\"\\\x01\xFF\n")}, {"n", -3}, {"d", 0.5}});
  });
  const auto line = nlohmann::json::parse(lines);
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["n"], -3);
  EXPECT_EQ(line["d"], 0.5);
  EXPECT_EQ(line["key"], "\"\\\\\\x01\\xff\\x0a");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
}

TEST_F(LogTest, OneMessageIsOneLine) {
  for (const log::Format format : {log::Format::kText, log::Format::kJson}) {
    const std::string lines = Written(format, log::Level::kInfo, [] {
      log::Error("two\nlines", {{"error", "and\r\nmore\x1b[31m"}});
    });
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
    EXPECT_EQ(lines.find('\x1b'), std::string::npos);
  }
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  const std::string lines = Written(log::Format::kText, log::Level::kWarn, [] {
    log::Debug("debug");
    log::Info("info");
    log::Warn("warn");
    log::Error("error");
  });
  EXPECT_EQ(lines.find("info"), std::string::npos);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_FALSE(log::Enabled(log::Level::kInfo));
}

}  // namespace
}  // namespace ferry
