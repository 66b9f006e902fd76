#include "batch/credentials/keys_json.h"

#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/time_text.h"
#include "batch/credentials/service_call.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownBytesMax = 300;

[[noreturn]] void Refuse(const std::string& who, const std::string& why) {
  throw Error(ErrorKind::kCredentials, who + ": " + why);
}

std::string TextOf(const Json& object, const char* name, const std::string& who) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) {
    Refuse(who, std::string("the answer holds something else than a text as ") + name);
  }
  return found->get<std::string>();
}

}  // namespace

AccessKeys ParseKeysJson(const std::string& text, const std::string& who) {
  // Without exceptions: the parser's own messages quote the text.
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) Refuse(who, "the answer is not a JSON object");
  const std::string code = TextOf(object, "Code", who);
  if (!code.empty() && code != "Success") {
    const std::string message = TextOf(object, "Message", who);
    Refuse(who, OneLine(std::string_view(code + (message.empty() ? "" : ": ") + message)
                            .substr(0, kShownBytesMax)));
  }
  AccessKeys keys;
  keys.access_key_id = TextOf(object, "AccessKeyId", who);
  keys.secret_access_key = Secret(TextOf(object, "SecretAccessKey", who));
  keys.session_token = Secret(TextOf(object, "Token", who));
  CheckKeys(keys, who);
  const std::string expiration = TextOf(object, "Expiration", who);
  if (expiration.empty()) return keys;
  keys.expires_at_ms = ParseRfc3339(expiration);
  if (!keys.expires_at_ms) Refuse(who, "the answer says no time as Expiration");
  return keys;
}

}  // namespace ferry
