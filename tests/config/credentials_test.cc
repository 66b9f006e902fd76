#include "batch/config/credentials.h"

#include <gtest/gtest.h>

#include "batch/config/pattern_file.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

class CredentialsTest : public testing::Test {
 protected:
  // The error's text without the folder, or "accepted".
  std::string Failure(const std::string& text) const {
    try {
      ReadCredentialsFile(folder_.Write("c.json", text));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCredentials);
      const std::string what = error.what();
      const std::string path = folder_.path().string() + "/";
      EXPECT_NE(what.find(path), std::string::npos) << what;
      return what.substr(what.find(path) + path.size());
    }
    return "accepted";
  }

  test::TempFolder folder_;
  test::MapEnvironment environment_;
};

TEST_F(CredentialsTest, AFileMayUseEitherSetOfNames) {
  AccessKeys keys = ReadCredentialsFile(
      folder_.Write("a", R"({"access_key_id": "k", "secret_access_key": "s", "other": [1]})"));
  EXPECT_EQ(keys.access_key_id, "k");
  EXPECT_EQ(keys.secret_access_key.Reveal(), "s");
  EXPECT_TRUE(keys.session_token.empty());
  keys = ReadCredentialsFile(
      folder_.Write("b", R"({"aws_access_key_id": "k", "aws_secret_access_key": "s",
                             "aws_session_token": "t"})"));
  EXPECT_EQ(keys.session_token.Reveal(), "t");
  keys = ReadCredentialsFile(folder_.Write(
      "c", R"({"access_key_id": "k", "secret_access_key": "s", "session_token": null})"));
  EXPECT_TRUE(keys.session_token.empty());
}

TEST_F(CredentialsTest, AFileMaySayUntilWhenItsKeysAreGood) {
  const auto expires = [&](const std::string& more) {
    return ReadCredentialsFile(
               folder_.Write("e",
                             R"({"access_key_id": "k", "secret_access_key": "s")" + more + "}"))
        .expires_at_ms;
  };
  EXPECT_EQ(expires(""), std::nullopt);
  EXPECT_EQ(expires(R"(, "expiration": null)"), std::nullopt);
  EXPECT_EQ(expires(R"(, "expiration": "2009-10-12T17:50:30Z")"), 1255369830000);
  EXPECT_EQ(expires(R"(, "Expiration": "2009-10-12T17:50:30+00:00")"), 1255369830000);
}

TEST_F(CredentialsTest, AnExpirationThatIsNoTimeIsIgnoredAndTheKeysAreNot) {
  for (const char* text : {R"("soon")", "7", "[]", R"("")", R"("2009-10-12")"}) {
    const AccessKeys keys = ReadCredentialsFile(
        folder_.Write("e", R"({"access_key_id": "k", "secret_access_key": "s", "expiration": )" +
                               std::string(text) + "}"));
    EXPECT_EQ(keys.expires_at_ms, std::nullopt) << text;
    EXPECT_EQ(keys.access_key_id, "k");
  }
}

TEST_F(CredentialsTest, ABrokenFileIsNamedAndNeverQuoted) {
  EXPECT_EQ(Failure(""), "c.json is not a JSON object");
  EXPECT_EQ(Failure("hunter2"), "c.json is not a JSON object");
  EXPECT_EQ(Failure("[]"), "c.json is not a JSON object");
  EXPECT_EQ(Failure(R"({"access_key_id": "k", "secret_access_key": "hunt)"),
            "c.json is not a JSON object");
  EXPECT_EQ(Failure(R"({"secret_access_key": "hunter2"})"), "c.json lacks access_key_id");
  EXPECT_EQ(Failure(R"({"access_key_id": "k"})"), "c.json lacks secret_access_key");
  EXPECT_EQ(Failure(R"({"access_key_id": "k", "secret_access_key": ""})"),
            "c.json lacks secret_access_key");
  EXPECT_EQ(Failure(R"({"access_key_id": "k", "secret_access_key": 7})"),
            "c.json holds something else than a text as secret_access_key");
  EXPECT_EQ(Failure(R"({"access_key_id": "k", "secret_access_key": "hunter2\n"})"),
            "c.json holds a blank or a control character in secret_access_key");
  EXPECT_EQ(Failure(std::string(100'000, ' ')), "c.json holds more than 65536 bytes");
  EXPECT_EQ(Failure(std::string(60'000, '[')), "c.json is not a JSON object");
  EXPECT_EQ(Failure("{\"access_key_id\": \"\xFF\"}"), "c.json is not a JSON object");
}

TEST_F(CredentialsTest, TheEnvironmentGivesBothKeysOrNone) {
  EXPECT_EQ(EnvironmentCredentials(environment_), std::nullopt);
  environment_.values["AWS_ACCESS_KEY_ID"] = "k";
  EXPECT_THROW(EnvironmentCredentials(environment_), Error);
  environment_.values["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(EnvironmentCredentials(environment_)->secret_access_key.Reveal(), "s");
  environment_.values["AWS_SESSION_TOKEN"] = "t";
  EXPECT_EQ(EnvironmentCredentials(environment_)->session_token.Reveal(), "t");
  EXPECT_EQ(EnvironmentCredentials(environment_)->expires_at_ms, std::nullopt);
  environment_.values["AWS_CREDENTIAL_EXPIRATION"] = "2009-10-12T17:50:30+00:00";
  EXPECT_EQ(EnvironmentCredentials(environment_)->expires_at_ms, 1255369830000);
  environment_.values["AWS_SECRET_ACCESS_KEY"] = "s\n";
  EXPECT_THROW(EnvironmentCredentials(environment_), Error);
  environment_.values.erase("AWS_ACCESS_KEY_ID");
  EXPECT_THROW(EnvironmentCredentials(environment_), Error);
}

TEST_F(CredentialsTest, AFileThatIsMissingIsNamed) {
  try {
    ReadCredentialsFile("/nowhere.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCredentials);
    EXPECT_STREQ(error.what(), "cannot read /nowhere.json: No such file or directory");
  }
}

TEST(PatternFile, HoldsOnePatternALine) {
  const test::TempFolder folder;
  const auto file =
      folder.Write("i.txt", "\xEF\xBB\xBF*.tmp\r\n\n# no\n  \n a b \n\\#yes\n#\nlast");
  EXPECT_EQ(ReadPatternFile(file), (std::vector<std::string>{"*.tmp", " a b ", "\\#yes", "last"}));
  EXPECT_TRUE(ReadPatternFile(folder.Write("e.txt", "")).empty());
}

TEST(PatternFile, ThatIsMissingOrTooLargeIsNamed) {
  const test::TempFolder folder;
  try {
    ReadPatternFile("/nowhere/i.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_STREQ(error.what(), "cannot read /nowhere/i.txt: No such file or directory");
  }
  EXPECT_THROW(ReadPatternFile(folder.Write("l.txt", std::string((16 << 20) + 1, 'x'))), Error);
}

}  // namespace
}  // namespace ferry
