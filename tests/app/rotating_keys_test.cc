// A copy in parts that outlives the keys it was begun with: those of its destination are good for
// some seconds, and come from a container's endpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "batch/app/stores.h"
#include "batch/base/digest.h"
#include "batch/copy/object_copy.h"
#include "tests/config/config_file.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using test::HttpText;
using test::ScriptedHttpServer;
using test::SeenRequest;

class RotatingKeysTest : public testing::Test {
 protected:
  static constexpr std::size_t kPart = 1000;

  RotatingKeysTest() {
    environment_.values["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent_.url() + "/keys";
    for (const auto& [name, url] : {std::pair("far", far_.url()), std::pair("near", near_.url())}) {
      StoreConfig store;
      store.name = name;
      store.region = "us-east-1";
      store.endpoint = ParseEndpoint(url);
      store.credentials.kind = std::string(name) == "far" ? CredentialsConfig::Kind::kAnonymous
                                                          : CredentialsConfig::Kind::kPlatform;
      config_.stores.push_back(store);
    }
    TaskConfig task;
    task.name = "media";
    task.source = {"far", "src", ""};
    task.destination = {"near", "dst", ""};
    config_.tasks.push_back(task);
    stores_.emplace(config_, environment_, runner_.clock());
    ends_ = stores_->Make(runner_.loop(), "media");
  }
  ~RotatingKeysTest() override { runner_.Stop(); }

  // The keys that the agent gives from now on; they end in a minute.
  void AgentHas(const std::string& id) {
    const auto end = std::chrono::floor<std::chrono::seconds>(runner_.clock().WallNow()) +
                     std::chrono::minutes(1);
    char text[32];
    const std::time_t seconds = std::chrono::system_clock::to_time_t(end);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&seconds));
    agent_.AnswerAlways({.bytes = HttpText(200, {},
                                           R"({"AccessKeyId":")" + id +
                                               R"(","SecretAccessKey":"s","Token":"t",)"
                                               R"("Expiration":")" +
                                               text + "\"}")});
  }
  std::string Bytes(std::uint32_t number) const {
    return std::string(kPart, static_cast<char>('a' + number));
  }
  void AnswerOfSource(std::uint32_t number) {
    const std::size_t begin = (number - 1) * kPart;
    far_.Answer({.bytes = HttpText(206,
                                   {{"ETag", "\"whole\""},
                                    {"Content-Range", "bytes " + std::to_string(begin) + "-" +
                                                          std::to_string(begin + kPart - 1) + "/" +
                                                          std::to_string(2 * kPart)}},
                                   Bytes(number))});
  }
  void AnswerOfDestination(std::uint32_t number) {
    near_.Answer({.bytes = HttpText(200, {{"ETag", "\"" + ToHex(Md5::Of(Bytes(number))) + "\""}})});
  }
  // "none", or what the copy of a part ended with.
  std::string CopyOne(std::uint32_t number) {
    const ObjectToCopy object{Key("k"), Key("k"), {"whole", 2 * kPart, 0, ""}};
    const PartToCopy part{"upload-1", {number, (number - 1) * kPart, kPart}};
    Traffic traffic;
    return test::KindOf([&] {
      runner_.Await([&] { return CopyPart(ends_->ends(), object, part, 1 << 20, traffic); });
    });
  }
  static std::string KeyOf(const SeenRequest& request) {
    const std::string line = request.Header("authorization");
    const std::size_t at = line.find("Credential=") + 11;
    return line.substr(at, line.find('/', at) - at);
  }

  ScriptedHttpServer far_, near_, agent_;
  test::MapEnvironment environment_;
  test::LoopRunner runner_;
  Config config_;
  std::optional<Stores> stores_;
  std::unique_ptr<TaskEnds> ends_;
};

TEST_F(RotatingKeysTest, AnUploadGoesOnWithOtherKeysWhenItsOwnHaveEnded) {
  AgentHas("OLD");
  AnswerOfSource(1);
  AnswerOfDestination(1);
  ASSERT_EQ(CopyOne(1), "none");
  const SeenRequest first = near_.Take();
  EXPECT_EQ(KeyOf(first), "OLD");

  // The store does not take them any more: the part is to be tried again, and nothing is over.
  AgentHas("NEW");
  near_.Answer({.bytes = HttpText(400, {}, "<Error><Code>ExpiredToken</Code></Error>")});
  AnswerOfSource(2);
  EXPECT_EQ(CopyOne(2), "unavailable");
  EXPECT_EQ(KeyOf(near_.Take()), "OLD");

  ExplainedCredentials& keys = stores_->CredentialsOf(config_.Store("near"));
  SystemClock real;
  const SteadyTime patience = real.SteadyNow() + std::chrono::seconds(10);
  while (keys.Get()->access_key_id != "NEW" && real.SteadyNow() < patience) {
    std::this_thread::yield();
  }
  AnswerOfSource(2);
  AnswerOfDestination(2);
  EXPECT_EQ(CopyOne(2), "none");
  const SeenRequest second = near_.Take();
  EXPECT_EQ(KeyOf(second), "NEW");
  EXPECT_EQ(second.Header("x-amz-security-token"), "t");
  EXPECT_THAT(first.target, testing::HasSubstr("uploadId=upload-1"));
  EXPECT_THAT(second.target, testing::HasSubstr("uploadId=upload-1"));  // the same upload
  EXPECT_EQ(agent_.seen(), 2U);
}

}  // namespace
}  // namespace ferry
