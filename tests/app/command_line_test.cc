// What the command line is answered where it cannot be.
#include "batch/app/command_line.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

// What is said of bad usage; empty: it was understood.
std::string Refusal(std::vector<const char*> words) {
  words.insert(words.begin(), "bucketferry");
  testing::internal::CaptureStderr();
  const Parsed parsed = ParseCommandLine(static_cast<int>(words.size()), words.data());
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(parsed.exit_code.value_or(0), said.empty() ? 0 : 2);
  return said;
}

TEST(CommandLine, BadUsageIsAnsweredInOneLineWithOurName) {
  EXPECT_EQ(Refusal({"runn"}),
            "bucketferry: there is no command \"runn\" (see bucketferry --help)\n");
  for (const std::vector<const char*>& words : {std::vector<const char*>{},
                                                {"run", "--dryrun"},
                                                {"explain"},
                                                {"jobs", "--run", "abc"},
                                                {"status", "--runs", "0"},
                                                {"run", "--for", "soon"}}) {
    const std::string said = Refusal(words);
    EXPECT_EQ(said.find("bucketferry: "), 0U) << said;
    EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
  }
}

TEST(CommandLine, CommandsAreUnderstood) {
  EXPECT_EQ(Refusal({"run", "--for", "14m"}), "");
  EXPECT_EQ(Refusal({"estimate", "--json", "--task", "media"}), "");
}

}  // namespace
}  // namespace ferry
