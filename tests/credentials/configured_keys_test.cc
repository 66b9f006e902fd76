// A secret of AWS Secrets Manager.
#include "batch/credentials/configured_keys.h"

#include <nlohmann/json.hpp>

#include "batch/credentials/service_call.h"
#include "tests/credentials/sources_fixture.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class SecretKeysTest : public SourcesFixture {
 protected:
  SecretKeysTest() { Set("AWS_ENDPOINT_URL_SECRETS_MANAGER", server_.url()); }

  // The documented answer of GetSecretValue.
  void AnswerSecret(const std::string& text) {
    Answer(200, Json{{"ARN", "arn:aws:secretsmanager:us-west-2:123456789012:secret:media-a1b2c3"},
                     {"CreatedDate", 1.523477145713E9},
                     {"Name", "media"},
                     {"SecretString", text},
                     {"VersionId", "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1"},
                     {"VersionStages", {"AWSPREVIOUS"}}}
                    .dump());
  }
  std::string Fails() { return Failure(keys_); }

  SecretKeys keys_{
      {"media", "us-west-2"},
      std::make_unique<StaticKeys>(AccessKeys{"AKIAREADER", Secret("reader/secret"), Secret("t")}),
      environment_,
      clock_};
};

TEST_F(SecretKeysTest, TheSecretIsReadWithASignedRequest) {
  // As Data Transfer Hub has it written.
  AnswerSecret("{\n  \"access_key_id\": \"LTAI\",\n  \"secret_access_key\": \"theirs\"\n}");
  const AccessKeys keys = Fetch(keys_);
  EXPECT_EQ(keys.access_key_id, "LTAI");
  EXPECT_EQ(keys.secret_access_key.Reveal(), "theirs");
  EXPECT_TRUE(keys.session_token.empty());
  EXPECT_EQ(keys.expires_at_ms, std::nullopt);
  const test::SeenRequest request = server_.Take();
  EXPECT_EQ(request.method + " " + request.target, "POST /");
  EXPECT_EQ(request.Header("content-type"), "application/x-amz-json-1.1");
  EXPECT_EQ(request.Header("x-amz-target"), "secretsmanager.GetSecretValue");
  EXPECT_EQ(Json::parse(request.body), Json::parse(R"({"SecretId": "media"})"));
  EXPECT_EQ(SignatureCheck::Judge(request, "reader/secret"),
            "secretsmanager us-west-2 right signature");
  EXPECT_EQ(keys_.Name(), "secret media in us-west-2 (read with keys of the configuration)");
}

TEST_F(SecretKeysTest, ARefusalSaysWhichSecretAndWhy) {
  Answer(400, R"({"__type":"ResourceNotFoundException","Message":)"
              R"("Secrets Manager can't find the specified secret."})");
  EXPECT_EQ(Fails(), "credentials: Secrets Manager at " + server_.url() +
                         ", asked for secret media: HTTP 400: ResourceNotFoundException: Secrets "
                         "Manager can't find the specified secret.");
  Answer(400, R"({"__type":"com.amazonaws#AccessDeniedException","Message":"not authorized"})");
  EXPECT_THAT(Fails(), HasSubstr("HTTP 400: AccessDeniedException: not authorized; these keys "
                                 "need secretsmanager:GetSecretValue"));
  Answer(500, R"({"__type":"InternalServiceError","Message":"later"})");
  EXPECT_THAT(Fails(), testing::StartsWith("unavailable: "));
  Answer(400, R"({"__type":"ThrottlingException","message":"Rate exceeded"})");
  EXPECT_THAT(Fails(), testing::StartsWith("throttled: "));
}

TEST_F(SecretKeysTest, ASecretThatHoldsSomethingElseIsNamedAndNeverQuoted) {
  for (const char* text : {"hunter2", "[\"hunter2\"]", R"({"password": "hunter2"})",
                           R"({"access_key_id": "k", "secret_access_key": "hunter2 "})",
                           R"({"access_key_id": "k"})"}) {
    AnswerSecret(text);
    const std::string failure = Fails();
    EXPECT_THAT(failure, testing::StartsWith("credentials: secret media ")) << text;
    EXPECT_THAT(failure, Not(HasSubstr("hunter2")));
  }
  Answer(200, R"({"Name": "media", "SecretBinary": "aHVudGVyMg=="})");
  EXPECT_THAT(Fails(), HasSubstr("the secret holds no text (SecretString)"));
  Answer(200, "hunter2");
  EXPECT_THAT(Fails(), testing::EndsWith("the answer is not a JSON object"));
  AnswerSecret(std::string(70'000, 'x'));
  EXPECT_THAT(Fails(), HasSubstr("larger than any valid one"));
}

TEST_F(SecretKeysTest, ChinaHasAHostOfItsOwn) {
  environment_.values.clear();
  const auto host = [&](const std::string& region) {
    return AwsPlaceOf("secretsmanager", region, environment_, "AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .endpoint.Url();
  };
  EXPECT_EQ(host("us-west-2"), "https://secretsmanager.us-west-2.amazonaws.com");
  EXPECT_EQ(host("cn-north-1"), "https://secretsmanager.cn-north-1.amazonaws.com.cn");
}

TEST(FileKeys, AFileThatWasWrittenAnewHasChanged) {
  const test::TempFolder folder;
  const auto file = folder.Write("k.json", R"({"access_key_id": "one", "secret_access_key": "s"})");
  FileKeys keys(file);
  EXPECT_EQ(keys.Fetch({}).access_key_id, "one");
  EXPECT_FALSE(keys.HasChanged());
  folder.Write("k.json", R"({"access_key_id": "two", "secret_access_key": "s"})");
  std::filesystem::last_write_time(
      file, std::filesystem::last_write_time(file) + std::chrono::seconds(2));
  EXPECT_TRUE(keys.HasChanged());
  EXPECT_EQ(keys.Fetch({}).access_key_id, "two");
  EXPECT_FALSE(keys.HasChanged());
  std::filesystem::remove(file);
  EXPECT_FALSE(keys.HasChanged());  // being replaced: the old keys stay
}

}  // namespace
}  // namespace ferry
