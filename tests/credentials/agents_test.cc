// What is asked beside the program: the endpoint of a container, the metadata of an instance.
#include "batch/credentials/container_keys.h"
#include "batch/credentials/instance_keys.h"
#include "tests/credentials/sources_fixture.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::Not;

class ContainerKeysTest : public SourcesFixture {
 protected:
  ContainerKeysTest() {
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.url() + "/v1/credentials?x=1");
  }

  std::string Fails() { return Failure(keys_); }
  std::string Url() {
    try {
      return ContainerUrl(environment_);
    } catch (const Error& error) {
      return error.what();
    }
  }

  ContainerKeys keys_{environment_};
};

TEST_F(ContainerKeysTest, TheFullAddressIsAskedWithTheTokenOfItsFile) {
  const auto file = folder_.Write("token", "first\n");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the environment");
  Answer(200, AgentJson());
  Answer(200, AgentJson());
  const AccessKeys keys = Fetch(keys_);
  EXPECT_EQ(keys.access_key_id, "ASIAAGENT");
  EXPECT_EQ(keys.secret_access_key.Reveal(), "agent/secret");
  EXPECT_EQ(keys.session_token.Reveal(), "agent/token");
  EXPECT_EQ(keys.expires_at_ms, 4'600'000);
  folder_.Write("token", "second");  // it rotates
  Fetch(keys_);
  const test::SeenRequest request = server_.Take();
  EXPECT_EQ(request.method + " " + request.target, "GET /v1/credentials?x=1");
  EXPECT_EQ(request.Header("authorization"), "first");
  EXPECT_EQ(server_.Take().Header("authorization"), "second");
}

TEST_F(ContainerKeysTest, TheTokenMayStandInTheEnvironmentOrNowhere) {
  Answer(200, AgentJson());
  Answer(200, AgentJson());
  Fetch(keys_);
  EXPECT_FALSE(server_.Take().Has("authorization"));
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc");
  Fetch(keys_);
  EXPECT_EQ(server_.Take().Header("authorization"), "Basic abc");
}

TEST_F(ContainerKeysTest, ATokenThatIsNotThereOrNoneIsNotReplacedByAnother) {
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other");
  EXPECT_EQ(Fails(),
            "credentials: container endpoint: cannot read /nowhere/token: No such file or "
            "directory");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", folder_.Write("token", "a\nb"));
  EXPECT_THAT(Fails(), HasSubstr("does not hold one line without blanks"));
  environment_.values.erase("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nx-evil: 1");
  EXPECT_THAT(Fails(), HasSubstr("AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line break"));
  EXPECT_EQ(server_.seen(), 0U);
}

TEST_F(ContainerKeysTest, OnlyThisHostAndHttpsAreAskedForKeys) {
  const auto url = [&](const std::string& full) {
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", full);
    return Url();
  };
  for (const char* fine :
       {"https://keys.example/get", "http://127.0.0.1:80/c", "http://127.8.0.1/c", "http://[::1]/c",
        "http://localhost:9/c", "http://169.254.170.2/c", "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials"}) {
    EXPECT_EQ(url(fine), fine);
  }
  for (const char* bad :
       {"http://keys.example/get", "http://169.254.169.254/c", "http://8.8.8.8/c",
        "http://127.0.0.1.evil.example/c", "http://[fd00:ec2::254]/c", "http://localhost.evil/c"}) {
    EXPECT_THAT(url(bad), HasSubstr("over http: only https, a loopback address")) << bad;
  }
  for (const char* bad : {"keys.example", "ftp://127.0.0.1/c", "http://", "http://127.0.0.1@evil/c",
                          "http://127.0.0.1/c#d", "http://127.0.0.1/c d", "http://127.0.0.1:0/c"}) {
    EXPECT_THAT(url(bad), testing::StartsWith("container endpoint: AWS_CONTAINER_CREDENTIALS_FULL"))
        << bad;
  }
}

TEST_F(ContainerKeysTest, ThePathOfEcsGoesBeforeTheFullAddress) {
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid");
  EXPECT_EQ(Url(), "http://169.254.170.2/v2/credentials/uuid");
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/c");
  EXPECT_THAT(Url(), HasSubstr("is no path that begins with /"));
}

TEST_F(ContainerKeysTest, WhatTheAgentSaysIsToldWithoutTheToken) {
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2");
  Answer(400, R"({"code":"InvalidIdInRequest","message":"no credentials for hunter2"})");
  EXPECT_EQ(Fails(), "credentials: container endpoint at " + server_.url() +
                         ": HTTP 400: InvalidIdInRequest: no credentials for (hidden)");
  Answer(401, "Service account token hunter2\nis expired");
  EXPECT_EQ(Fails(), "credentials: container endpoint at " + server_.url() +
                         ": HTTP 401: Service account token (hidden)\\x0ais expired");
  Answer(500, "oops");
  EXPECT_THAT(Fails(), testing::StartsWith("unavailable: "));
  Answer(302, "");
  EXPECT_THAT(Fails(), testing::StartsWith("credentials: "));
}

TEST_F(ContainerKeysTest, AnAnswerThatHoldsNoKeysIsRefusedAndNeverQuoted) {
  std::string no_secret = AgentJson();
  no_secret.replace(no_secret.find("SecretAccessKey"), 15, "Something");
  std::string number = AgentJson();
  number.replace(number.find("\"agent/token\""), 13, "7");
  for (const std::string& body :
       {std::string(), std::string("agent/secret"), std::string("[]"), std::string("{}"), no_secret,
        number, AgentJson("soon"), AgentJson().substr(0, 90)}) {
    Answer(200, body);
    const std::string failure = Fails();
    EXPECT_THAT(failure, testing::StartsWith("credentials: container endpoint at ")) << body;
    EXPECT_THAT(failure, Not(HasSubstr("agent/secret"))) << body;
  }
  Answer(200, std::string(70'000, ' ') + AgentJson());
  EXPECT_THAT(Fails(), HasSubstr("larger than any valid one"));
}

TEST_F(ContainerKeysTest, AnAgentThatIsAwayMayComeBack) {
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/c");
  EXPECT_THAT(Fails(),
              testing::StartsWith("unavailable: container endpoint at http://127.0.0.1:1"));
}

class InstanceKeysTest : public SourcesFixture {
 protected:
  InstanceKeysTest() { Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.url() + "/"); }

  static std::string Metadata(const std::string& end = kLater) {
    return R"({"Code":"Success","LastUpdated":"1970-01-01T00:00:00Z","Type":"AWS-HMAC",)"
           R"("AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"i/secret","Token":"i/token",)"
           R"("Expiration":")" +
           end + "\"}";
  }
  std::string Fails() { return Failure(keys_); }

  InstanceKeys keys_{environment_};
};

TEST_F(InstanceKeysTest, ASessionIsBegunAndTheRoleAskedForItsKeys) {
  Answer(200, "sessiontoken==");
  Answer(200, "media-node");
  Answer(200, Metadata());
  const AccessKeys keys = Fetch(keys_);
  EXPECT_EQ(keys.access_key_id, "ASIAINSTANCE");
  EXPECT_EQ(keys.session_token.Reveal(), "i/token");
  EXPECT_EQ(keys.expires_at_ms, 4'600'000);
  const test::SeenRequest session = server_.Take(), roles = server_.Take(), role = server_.Take();
  EXPECT_EQ(session.method + " " + session.target, "PUT /latest/api/token");
  EXPECT_EQ(session.Header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(roles.method + " " + roles.target, "GET /latest/meta-data/iam/security-credentials/");
  EXPECT_EQ(roles.Header("x-aws-ec2-metadata-token"), "sessiontoken==");
  EXPECT_EQ(role.target, "/latest/meta-data/iam/security-credentials/media-node");
  EXPECT_EQ(role.Header("x-aws-ec2-metadata-token"), "sessiontoken==");
  EXPECT_EQ(keys_.Name(), "instance metadata (role media-node)");
}

TEST_F(InstanceKeysTest, VersionOneIsNeverAsked) {
  Answer(403, "");
  EXPECT_THAT(Fails(), HasSubstr("HTTP 403"));
  Answer(404, "<?xml version=\"1.0\"?><html><body>404 - Not Found</body></html>");
  EXPECT_EQ(Fails(), "credentials: instance metadata at " + server_.url() + ": HTTP 404");
  for (std::size_t i = 0; i < server_.seen(); ++i) EXPECT_EQ(server_.Take().method, "PUT");
}

TEST_F(InstanceKeysTest, AnInstanceWithoutARoleIsSaidToHaveNone) {
  for (const int status : {404, 200}) {
    Answer(200, "sessiontoken==");
    Answer(status, "");
    EXPECT_EQ(Fails(), "credentials: instance metadata at " + server_.url() +
                           ": no role is attached to this instance");
  }
  Answer(200, "sessiontoken==");
  Answer(200, "a role\x01");
  EXPECT_THAT(Fails(), HasSubstr("no role is attached"));
}

TEST_F(InstanceKeysTest, ANameCannotLeadToAnotherPath) {
  Answer(200, "sessiontoken==");
  Answer(200, "../../user-data?x\r\nsecond");
  Answer(404, "");
  Fails();
  server_.Take(), server_.Take();
  EXPECT_EQ(server_.Take().target,
            "/latest/meta-data/iam/security-credentials/..%2F..%2Fuser-data%3Fx");
}

TEST_F(InstanceKeysTest, ARoleThatFailedAndBrokenAnswersAreOneLine) {
  const auto fails = [&](const std::string& token, const std::string& body) {
    Answer(200, token);
    Answer(200, "media-node");
    Answer(200, body);
    return Fails();
  };
  EXPECT_THAT(fails("t", R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot"})"),
              testing::EndsWith(": AssumeRoleUnauthorizedAccess: EC2 cannot"));
  EXPECT_THAT(fails("t", "hunter2"), testing::EndsWith("the answer is not a JSON object"));
  EXPECT_THAT(fails("t", Metadata("soon")), testing::EndsWith("says no time as Expiration"));
  EXPECT_THAT(fails("t", std::string(70'000, 'x')), HasSubstr("larger than any valid one"));
}

TEST_F(InstanceKeysTest, ASessionTokenThatIsNoneIsNotSent) {
  for (const std::string& token :
       {std::string(), std::string("a b"), std::string("a\r\nx: y"), std::string(2000, 't')}) {
    Answer(200, token);
    EXPECT_THAT(Fails(), HasSubstr("the answer is no session token"));
    server_.Take();
  }
  EXPECT_EQ(server_.seen(), 4U);
}

TEST_F(InstanceKeysTest, WhereNobodyAnswersItIsNoInstance) {
  server_.Answer({.bytes = test::HttpText(200, {}, "t"), .delay = std::chrono::seconds(3)});
  EXPECT_EQ(Fails(), "credentials: instance metadata at " + server_.url() +
                         ": no answer within 2.0s (no EC2 instance? in a container its hop limit "
                         "must be 2)");
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_THAT(Fails(), testing::StartsWith("credentials: instance metadata at http://127.0.0.1:1"));
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254");
  EXPECT_THAT(Fails(), HasSubstr("AWS_EC2_METADATA_SERVICE_ENDPOINT: "));
}

TEST_F(InstanceKeysTest, ItCanBeSwitchedOff) {
  EXPECT_EQ(keys_.WhyNotOffered(), "");
  Set("AWS_EC2_METADATA_DISABLED", "TRUE");
  EXPECT_EQ(keys_.WhyNotOffered(), "AWS_EC2_METADATA_DISABLED is true");
}

}  // namespace
}  // namespace ferry
