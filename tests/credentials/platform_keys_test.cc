// Which source is asked when nothing is configured, and what is said when there is none.
#include "batch/credentials/platform_keys.h"

#include "tests/credentials/sources_fixture.h"

namespace ferry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kNoKeys =
    "environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
constexpr const char* kNoToken = "AWS_WEB_IDENTITY_TOKEN_FILE is not set";
constexpr const char* kNoAgent =
    "container endpoint: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
    "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set";

class PlatformKeysTest : public SourcesFixture {
 protected:
  PlatformKeysTest() { Set("AWS_EC2_METADATA_DISABLED", "true"); }

  void OfferEnvironment() {
    Set("AWS_ACCESS_KEY_ID", "AKIAENV");
    Set("AWS_SECRET_ACCESS_KEY", "env/secret");
  }
  void OfferWebIdentity() {
    Set("AWS_ROLE_ARN", kRole);
    Set("AWS_WEB_IDENTITY_TOKEN_FILE", folder_.Write("token", "a.e30.c"));
    Set("AWS_ENDPOINT_URL_STS", server_.url());
  }
  void OfferContainer() { Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.url() + "/agent"); }
  void OfferInstance() {
    environment_.values.erase("AWS_EC2_METADATA_DISABLED");
    Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.url());
  }

  const std::unique_ptr<KeysSource> keys_ = MakePlatformKeys("us-east-1", environment_, clock_);
};

TEST_F(PlatformKeysTest, TheEnvironmentGoesBeforeEverything) {
  OfferEnvironment();
  OfferWebIdentity();
  OfferContainer();
  EXPECT_EQ(Fetch(*keys_).access_key_id, "AKIAENV");
  EXPECT_EQ(keys_->Name(), "environment");
  EXPECT_TRUE(keys_->IsRenewedElsewhere());
  EXPECT_EQ(server_.seen(), 0U);
}

TEST_F(PlatformKeysTest, ThenWebIdentityThenTheContainerThenTheInstance) {
  OfferInstance();
  OfferContainer();
  OfferWebIdentity();
  Answer(200, StsXml("AssumeRoleWithWebIdentity"));
  EXPECT_EQ(Fetch(*keys_).access_key_id, "ASIAROLE");
  EXPECT_FALSE(keys_->IsRenewedElsewhere());
  EXPECT_EQ(server_.Take().target, "/");

  environment_.values.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto second = MakePlatformKeys("us-east-1", environment_, clock_);
  Answer(200, AgentJson());
  EXPECT_EQ(Fetch(*second).access_key_id, "ASIAAGENT");
  EXPECT_EQ(server_.Take().target, "/agent");

  environment_.values.erase("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const auto third = MakePlatformKeys("us-east-1", environment_, clock_);
  Answer(200, "session");
  Answer(200, "node");
  Answer(200, AgentJson());
  EXPECT_EQ(Fetch(*third).access_key_id, "ASIAAGENT");
  EXPECT_EQ(third->Name(), "instance metadata (role node)");
  EXPECT_THAT(third->PassedOver(),
              ElementsAre(kNoKeys, "web identity (role " + std::string(kRole) + "): " + kNoToken,
                          kNoAgent));
}

TEST_F(PlatformKeysTest, TheOneThatGaveKeysIsAskedFromThenOn) {
  OfferContainer();
  Answer(200, AgentJson());
  Fetch(*keys_);
  OfferEnvironment();
  Answer(200, AgentJson());
  EXPECT_EQ(Fetch(*keys_).access_key_id, "ASIAAGENT");
}

TEST_F(PlatformKeysTest, ASourceThatIsThereAndFailsIsNotPassedOverForSomebodyElsesKeys) {
  OfferWebIdentity();
  OfferContainer();
  Answer(403, StsError("AccessDenied", "Not authorized"));
  const std::string failure = Failure(*keys_);
  EXPECT_THAT(failure, testing::StartsWith("credentials: no credentials: the configuration gives "
                                           "none, and of the platform's: environment: "));
  EXPECT_THAT(failure, HasSubstr("HTTP 403: AccessDenied: Not authorized"));
  EXPECT_EQ(server_.seen(), 1U);
  Answer(503, "");  // the next time from the start
  EXPECT_THAT(Failure(*keys_), testing::StartsWith("throttled: "));
}

TEST_F(PlatformKeysTest, HalfOfTheEnvironmentsKeysIsAFailureToo) {
  Set("AWS_ACCESS_KEY_ID", "AKIAENV");
  OfferContainer();
  EXPECT_THAT(Failure(*keys_), HasSubstr("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"));
  EXPECT_EQ(server_.seen(), 0U);
}

TEST_F(PlatformKeysTest, WhereThereAreNoneEachSaysWhy) {
  EXPECT_EQ(Failure(*keys_),
            std::string("credentials: no credentials: the configuration gives none, and neither "
                        "does the platform: ") +
                kNoKeys + "; web identity: " + kNoToken + "; " + kNoAgent +
                "; instance metadata: AWS_EC2_METADATA_DISABLED is true");
}

}  // namespace
}  // namespace ferry
