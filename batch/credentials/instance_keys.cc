#include "batch/credentials/instance_keys.h"

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/config/credentials.h"
#include "batch/config/endpoint.h"
#include "batch/credentials/keys_json.h"
#include "batch/credentials/service_call.h"
#include "batch/store/uri.h"

namespace ferry {
namespace {

constexpr const char* kDisabled = "AWS_EC2_METADATA_DISABLED";
constexpr const char* kEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
constexpr const char* kMode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
constexpr const char* kTokenPath = "/latest/api/token";
constexpr const char* kRolesPath = "/latest/meta-data/iam/security-credentials/";
constexpr std::chrono::seconds kTimeout{2};
constexpr std::chrono::seconds kConnectTimeout{1};
constexpr std::size_t kTokenBytesMax = 1024;  // real ones: 56
constexpr std::size_t kRoleBytesMax = 64;     // IAM API reference, CreateRole

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

// The first line.
std::string LineOf(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

}  // namespace

std::string InstanceKeys::WhyNotOffered() const {
  const bool disabled = Lower(environment_.Get(kDisabled).value_or("")) == "true";
  return disabled ? std::string(kDisabled) + " is true" : std::string();
}

std::string InstanceKeys::Endpoint() const {
  const std::string named = environment_.Get(kEndpoint).value_or("");
  if (!named.empty()) {
    try {
      return ParseEndpoint(named).Url();
    } catch (const Error& error) {
      throw Error(ErrorKind::kCredentials,
                  "instance metadata: " + std::string(kEndpoint) + ": " + error.what());
    }
  }
  const bool v6 = Lower(environment_.Get(kMode).value_or("")) == "ipv6";
  return v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

AccessKeys InstanceKeys::Fetch(const std::stop_token& stop) {
  const std::string endpoint = Endpoint();
  ServiceCall call;
  call.who = "instance metadata at " + endpoint;
  call.timeout = kTimeout;
  call.connect_timeout = kConnectTimeout;
  call.direct = true;
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::kCredentials, call.who + ": " + why);
  };

  call.request.method = Method::kPut;
  call.request.url = endpoint + kTokenPath;
  call.request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  // The answer takes one hop: with a limit of one it does not reach a container.
  call.silence = ErrorKind::kCredentials;
  call.advice = " (no EC2 instance? in a container its hop limit must be 2)";
  const std::string token = AskService(call, stop);
  if (token.empty() || token.size() > kTokenBytesMax || !IsSoundSecret(token)) {
    refuse("the answer is no session token");
  }

  call.request = {};
  call.request.headers = {{"x-aws-ec2-metadata-token", token}};
  call.hidden = token;
  call.request.url = endpoint + kRolesPath;
  std::string role;
  try {
    role = LineOf(AskService(call, stop));
  } catch (const Error& error) {
    if (error.code() != "HTTP 404") throw;
    refuse("no role is attached to this instance");
  }
  if (role.empty() || role.size() > kRoleBytesMax || !IsSoundSecret(role)) {
    refuse("no role is attached to this instance");
  }

  call.request.url = endpoint + kRolesPath + UriEncode(role, SlashRule::kEncode);
  const AccessKeys keys = ParseKeysJson(AskService(call, stop), call.who);
  role_ = " (role " + OneLine(role) + ")";
  return keys;
}

}  // namespace ferry
