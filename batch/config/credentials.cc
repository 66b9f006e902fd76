#include "batch/config/credentials.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "batch/base/log.h"
#include "batch/base/time_text.h"
#include "batch/config/bounded_file.h"

namespace ferry {
namespace {

constexpr std::size_t kCredentialsFileBytesMax = 64 * 1024;
using Json = nlohmann::json;

[[noreturn]] void Refuse(const std::string& what, const std::string& why) {
  throw Error(ErrorKind::kCredentials, what + " " + why);
}

// The text under `name` or aws_`name`; empty when there is none.
std::string TextOf(const Json& object, const std::string& name, const std::string& what) {
  auto found = object.find(name);
  if (found == object.end()) found = object.find("aws_" + name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) Refuse(what, "holds something else than a text as " + name);
  const std::string& text = found->get_ref<const std::string&>();
  if (!IsSoundSecret(text)) Refuse(what, "holds a blank or a control character in " + name);
  return text;
}

// Written by what renews the keys, and shown to whoever watches them; no request depends on it.
std::optional<std::int64_t> ExpirationOf(const Json& object, const std::string& what) {
  for (const char* name : {"expiration", "Expiration"}) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) continue;
    if (found->is_string()) {
      if (const auto at = ParseRfc3339(found->get_ref<const std::string&>())) return at;
    }
    log::Warn("credentials say no time as their expiration; nobody will warn before it",
              {{"credentials", what}, {"name", name}, {"expected", "2026-03-01T12:00:00Z"}});
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool IsSoundSecret(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F;
  });
}

AccessKeys ParseCredentials(const std::string& text, const std::string& what) {
  // Without exceptions: the parser's own messages quote the text.
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) Refuse(what, "is not a JSON object");
  AccessKeys keys;
  keys.access_key_id = TextOf(object, "access_key_id", what);
  keys.secret_access_key = Secret(TextOf(object, "secret_access_key", what));
  keys.session_token = Secret(TextOf(object, "session_token", what));
  keys.expires_at_ms = ExpirationOf(object, what);
  if (keys.access_key_id.empty()) Refuse(what, "lacks access_key_id");
  if (keys.secret_access_key.empty()) Refuse(what, "lacks secret_access_key");
  return keys;
}

AccessKeys ReadCredentialsFile(const std::filesystem::path& file) {
  return ParseCredentials(ReadBoundedFile(file, kCredentialsFileBytesMax, ErrorKind::kCredentials),
                          "credentials file " + Shown(file));
}

std::optional<AccessKeys> EnvironmentCredentials(const Environment& environment) {
  const auto get = [&](const char* name) {
    const std::string text = environment.Get(name).value_or("");
    if (!IsSoundSecret(text)) {
      throw Error(ErrorKind::kCredentials,
                  std::string(name) + " holds a blank or a control character");
    }
    return text;
  };
  AccessKeys keys;
  keys.access_key_id = get("AWS_ACCESS_KEY_ID");
  keys.secret_access_key = Secret(get("AWS_SECRET_ACCESS_KEY"));
  keys.session_token = Secret(get("AWS_SESSION_TOKEN"));
  keys.expires_at_ms = ParseRfc3339(environment.Get("AWS_CREDENTIAL_EXPIRATION").value_or(""));
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::nullopt;
  if (keys.access_key_id.empty()) {
    throw Error(ErrorKind::kCredentials, "AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not");
  }
  if (keys.secret_access_key.empty()) {
    throw Error(ErrorKind::kCredentials, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
  }
  return keys;
}

}  // namespace ferry
