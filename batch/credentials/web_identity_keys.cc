#include "batch/credentials/web_identity_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/key.h"
#include "batch/config/aws_names.h"
#include "batch/config/bounded_file.h"
#include "batch/config/token_file.h"
#include "batch/credentials/sts.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTokenBytesMax = 20'000;  // STS API reference, WebIdentityToken
constexpr const char* kSessionName = "bucketferry";

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorKind::kCredentials, "web identity: " + why);
}

// base64url without padding (RFC 7515 section 2).
std::optional<std::string> FromBase64Url(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return FromBase64(text);
}

// The claims of HEADER.CLAIMS.SIGNATURE (RFC 7519). Who checks the signature is STS.
Json ClaimsOf(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos || token.find('.', second + 1) != std::string::npos) return {};
  const auto text = FromBase64Url(token.substr(first + 1, second - first - 1));
  return text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
}

void CheckToken(const std::string& token, const std::filesystem::path& file, WallTime now) {
  if (token.size() > kTokenBytesMax) {
    Refuse(fmt::format("the token in {} is longer than the {} bytes that STS takes", Shown(file),
                       kTokenBytesMax));
  }
  const Json claims = ClaimsOf(token);
  if (!claims.is_object())
    Refuse("what " + Shown(file) + " holds is no web identity token (a JWT)");
  const auto end = claims.find("exp");
  if (end == claims.end() || !end->is_number()) return;
  const double seconds = end->get<double>();
  const auto unix_now = std::chrono::duration<double>(now.time_since_epoch()).count();
  constexpr double kSecondsMax = 1e11;
  if (seconds > unix_now || seconds < 0 || seconds > kSecondsMax) return;
  Refuse(fmt::format("the token in {} ended at {}: what renews it, or this host's clock, is behind",
                     Shown(file), HumanMoment(static_cast<std::int64_t>(seconds * 1000))));
}

}  // namespace

std::string WebIdentityKeys::Name() const {
  const std::string role = Variable("AWS_ROLE_ARN");
  return role.empty() ? "web identity" : "web identity (role " + OneLine(role) + ")";
}

std::string WebIdentityKeys::WhyNotOffered() const {
  if (!Variable("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return {};
  return "AWS_WEB_IDENTITY_TOKEN_FILE is not set";
}

AccessKeys WebIdentityKeys::Fetch(const std::stop_token& stop) {
  const std::filesystem::path file = Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (file.empty()) Refuse(WhyNotOffered());
  const std::string role = Variable("AWS_ROLE_ARN");
  if (role.empty()) Refuse("AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
  if (!IsRoleArn(role)) Refuse("AWS_ROLE_ARN is no ARN of a role");
  const std::string session = Variable("AWS_ROLE_SESSION_NAME");
  Secret token;
  try {
    token = ReadTokenFile(file);
  } catch (const Error& error) {
    Refuse(error.what());
  }
  CheckToken(token.Reveal(), file, clock_.WallNow());
  StsCall call;
  call.place = StsPlaceOf(role, region_, environment_);
  call.what = "to assume " + role + " by web identity";
  call.form = {{"Action", "AssumeRoleWithWebIdentity"},
               {"RoleArn", role},
               {"RoleSessionName", session.empty() ? kSessionName : session},
               {"WebIdentityToken", token.Reveal()}};
  call.hidden = token.Reveal();
  return AskSts(call, clock_, stop);
}

}  // namespace ferry
