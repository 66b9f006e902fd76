// Roles: assumed with other keys, and by a web identity.
#include "batch/credentials/assumed_role_keys.h"
#include "batch/credentials/configured_keys.h"
#include "batch/credentials/sts.h"
#include "batch/credentials/web_identity_keys.h"
#include "tests/credentials/sources_fixture.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::Not;

class AssumedRoleTest : public SourcesFixture {
 protected:
  AssumedRoleTest() { Set("AWS_ENDPOINT_URL_STS", server_.url()); }

  AssumedRoleKeys Make(const RoleToAssume& role = {.arn = kRole}) {
    return AssumedRoleKeys(
        role,
        std::make_unique<StaticKeys>(AccessKeys{"AKIABASE", Secret("base/secret"), Secret("tok")}),
        "eu-west-1", environment_, clock_);
  }
  std::string Fails() {
    AssumedRoleKeys keys = Make();
    return Failure(keys);
  }
};

TEST_F(AssumedRoleTest, StsIsAskedForKeysOfTheRoleWithASignedForm) {
  Answer(200, StsXml("AssumeRole"));
  AssumedRoleKeys role = Make({.arn = kRole,
                               .external_id = "partner/7",
                               .session_name = "night@copy",
                               .duration = std::chrono::seconds(7200)});
  const AccessKeys keys = Fetch(role);
  EXPECT_EQ(keys.access_key_id, "ASIAROLE");
  EXPECT_EQ(keys.secret_access_key.Reveal(), "role/secret+");
  EXPECT_EQ(keys.session_token.Reveal(), "role/token==");
  EXPECT_EQ(keys.expires_at_ms, 4'600'000);
  const test::SeenRequest request = server_.Take();
  EXPECT_EQ(request.method + " " + request.target, "POST /");
  EXPECT_EQ(request.Header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.Header("x-amz-security-token"), "tok");
  EXPECT_EQ(request.body,
            "Action=AssumeRole&DurationSeconds=7200&ExternalId=partner%2F7&RoleArn=arn%3Aaws%3Aiam"
            "%3A%3A123456789012%3Arole%2Fcopy&RoleSessionName=night%40copy&Version=2011-06-15");
  EXPECT_EQ(SignatureCheck::Judge(request, "base/secret"), "sts eu-west-1 right signature");
}

TEST_F(AssumedRoleTest, WhatIsNotConfiguredIsNotSent) {
  Answer(200, StsXml("AssumeRole"));
  AssumedRoleKeys role = Make();
  Fetch(role);
  const std::string body = server_.Take().body;
  EXPECT_THAT(body, Not(HasSubstr("ExternalId")));
  EXPECT_THAT(body, Not(HasSubstr("DurationSeconds")));
  EXPECT_THAT(body, HasSubstr("RoleSessionName=bucketferry&"));
}

TEST_F(AssumedRoleTest, ARoleThatCannotBeAssumedIsNamedWithWhatStsSaid) {
  Answer(403, StsError("AccessDenied",
                       "User: arn:aws:iam::1:user/u is not authorized to perform: "
                       "sts:AssumeRole on resource: " +
                           std::string(kRole)));
  EXPECT_EQ(Fails(), "credentials: STS at " + server_.url() + ", asked to assume " + kRole +
                         ": HTTP 403: AccessDenied: User: arn:aws:iam::1:user/u is not authorized "
                         "to perform: sts:AssumeRole on resource: " +
                         kRole + "; check the role's trust policy");
}

TEST_F(AssumedRoleTest, WhatMayPassIsToldFromWhatWillNot) {
  const struct {
    int status;
    std::string body;
    std::string kind;
  } cases[] = {
      {400, StsError("Throttling", "Rate exceeded"), "throttled"},
      {503, StsError("ServiceUnavailable", ""), "throttled"},
      {500, StsError("InternalFailure", ""), "unavailable"},
      {502, "<html>a proxy</html>", "unavailable"},
      {403, StsError("InvalidClientTokenId", "no"), "credentials"},
      {403, StsError("RegionDisabledException", "no"), "credentials"},
      {403, StsError("SignatureDoesNotMatch", "no"), "credentials"},
      {400, StsError("ValidationError", "duration"), "credentials"},
      {404, "", "credentials"},
  };
  for (const auto& one : cases) {
    Answer(one.status, one.body);
    EXPECT_THAT(Fails(), testing::StartsWith(one.kind + ": STS at ")) << one.body;
  }
}

TEST_F(AssumedRoleTest, AnAnswerThatIsNotOneOfStsIsRefusedAndNeverQuoted) {
  std::string cut = StsXml("AssumeRole");
  cut.resize(cut.size() - 40);
  std::string no_end = StsXml("AssumeRole", "soon");
  std::string no_token = StsXml("AssumeRole");
  no_token.replace(no_token.find("role/token=="), 12, "");
  std::string blank = StsXml("AssumeRole");
  blank.replace(blank.find("role/secret+"), 12, "role/secret x");
  for (const std::string& body :
       {std::string(), std::string("{}"), cut, no_end, no_token, blank,
        std::string("<html>role/secret+</html>"), StsXml("GetSessionToken"),
        "<!DOCTYPE x [<!ENTITY e \"role/secret\">]>" + StsXml("AssumeRole")}) {
    Answer(200, body);
    const std::string failure = Fails();
    EXPECT_THAT(failure, testing::StartsWith("credentials: STS at ")) << body;
    EXPECT_THAT(failure, Not(HasSubstr("role/secret"))) << body;
  }
  Answer(200, StsXml("AssumeRole") + std::string(70'000, ' '));
  EXPECT_THAT(Fails(), HasSubstr("larger than any valid one"));
}

TEST_F(AssumedRoleTest, StsThatIsAwayMayComeBack) {
  Set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
  EXPECT_THAT(Fails(), testing::StartsWith("unavailable: STS at http://127.0.0.1:1, asked to "
                                           "assume "));
}

TEST_F(AssumedRoleTest, AStopEndsTheWait) {
  server_.Answer({.bytes = test::HttpText(200), .delay = std::chrono::seconds(3)});
  stop_.request_stop();
  EXPECT_EQ(Fails(), "stopped: stopped");
}

TEST_F(AssumedRoleTest, StsIsOfTheRolesOwnPartition) {
  environment_.values.clear();
  const auto host = [&](const char* role, const char* region) {
    return StsPlaceOf(role, region, environment_).endpoint.Url();
  };
  const char* china = "arn:aws-cn:iam::123456789012:role/copy";
  EXPECT_EQ(host(kRole, "eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(host(china, "cn-northwest-1"), "https://sts.cn-northwest-1.amazonaws.com.cn");
  EXPECT_EQ(host(china, "eu-west-1"), "https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(host(kRole, "default/evil"), "https://sts.us-east-1.amazonaws.com");
  // Where this process runs says more than where the store is, within one partition.
  Set("AWS_REGION", "ap-southeast-1");
  EXPECT_EQ(host(kRole, "eu-west-1"), "https://sts.ap-southeast-1.amazonaws.com");
  EXPECT_EQ(host(china, "cn-northwest-1"), "https://sts.cn-northwest-1.amazonaws.com.cn");
  Set("AWS_DEFAULT_REGION", "cn-north-1");
  EXPECT_EQ(host(china, "cn-northwest-1"), "https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(host("arn:aws-us-gov:iam::123456789012:role/copy", "eu-west-1"),
            "https://sts.us-gov-west-1.amazonaws.com");
}

class WebIdentityTest : public SourcesFixture {
 protected:
  WebIdentityTest() {
    Set("AWS_ENDPOINT_URL_STS", server_.url());
    Set("AWS_ROLE_ARN", kRole);
    WriteToken(Token("4000"));
    Set("AWS_WEB_IDENTITY_TOKEN_FILE", (folder_.path() / "token").string());
  }
  // A JWT that ends at `end`, in Unix seconds: the clock stands at 1000.
  static std::string Token(const std::string& end) {
    std::string claims = ToBase64(R"({"aud":["sts.amazonaws.com"],"exp":)" + end + "}");
    while (claims.ends_with('=')) claims.pop_back();
    return "eyJhbGciOiJSUzI1NiJ9." + claims + ".c2lnbmF0dXJl";
  }
  void WriteToken(const std::string& text) { folder_.Write("token", text); }
  std::string Fails() { return Failure(keys_); }

  WebIdentityKeys keys_{"eu-west-1", environment_, clock_};
};

TEST_F(WebIdentityTest, TheTokenIsGivenForKeysAndNothingIsSigned) {
  Set("AWS_ROLE_SESSION_NAME", "pod-7");
  Answer(200, StsXml("AssumeRoleWithWebIdentity"));
  const AccessKeys keys = Fetch(keys_);
  EXPECT_EQ(keys.access_key_id, "ASIAROLE");
  EXPECT_EQ(keys.expires_at_ms, 4'600'000);
  const test::SeenRequest request = server_.Take();
  EXPECT_EQ(request.method + " " + request.target, "POST /");
  EXPECT_FALSE(request.Has("authorization"));
  EXPECT_EQ(request.body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F"
            "copy&RoleSessionName=pod-7&Version=2011-06-15&WebIdentityToken=" +
                UriEncode(Token("4000"), SlashRule::kEncode));
  EXPECT_EQ(keys_.Name(), "web identity (role " + std::string(kRole) + ")");
}

TEST_F(WebIdentityTest, ATokenThatWasReplacedIsSentTheNextTime) {
  Answer(200, StsXml("AssumeRoleWithWebIdentity"));
  Answer(200, StsXml("AssumeRoleWithWebIdentity"));
  Fetch(keys_);
  WriteToken(Token("5000") + "\n");
  Fetch(keys_);
  EXPECT_THAT(server_.Take().body, HasSubstr(UriEncode(Token("4000"), SlashRule::kEncode)));
  EXPECT_THAT(server_.Take().body, testing::EndsWith(UriEncode(Token("5000"), SlashRule::kEncode)));
}

TEST_F(WebIdentityTest, WhatCanBeNoTokenIsNotSent) {
  const std::string file = (folder_.path() / "token").string();
  WriteToken(Token("999"));
  EXPECT_EQ(Fails(), "credentials: web identity: the token in " + file +
                         " ended at 1970-01-01 00:16:39Z: what renews it, or this host's clock, is "
                         "behind");
  for (const char* text :
       {"", "\n", "two words", "no-jwt-at-all", "a.b", "a.b.c", "a.!.c", "a.e30.b.c", "a.W10.c"}) {
    WriteToken(text);
    const std::string failure = Fails();
    EXPECT_THAT(failure, testing::StartsWith("credentials: web identity: ")) << text;
    EXPECT_THAT(failure, HasSubstr(file)) << text;
  }
  WriteToken("a.e30." + std::string(21'000, 'x'));
  EXPECT_THAT(Fails(), HasSubstr("longer than the 20000 bytes that STS takes"));
  WriteToken(std::string(70'000, 'x'));
  EXPECT_THAT(Fails(), HasSubstr("more than 65536 bytes"));
  std::filesystem::remove(file);
  EXPECT_EQ(Fails(),
            "credentials: web identity: cannot read " + file + ": No such file or directory");
  EXPECT_EQ(server_.seen(), 0U);
}

TEST_F(WebIdentityTest, ATokenThatSaysNoEndIsStssToJudge) {
  WriteToken("a.e30.c");  // {}
  Answer(400, StsError("InvalidIdentityToken", "No OpenIDConnect provider found"));
  EXPECT_THAT(Fails(), HasSubstr("HTTP 400: InvalidIdentityToken: No OpenIDConnect provider"));
}

TEST_F(WebIdentityTest, ARefusalThatRepeatsTheTokenIsToldWithoutIt) {
  Answer(400, StsError("InvalidIdentityToken", "cannot read " + Token("4000") + " at all"));
  const std::string failure = Fails();
  EXPECT_THAT(failure, HasSubstr("cannot read (hidden) at all"));
  EXPECT_THAT(failure, Not(HasSubstr("eyJhbGciOiJSUzI1NiJ9")));
}

TEST_F(WebIdentityTest, ARefusedExpiredTokenAndAnIdentityProviderThatIsAwayAreTwoThings) {
  Answer(400, StsError("ExpiredTokenException", "Token expired"));
  EXPECT_THAT(Fails(), testing::StartsWith("credentials: "));
  Answer(400, StsError("IDPCommunicationError", "retry"));
  EXPECT_THAT(Fails(), testing::StartsWith("unavailable: "));
}

TEST_F(WebIdentityTest, HalfAConfigurationIsSaid) {
  environment_.values.erase("AWS_ROLE_ARN");
  EXPECT_EQ(keys_.WhyNotOffered(), "");
  EXPECT_EQ(Fails(),
            "credentials: web identity: AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
  Set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:user/u");
  EXPECT_EQ(Fails(), "credentials: web identity: AWS_ROLE_ARN is no ARN of a role");
  environment_.values.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(keys_.WhyNotOffered(), "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
}

TEST_F(WebIdentityTest, AnEndpointThatIsNoneIsNamedByItsVariable) {
  Set("AWS_ENDPOINT_URL_STS", "sts.example");
  EXPECT_THAT(Fails(), testing::StartsWith("credentials: AWS_ENDPOINT_URL_STS: "));
}

}  // namespace
}  // namespace ferry
