// `credentials`, wherever they stand.

#include "batch/config/sections.h"

namespace ferry {

using yaml::Map;
using yaml::Value;

CredentialsConfig ReadCredentials(const Value& value) {
  const Map keys =
      value.Keys({"access_key_id", "secret_access_key", "session_token", "file", "anonymous"});
  CredentialsConfig credentials;
  const bool fixed =
      keys.Has("access_key_id") || keys.Has("secret_access_key") || keys.Has("session_token");
  if (int{fixed} + int{keys.Has("file")} + int{keys.Has("anonymous")} != 1) {
    value.Fail("give one of access_key_id with secret_access_key, file, anonymous: true");
  }
  if (const auto file = keys.Find("file")) {
    credentials.kind = CredentialsConfig::Kind::kFile;
    credentials.file = file->Path();
    return credentials;
  }
  if (const auto anonymous = keys.Find("anonymous")) {
    credentials.kind = CredentialsConfig::Kind::kAnonymous;
    if (!anonymous->Bool()) anonymous->Fail("can only be true");
    return credentials;
  }
  credentials.kind = CredentialsConfig::Kind::kStatic;
  const auto needed = [&](std::string_view key) {
    const Value text = keys.Need(key);
    Secret secret = text.SecretText();
    const bool filled = text.reading().credentials == CredentialUse::kNeeded;
    if (filled && secret.empty()) text.Fail("is empty");
    return secret;
  };
  credentials.keys.access_key_id = needed("access_key_id").Reveal();
  credentials.keys.secret_access_key = needed("secret_access_key");
  if (const auto token = keys.Find("session_token")) {
    credentials.keys.session_token = token->SecretText();
  }
  return credentials;
}

}  // namespace ferry
