// `credentials` that cannot be meant.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/config/config_file.h"

namespace ferry {
namespace {

class BadCredentialsTest : public testing::Test, protected test::ConfigFile {
 protected:
  static std::string With(const std::string& old_text, const std::string& new_text) {
    std::string text = test::kSmallest;
    return text.replace(text.find(old_text), old_text.size(), new_text);
  }
};

TEST_F(BadCredentialsTest, CredentialsAreOneKindAndWhole) {
  const auto failure = [&](const std::string& credentials) {
    return Failure(With("us-east-1", "us-east-1, credentials: " + credentials));
  };
  const std::string one_of =
      "f.yaml:2: stores.a.credentials: give one of access_key_id with secret_access_key, file, "
      "secret, anonymous: true; or role_arn, alone or beside one of the first three";
  EXPECT_EQ(failure("{}"), one_of);
  EXPECT_EQ(failure("{file: /k, anonymous: true}"), one_of);
  EXPECT_EQ(failure("{file: /k, access_key_id: k}"), one_of);
  EXPECT_EQ(failure("{access_key_id: k}"),
            "f.yaml:2: stores.a.credentials: lacks \"secret_access_key\"");
  EXPECT_EQ(failure("{access_key_id: \"\", secret_access_key: s}"),
            "f.yaml:2: stores.a.credentials.access_key_id: is empty");
  EXPECT_EQ(failure("{anonymous: false}"),
            "f.yaml:2: stores.a.credentials.anonymous: can only be true");
  EXPECT_EQ(failure("{anonymous: yes}"),
            "f.yaml:2: stores.a.credentials.anonymous: \"yes\" is neither true nor false");
}

TEST_F(BadCredentialsTest, ARoleIsOneOfThePartitionAndWhole) {
  const auto failure = [&](const std::string& credentials,
                           const std::string& region = "us-east-1") {
    const std::string failed = Failure(With("us-east-1", region + ", credentials: " + credentials));
    const std::string where = "f.yaml:2: stores.a.credentials";
    EXPECT_EQ(failed.substr(0, where.size()), where) << failed;
    return failed.substr(std::min(failed.size(), where.size()));
  };
  const std::string no_arn = ".role_arn: is no ARN of a role (arn:aws:iam::123456789012:role/NAME)";
  for (const char* arn :
       {"copy", "arn:aws:iam::123456789012:user/u", "arn:aws:iam::12345:role/copy",
        "arn:aws:iam:us-east-1:123456789012:role/copy", "arn:aws-eu:iam::123456789012:role/copy",
        "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/a/",
        "arn:aws:sts::123456789012:assumed-role/a/b", "arn:aws:iam::123456789012:role/a&b"}) {
    EXPECT_EQ(failure("{role_arn: \"" + std::string(arn) + "\"}"), no_arn) << arn;
  }
  EXPECT_EQ(
      failure("{role_arn: \"arn:aws-cn:iam::123456789012:role/copy\"}"),
      ".role_arn: is a role of partition aws-cn, and the region is of aws: keys of one are unknown "
      "in the other");
  EXPECT_EQ(failure("{role_arn: \"arn:aws:iam::123456789012:role/copy\"}", "cn-north-1"),
            ".role_arn: is a role of partition aws, and the region is of aws-cn: keys of one are "
            "unknown in the other");
  EXPECT_EQ(
      failure("{role_arn: \"arn:aws:iam::123456789012:role/copy\"}", "us-gov-west-1"),
      ".role_arn: is a role of partition aws, and the region is of aws-us-gov: keys of one are "
      "unknown in the other");
  const auto with_role = [&](const std::string& more) {
    return failure("{role_arn: \"arn:aws:iam::123456789012:role/copy\", " + more + "}");
  };
  EXPECT_EQ(with_role("anonymous: true"),
            ": nobody assumes a role anonymously: leave out role_arn or anonymous");
  EXPECT_EQ(with_role("external_id: \"a b\""),
            ".external_id: holds a blank or a control character (a line break at its end?)");
  EXPECT_EQ(with_role("session_name: \"a/b\""),
            ".session_name: must be 2 to 64 letters, digits and _+=,.@-");
  EXPECT_EQ(with_role("duration: 1m"), ".duration: \"1m\" is not within 15m..12h");
  EXPECT_EQ(with_role("extern_id: x"),
            ": unknown key \"extern_id\"; did you mean \"external_id\"?");
  EXPECT_EQ(failure("{file: /k, external_id: abc}"),
            ": external_id is of a role, and role_arn is not there");
}

TEST_F(BadCredentialsTest, ASecretHasANameAndARegion) {
  const auto failure = [&](const std::string& secret) {
    return Failure(With("us-east-1", "us-east-1, credentials: {secret: " + secret + "}"));
  };
  const std::string where = "f.yaml:2: stores.a.credentials.secret";
  EXPECT_EQ(failure("media"), where + ": must be a map of keys and values, not a text");
  EXPECT_EQ(failure("{name: media}"), where + ": lacks \"region\"");
  EXPECT_EQ(failure("{region: us-east-1}"), where + ": lacks \"name\"");
  EXPECT_EQ(failure("{name: media, region: us.east}"),
            where + ".region: must be 1 to 40 letters, digits and _-");
  EXPECT_EQ(failure("{name: media, region: US}"),
            where + ".region: is no name of a region (us-east-1)");
  EXPECT_EQ(failure("{name: \"\", region: us-east-1}"),
            where + ".name: must be 1 to 2048 letters, digits and _/+=.@!:-");
  EXPECT_EQ(failure("{name: \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:m-a1b2c3\", "
                    "region: us-east-1}"),
            where + ".name: is the ARN of a secret in another region");
}

}  // namespace
}  // namespace ferry
