#include "exporter/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "batch/base/error.h"

namespace ferry::exporter {
namespace {

class FakeEnvironment final : public Environment {
 public:
  explicit FakeEnvironment(std::map<std::string, std::string> values = {})
      : values_(std::move(values)) {}
  std::optional<std::string> Get(const std::string& name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const std::map<std::string, std::string> values_;
};

std::optional<ExporterOptions> Parse(std::vector<const char*> arguments,
                                     const FakeEnvironment& environment = FakeEnvironment()) {
  arguments.insert(arguments.begin(), "bucketferry-exporter");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data(), environment);
}

TEST(ExporterOptions, HaveDefaults) {
  const auto options = Parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->config, "bucketferry.yaml");
  EXPECT_EQ(options->listen, "0.0.0.0:9847");
  EXPECT_EQ(options->log_format, log::Format::kText);
  EXPECT_TRUE(options->status_token.empty());
}

TEST(ExporterOptions, TakeTheFileFromTheEnvironmentUnlessItIsGiven) {
  const FakeEnvironment environment(
      {{"BUCKETFERRY_CONFIG", "/etc/b.yaml"}, {"BUCKETFERRY_STATUS_TOKEN", "t"}});
  EXPECT_EQ(Parse({}, environment)->config, "/etc/b.yaml");
  EXPECT_EQ(Parse({"--config", "c.yaml"}, environment)->config, "c.yaml");
  EXPECT_EQ(Parse({}, environment)->status_token.Reveal(), "t");
}

TEST(ExporterOptions, ReadLogSettings) {
  const auto options = Parse({"--log=json", "--log-level", "debug", "--listen", "[::1]:0"});
  EXPECT_EQ(options->log_format, log::Format::kJson);
  EXPECT_EQ(options->log_level, log::Level::kDebug);
  EXPECT_EQ(options->listen, "[::1]:0");
}

TEST(ExporterOptions, LingerOnlyWhereAsked) {
  EXPECT_EQ(Parse({})->linger.count(), 0);
  EXPECT_EQ(Parse({"--linger", "40s"})->linger, std::chrono::seconds(40));
  EXPECT_EQ(Parse({"--linger", "1h"})->linger, std::chrono::hours(1));
}

TEST(ExporterOptions, PrintHelpAndVersion) {
  testing::internal::CaptureStdout();
  EXPECT_FALSE(Parse({"--help"}));
  EXPECT_FALSE(Parse({"--version"}));
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, testing::HasSubstr("--listen"));
  EXPECT_THAT(printed, testing::HasSubstr("bucketferry-exporter 0."));
}

TEST(ExporterOptions, RefuseWhatTheyDoNotKnow) {
  const std::vector<std::vector<const char*>> cases = {{"--colour"},        {"stray"},
                                                       {"--log", "xml"},    {"--log-level", "loud"},
                                                       {"--listen"},        {"--linger", "soon"},
                                                       {"--linger", "61m"}, {"--linger", "-1s"}};
  for (const auto& arguments : cases) {
    try {
      Parse(arguments);
      ADD_FAILURE() << arguments.front() << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace ferry::exporter
