// check, explain and verify where no store answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "batch/app/commands.h"
#include "batch/base/error.h"
#include "tests/config/config_file.h"
#include "tests/support/scripted_http_server.h"
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
  test::MapEnvironment environment_;
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

// A source that answers, and whose keys are the platform's.
class CheckKeysTest : public CheckCommandTest {
 protected:
  CheckKeysTest() {
    config_.stores[0].endpoint = ParseEndpoint(store_.url());
    config_.stores[0].credentials = {};
    environment_.values["AWS_EC2_METADATA_DISABLED"] = "true";
    store_.Answer({.bytes = test::HttpText(403)});  // to a request without keys
    store_.AnswerAlways({.bytes = test::HttpText(200, {},
                                                 "<ListBucketResult><IsTruncated>false"
                                                 "</IsTruncated></ListBucketResult>")});
  }
  // The lines about keys and credentials of the source.
  std::string Lines() {
    std::istringstream shown(Run(Check, kExitFailed));
    std::string lines;
    for (std::string line; std::getline(shown, line);) {
      if (line.find("source keys") != std::string::npos ||
          line.find("source credentials") != std::string::npos) {
        lines += line + "\n";
      }
    }
    return lines;
  }

  test::ScriptedHttpServer store_, agent_;
};

TEST_F(CheckKeysTest, WhereKeysComeFromAndWhenTheyEndIsALine) {
  environment_.values["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent_.url() + "/keys";
  agent_.Answer({.bytes = test::HttpText(200, {},
                                         R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"t",)"
                                         R"("Expiration":"2126-01-02T03:04:05Z"})")});
  EXPECT_EQ(
      Lines(),
      "note  media: source keys: none of environment: AWS_ACCESS_KEY_ID and "
      "AWS_SECRET_ACCESS_KEY are not set\n"
      "note  media: source keys: none of web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set\n"
      "ok    media: source keys: of container endpoint, until 2126-01-02 03:04:05Z\n"
      "ok    media: source credentials: accepted\n");
}

TEST_F(CheckKeysTest, WhereThereAreNoneEachSourceSaysWhyInOrder) {
  environment_.values["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent_.url() + "/keys";
  agent_.AnswerAlways({.bytes = test::HttpText(401, {}, "no token")});
  const std::string lines = Lines();
  const std::size_t environment = lines.find("note  media: source keys: none of environment: ");
  const std::size_t identity = lines.find("note  media: source keys: none of web identity: ");
  const std::size_t failure = lines.find("FAIL  media: source keys: store src: no credentials: ");
  EXPECT_LT(environment, identity) << lines;
  EXPECT_LT(identity, failure) << lines;
  EXPECT_NE(failure, std::string::npos) << lines;
  EXPECT_NE(lines.find("HTTP 401: no token"), std::string::npos) << lines;
  EXPECT_EQ(store_.seen(), 1U);
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
