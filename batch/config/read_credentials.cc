// `credentials`, wherever they stand.

#include <algorithm>

#include "batch/config/aws_names.h"
#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

// STS API reference, AssumeRole: ExternalId, RoleSessionName. Secrets Manager API reference,
// CreateSecret: Name, and an ARN of it.
constexpr std::size_t kExternalIdBytesMax = 1224;
constexpr std::size_t kSessionNameBytesMax = 64;
constexpr std::size_t kSecretNameBytesMax = 2048;
constexpr std::size_t kRegionBytesMax = 40;
constexpr std::chrono::minutes kDurationMin{15};
constexpr std::chrono::hours kDurationMax{12};

bool IsFilled(const Value& value) { return value.reading().credentials == CredentialUse::kNeeded; }

// Names that are filled from the environment where credentials are, and empty where those are left
// out. Of [A-Za-z0-9_] and `also`, `bytes_min` to `bytes_max` bytes.
std::string NameText(const Value& value, std::size_t bytes_min, std::size_t bytes_max,
                     std::string_view also) {
  std::string text = value.SecretText().Reveal();
  if (!IsFilled(value)) return text;
  const bool fits = text.size() >= bytes_min && text.size() <= bytes_max;
  const bool sound = std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           also.find(c) != std::string_view::npos;
  });
  if (!fits || !sound) {
    value.Fail("must be " + std::to_string(bytes_min) + " to " + std::to_string(bytes_max) +
               " letters, digits and _" + std::string(also));
  }
  return text;
}

Secret Needed(const Map& keys, std::string_view key) {
  const Value text = keys.Need(key);
  Secret secret = text.SecretText();
  if (IsFilled(text) && secret.empty()) text.Fail("is empty");
  return secret;
}

AccessKeys ReadKeys(const Map& keys) {
  AccessKeys fixed;
  fixed.access_key_id = Needed(keys, "access_key_id").Reveal();
  fixed.secret_access_key = Needed(keys, "secret_access_key");
  if (const auto token = keys.Find("session_token")) fixed.session_token = token->SecretText();
  return fixed;
}

SecretPlace ReadSecret(const Value& value) {
  const Map keys = value.Keys({"name", "region"});
  SecretPlace secret;
  const Value name = keys.Need("name");
  secret.name = NameText(name, 1, kSecretNameBytesMax, "/+=.@!:-");
  const Value region = keys.Need("region");
  secret.region = NameText(region, 1, kRegionBytesMax, "-");
  if (!IsFilled(value)) return secret;
  if (!IsAwsRegion(secret.region)) region.Fail("is no name of a region (us-east-1)");
  if (secret.name.starts_with("arn:") && RegionOfArn(secret.name) != secret.region) {
    name.Fail("is the ARN of a secret in another region");
  }
  return secret;
}

RoleToAssume ReadRole(const Map& keys, std::string_view region) {
  RoleToAssume role;
  const Value arn = keys.Need("role_arn");
  role.arn = arn.SecretText().Reveal();
  if (IsFilled(arn)) {
    if (!IsRoleArn(role.arn)) arn.Fail("is no ARN of a role (arn:aws:iam::123456789012:role/NAME)");
    // Elsewhere regions are of no partition, whatever they are called.
    const std::string why = region.empty() ? std::string() : OtherPartition(role.arn, region);
    if (!why.empty()) arn.Fail(why);
  }
  if (const auto id = keys.Find("external_id")) {
    role.external_id = NameText(*id, 2, kExternalIdBytesMax, "+=,.@:/-");
  }
  if (const auto name = keys.Find("session_name")) {
    role.session_name = NameText(*name, 2, kSessionNameBytesMax, "+=,.@-");
  }
  if (const auto duration = keys.Find("duration")) {
    role.duration =
        std::chrono::floor<std::chrono::seconds>(duration->Duration({kDurationMin, kDurationMax}));
  }
  return role;
}

// Which of the kinds stands there; with a role it may be none.
void CheckOneKind(const Map& keys, bool fixed) {
  const int kinds =
      int{fixed} + int{keys.Has("file")} + int{keys.Has("secret")} + int{keys.Has("anonymous")};
  const bool role = keys.Has("role_arn");
  if (kinds > 1 || (kinds == 0 && !role)) {
    keys.whole().Fail(
        "give one of access_key_id with secret_access_key, file, secret, anonymous: true; or "
        "role_arn, alone or beside one of the first three");
  }
  if (role && keys.Has("anonymous")) {
    keys.whole().Fail("nobody assumes a role anonymously: leave out role_arn or anonymous");
  }
  for (const std::string_view key : {"external_id", "session_name", "duration"}) {
    if (role || !keys.Has(key)) continue;
    keys.whole().Fail(std::string(key) + " is of a role, and role_arn is not there");
  }
}

}  // namespace

CredentialsConfig ReadCredentials(const Value& value, std::string_view region) {
  const Map keys =
      value.Keys({"access_key_id", "secret_access_key", "session_token", "file", "secret",
                  "anonymous", "role_arn", "external_id", "session_name", "duration"});
  const bool fixed =
      keys.Has("access_key_id") || keys.Has("secret_access_key") || keys.Has("session_token");
  CheckOneKind(keys, fixed);
  CredentialsConfig credentials;
  if (fixed) {
    credentials.kind = CredentialsConfig::Kind::kStatic;
    credentials.keys = ReadKeys(keys);
  } else if (const auto file = keys.Find("file")) {
    credentials.kind = CredentialsConfig::Kind::kFile;
    credentials.file = file->Path();
  } else if (const auto secret = keys.Find("secret")) {
    credentials.kind = CredentialsConfig::Kind::kSecret;
    credentials.secret = ReadSecret(*secret);
  } else if (const auto anonymous = keys.Find("anonymous")) {
    credentials.kind = CredentialsConfig::Kind::kAnonymous;
    if (!anonymous->Bool()) anonymous->Fail("can only be true");
  }
  if (keys.Has("role_arn")) credentials.role = ReadRole(keys, region);
  return credentials;
}

}  // namespace ferry
