// check, explain and verify where no store answers.
#include <gtest/gtest.h>

#include <filesystem>

#include "batch/app/commands.h"
#include "batch/base/error.h"
#include "tests/support/test_database.h"

namespace ferry {
namespace {

class CheckCommandTest : public testing::Test {
 protected:
  CheckCommandTest() {
    config_.state_dir = dir_.path() + "/state";
    for (const char* name : {"src", "dst"}) {
      StoreConfig store;
      store.name = name;
      store.region = "us-east-1";
      store.endpoint = {false, "127.0.0.1", 1};  // nobody listens there
      store.credentials.kind = CredentialsConfig::Kind::kAnonymous;
      config_.stores.push_back(store);
    }
    TaskConfig task;
    task.name = "media";
    task.source = {"src", "in", "p/"};
    task.destination = {"dst", "out", ""};
    config_.tasks.push_back(task);
  }

  std::string Run(int (*command)(const CommandContext&), int expected_code) {
    testing::internal::CaptureStdout();
    const CommandContext context{line_,        config_, {&config_.tasks.front()},
                                 environment_, clock_,  stop_.get_token()};
    EXPECT_EQ(command(context), expected_code);
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
  }

  test::TemporaryDir dir_;
  Config config_;
  CommandLine line_;
  ProcessEnvironment environment_;
  SystemClock clock_;
  std::stop_source stop_;
};

TEST_F(CheckCommandTest, AnEndpointThatIsDownIsOneLineForEachSide) {
  const std::string shown = Run(Check, kExitFailed);
  EXPECT_NE(shown.find("FAIL  media: source connection: http://127.0.0.1:1 of store src: "),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find("FAIL  media: destination connection: "), std::string::npos) << shown;
  EXPECT_EQ(shown.find("list"), std::string::npos) << shown;
}

TEST_F(CheckCommandTest, CheckCreatesNoDatabase) {
  EXPECT_NE(Run(Check, kExitFailed).find("ok    host: database embedded: will be created in "),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(config_.state_dir));
}

TEST_F(CheckCommandTest, AStateDirectoryThatCannotBeIsSaid) {
  config_.state_dir = "/proc/version/state";
  EXPECT_NE(Run(Check, kExitFailed).find("FAIL  host: database embedded: /proc/version "),
            std::string::npos);
}

TEST_F(CheckCommandTest, StatusCreatesNoDatabase) {
  EXPECT_EQ(Run(ShowStatus, kExitDone), "media: src:in/p/ -> dst:out/, never ran\n");
  EXPECT_FALSE(std::filesystem::exists(config_.state_dir));
}

TEST_F(CheckCommandTest, AKeyOutsideThePrefixIsExplainedWithoutAskingAnybody) {
  line_.key = "other/a\\x01";
  EXPECT_EQ(Run(Explain, kExitDone),
            "task media\n  decision:    nothing: the key does not begin with the source prefix "
            "p/\n");
}

TEST_F(CheckCommandTest, ABadEscapeIsBadUsage) {
  line_.key = "p/\\q";
  try {
    Run(Explain, kExitDone);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
  }
  testing::internal::GetCapturedStdout();
}

TEST_F(CheckCommandTest, VerifyFailsWhereNothingCanBeListed) {
  config_.transfer.outage_patience = std::chrono::seconds(1);
  EXPECT_EQ(Run(Verify, kExitFailed), "");
}

TEST_F(CheckCommandTest, AStopEndsVerifyAtOnce) {
  stop_.request_stop();
  EXPECT_EQ(Run(Verify, kExitStopped), "");
}

}  // namespace
}  // namespace ferry
