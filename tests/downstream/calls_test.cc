// What each kind of target is sent, and what its answers mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/downstream/call.h"
#include "tests/config/config_file.h"
#include "tests/support/scripted_http_server.h"
#include "tests/support/test_database.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;
using test::HttpText;
using test::ScriptedAnswer;
using test::SeenRequest;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class CallsTest : public testing::Test {
 protected:
  RefreshOutcome Call(const RefreshTarget& target, std::chrono::milliseconds timeout = 10s) {
    return MakeCall(target, environment_, clock_)->Make(occasion_, timeout, stop_.get_token());
  }
  // What it throws, as text.
  std::string Fails(const RefreshTarget& target, std::chrono::milliseconds timeout = 10s) {
    try {
      Call(target, timeout);
    } catch (const Error& error) {
      kind_ = error.kind();
      return error.what();
    }
    return "nothing was thrown";
  }
  void Answer(int status, const std::string& body) {
    server_.Answer(ScriptedAnswer{.bytes = HttpText(status, {}, body)});
  }
  Secret Url(const std::string& path = "") { return Secret(server_.url() + path); }
  EndpointConfig Endpoint() { return ParseEndpoint(server_.url()); }
  static CredentialsConfig Keys() {
    CredentialsConfig credentials;
    credentials.kind = CredentialsConfig::Kind::kStatic;
    credentials.keys = {"AKID", Secret("the-secret"), Secret()};
    return credentials;
  }
  std::string File(const std::string& text) {
    const std::string path = dir_.path() + "/token";
    std::ofstream(path) << text;
    return path;
  }

  static Occasion MakeOccasion() {
    Occasion occasion;
    occasion.event = "refresh";
    occasion.target = "it";
    occasion.run = {.run_id = 9, .task = "media", .kind = "scheduled", .state = "complete"};
    occasion.idempotency_key = "media-9-it-1";
    return occasion;
  }

  test::ScriptedHttpServer server_;
  test::TemporaryDir dir_;
  test::MapEnvironment environment_;
  SystemClock clock_;
  std::stop_source stop_;
  Occasion occasion_ = MakeOccasion();
  ErrorKind kind_ = ErrorKind::kConfig;
};

TEST_F(CallsTest, AWebhookIsPostedTheFactsWithTheTokenOfItsFile) {
  Answer(200, "");
  WebhookTarget target{.url = Url("/in?x=1"), .token_file = File("t0ken\n"), .body = {}};
  EXPECT_EQ(Call({"it", target}), RefreshOutcome::kDone);
  const SeenRequest request = server_.Take();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/in?x=1");
  EXPECT_EQ(request.Header("authorization"), "Bearer t0ken");
  EXPECT_EQ(request.Header("idempotency-key"), "media-9-it-1");
  EXPECT_EQ(Json::parse(request.body)["run"], 9);
}

TEST_F(CallsTest, AWebhookThatAnswers202HasOnlyAccepted) {
  Answer(202, "");
  EXPECT_EQ(Call({"it", WebhookTarget{.url = Url(), .token_file = {}, .body = {}}}),
            RefreshOutcome::kAccepted);
}

TEST_F(CallsTest, AWebhooksRefusalSaysWhatItSaidAndNotWhereItIs) {
  Answer(500, "no\nroom");
  const std::string error =
      Fails({"it", WebhookTarget{.url = Url("/secret-path"), .token_file = {}, .body = {}}});
  EXPECT_EQ(error, "it: HTTP 500: no\\x0aroom");
}

TEST_F(CallsTest, AWebhookThatDoesNotAnswerIsWaitedForNoLongerThanItsTimeout) {
  server_.Answer({.bytes = HttpText(200), .delay = 5s});
  const std::string error =
      Fails({"it", WebhookTarget{.url = Url("/p"), .token_file = {}, .body = {}}}, 300ms);
  EXPECT_EQ(error, "it: no answer within 0.3s");
}

TEST_F(CallsTest, AStopEndsACall) {
  server_.Answer({.bytes = HttpText(200), .delay = 5s});
  stop_.request_stop();
  Fails({"it", WebhookTarget{.url = Url(), .token_file = {}, .body = {}}});
  EXPECT_EQ(kind_, ErrorKind::kStopped);
}

TEST_F(CallsTest, ATokenFileThatHoldsNoneIsToldByItsName) {
  const std::string file = File("two words\n");
  EXPECT_THAT(Fails({"it", WebhookTarget{.url = Url(), .token_file = file, .body = {}}}),
              HasSubstr(file));
}

TEST_F(CallsTest, RcloneReadsTheParentsOfADirectoryAndThenAllOfIt) {
  Answer(200, R"({"result":{"":"OK","pub":"OK"}})");
  Answer(200, R"({"result":{"pub/new":"OK"}})");
  std::string url = server_.url();
  url.insert(7, "ro:p%40ss+w@");
  EXPECT_EQ(Call({"it", RcloneTarget{Secret(url + "/"), "dst:", "/pub/new/"}}),
            RefreshOutcome::kDone);
  const SeenRequest parents = server_.Take(), dir = server_.Take();
  EXPECT_EQ(parents.target, "/vfs/refresh");
  EXPECT_EQ(parents.Header("authorization"), "Basic cm86cEBzcyt3");
  EXPECT_EQ(Json::parse(parents.body), Json::parse(R"({"fs":"dst:","dir":"","dir2":"pub"})"));
  EXPECT_EQ(Json::parse(dir.body),
            Json::parse(R"({"fs":"dst:","dir":"pub/new","recursive":"true"})"));
}

TEST_F(CallsTest, RcloneReadsEverythingWhereNoDirectoryIsNamed) {
  Answer(200, R"({"result":{"":"OK"}})");
  EXPECT_EQ(Call({"it", RcloneTarget{Url(), "", "/"}}), RefreshOutcome::kDone);
  EXPECT_EQ(Json::parse(server_.Take().body), Json::parse(R"({"recursive":"true"})"));
  EXPECT_EQ(server_.seen(), 1U);
}

TEST_F(CallsTest, AnErrorOfRclonesDirectoryIsOneAlthoughItSays200) {
  Answer(200, R"({"result":{"":"directory not found"}})");
  EXPECT_EQ(Fails({"it", RcloneTarget{Url(), "", ""}}), "it: vfs/refresh: directory not found");
}

TEST_F(CallsTest, ADirectoryThatIsNotThereYetIsNotOldEither) {
  Answer(200, R"({"result":{"":"OK"}})");
  Answer(200, R"({"result":{"new":"file does not exist"}})");
  EXPECT_EQ(Call({"it", RcloneTarget{Url(), "", "new"}}), RefreshOutcome::kDone);
}

TEST_F(CallsTest, AnAnswerThatIsNotRclonesIsNoSuccess) {
  Answer(200, "<html>welcome</html>");
  EXPECT_EQ(Fails({"it", RcloneTarget{Url(), "", ""}}),
            "it: vfs/refresh: an answer without a result");
}

StorageGatewayTarget Gateway() {
  return {.file_share = "arn:aws-cn:storagegateway:cn-north-1:1:share/share-1",
          .region = "cn-north-1",
          .endpoint = {},
          .folders = {"/a", "/b"},
          .credentials = {}};
}

TEST_F(CallsTest, AStorageGatewayIsAskedToRefreshItsShareAndHasOnlyAccepted) {
  Answer(200, R"({"FileShareARN":"arn","NotificationId":"n"})");
  StorageGatewayTarget target = Gateway();
  target.endpoint = Endpoint();
  target.credentials = Keys();
  EXPECT_EQ(Call({"it", target}), RefreshOutcome::kAccepted);
  const SeenRequest request = server_.Take();
  EXPECT_EQ(request.Header("x-amz-target"), "StorageGateway_20130630.RefreshCache");
  EXPECT_EQ(request.Header("content-type"), "application/x-amz-json-1.1");
  EXPECT_THAT(request.Header("authorization"),
              testing::MatchesRegex("AWS4-HMAC-SHA256 Credential=AKID/[0-9]{8}/cn-north-1/"
                                    "storagegateway/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-"
                                    "z0-9;-]*, Signature=[0-9a-f]{64}"));
  EXPECT_EQ(Json::parse(request.body),
            Json::parse(R"({"FileShareARN":"arn:aws-cn:storagegateway:cn-north-1:1:share/share-1",
                            "FolderList":["/a","/b"],"Recursive":true})"));
}

TEST_F(CallsTest, AGatewayThatIsRefreshingAlreadyIsToBeAskedAgain) {
  Answer(400, R"({"__type":"com.amazonaws.storagegateway#InvalidGatewayRequestException",)"
              R"("message":"two refreshes are in progress"})");
  StorageGatewayTarget target = Gateway();
  target.endpoint = Endpoint();
  target.credentials = Keys();
  const std::string error = Fails({"it", target});
  EXPECT_EQ(error, "it: HTTP 400: InvalidGatewayRequestException: two refreshes are in progress");
  EXPECT_EQ(kind_, ErrorKind::kUnavailable);
}

TEST_F(CallsTest, AGatewayWithoutCredentialsIsNotCalled) {
  StorageGatewayTarget target = Gateway();
  target.endpoint = Endpoint();
  environment_.values["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(Fails({"it", target}), HasSubstr("it"));
  EXPECT_EQ(kind_, ErrorKind::kCredentials);
  EXPECT_EQ(server_.seen(), 0U);
}

TEST_F(CallsTest, CloudfrontIsAskedOnceHoweverOftenItIsCalled) {
  Answer(201, "<Invalidation/>");
  Answer(201, "<Invalidation/>");
  const CloudfrontTarget target{.distribution = "E123",
                                .region = "us-east-1",
                                .endpoint = Endpoint(),
                                .paths = {"/a&b/*", "/c"},
                                .credentials = Keys()};
  EXPECT_EQ(Call({"it", target}), RefreshOutcome::kAccepted);
  Call({"it", target});
  const SeenRequest first = server_.Take(), second = server_.Take();
  EXPECT_EQ(first.target, "/2020-05-31/distribution/E123/invalidation");
  EXPECT_THAT(first.body, HasSubstr("<Quantity>2</Quantity><Items><Path>/a&amp;b/*</Path>"));
  EXPECT_THAT(first.body, HasSubstr("<CallerReference>media-9-it-1</CallerReference>"));
  EXPECT_EQ(first.body, second.body);
  EXPECT_THAT(first.Header("authorization"), HasSubstr("/us-east-1/cloudfront/aws4_request"));
}

RefreshTarget Shell(const std::string& script) {
  return {"it", CommandTarget{{"/bin/sh", "-c", script}}};
}

TEST_F(CallsTest, ACommandFindsTheFactsInItsEnvironmentAndNoSecret) {
  environment_.values = {{"PATH", "/usr/bin:/bin"}, {"SRC_SECRET", "hush"}};
  const std::string out = dir_.path() + "/out";
  EXPECT_EQ(Call(Shell("env >" + out)), RefreshOutcome::kDone);
  std::ifstream file(out);
  const std::string seen{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(seen, HasSubstr("BUCKETFERRY_TASK=media\n"));
  EXPECT_THAT(seen, HasSubstr("BUCKETFERRY_RUN=9\n"));
  EXPECT_THAT(seen, HasSubstr("BUCKETFERRY_IDEMPOTENCY_KEY=media-9-it-1\n"));
  EXPECT_THAT(seen, Not(HasSubstr("hush")));
}

TEST_F(CallsTest, ACommandsFailureIsToldWithItsLastLine) {
  EXPECT_EQ(Fails(Shell("echo one; echo 'the disk is full' >&2; exit 3")),
            "it: exit code 3: the disk is full");
  EXPECT_EQ(Fails(Shell("kill -9 $$")), "it: ended by signal 9");
}

TEST_F(CallsTest, ACommandMayCloseItsOutputOrWriteWithoutEnd) {
  EXPECT_EQ(Fails(Shell("exec >/dev/null 2>&1; sleep 0.2; exit 3")), "it: exit code 3");
  EXPECT_EQ(Fails(Shell("exec yes"), 500ms), "it: not done within 0.5s");
}

TEST_F(CallsTest, ACommandIsNotBegunAfterAStop) {
  stop_.request_stop();
  const std::string out = dir_.path() + "/out";
  Fails(Shell("touch " + out));
  EXPECT_EQ(kind_, ErrorKind::kStopped);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(CallsTest, ACommandThatIsNotThereIsToldByItsName) {
  EXPECT_EQ(Fails({"it", CommandTarget{{"/nowhere/refresh"}}}),
            "/nowhere/refresh cannot be started: No such file or directory");
}

TEST_F(CallsTest, ACommandThatTakesTooLongEndsWithAllThatItStarted) {
  const std::string alive = dir_.path() + "/alive";
  // A grandchild that holds the pipe open, and would go on for an hour.
  EXPECT_EQ(Fails(Shell("sh -c 'echo $$ >" + alive + "; exec sleep 3600' & wait"), 500ms),
            "it: not done within 0.5s");
  pid_t grandchild = 0;
  std::ifstream(alive) >> grandchild;
  ASSERT_GT(grandchild, 0);
  // Gone, or a zombie that its new parent has not reaped yet; soon, for a signal takes its time.
  const auto is_alive = [&] {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return stat && state != "Z" && state != "X";
  };
  for (int looks = 0; looks < 1000 && is_alive(); ++looks) clock_.SleepFor(10ms, {});
  EXPECT_FALSE(is_alive());
}

TEST(LeaseName, TwoTargetsOfOneShareAreOne) {
  EXPECT_EQ(LeaseNameOf({"a", Gateway()}), LeaseNameOf({"b", Gateway()}));
  EXPECT_NE(LeaseNameOf({"a", CommandTarget{{"x"}}}), LeaseNameOf({"b", CommandTarget{{"x"}}}));
}

}  // namespace
}  // namespace ferry
