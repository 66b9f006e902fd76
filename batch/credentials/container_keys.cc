#include "batch/credentials/container_keys.h"

#include <algorithm>

#include "batch/base/error.h"
#include "batch/config/credentials.h"
#include "batch/config/token_file.h"
#include "batch/credentials/keys_json.h"
#include "batch/credentials/service_call.h"
#include "batch/store/uri.h"

namespace ferry {
namespace {

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr std::string_view kEcsAgent = "http://169.254.170.2";
constexpr std::chrono::seconds kTimeout{5};
constexpr std::chrono::seconds kConnectTimeout{2};

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorKind::kCredentials, "container endpoint: " + why);
}

// 127.0.0.0/8, written as four numbers: a name could mean anything.
bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// ECS, and EKS in either family (link-local addresses of the agents).
bool IsOfThisHost(std::string_view host) {
  constexpr std::string_view kHosts[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                         "[fd00:ec2::23]"};
  return IsLoopback(host) ||
         std::find(std::begin(kHosts), std::end(kHosts), host) != std::end(kHosts);
}

// "https://host:port" of "https://host:port/path?query".
std::string_view OriginOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

bool IsPlainPath(std::string_view text) {
  return IsSoundSecret(text) && text.find_first_of("#\\") == std::string_view::npos;
}

}  // namespace

std::string ContainerUrl(const Environment& environment) {
  const std::string relative = environment.Get(kRelative).value_or("");
  if (!relative.empty()) {
    // Without the slash it would go on with the host's name.
    if (!relative.starts_with('/') || !IsPlainPath(relative)) {
      Refuse(std::string(kRelative) + " is no path that begins with /");
    }
    return std::string(kEcsAgent) + relative;
  }
  const std::string full = environment.Get(kFull).value_or("");
  if (full.empty()) return {};
  EndpointUrl origin;
  try {
    origin = ParseEndpointUrl(OriginOf(full));
  } catch (const Error& error) {
    Refuse(std::string(kFull) + ": " + error.what());
  }
  if (!IsPlainPath(full)) Refuse(std::string(kFull) + " holds what no address does");
  if (!origin.tls && !IsOfThisHost(origin.host)) {
    Refuse(std::string(kFull) + " names " + origin.host +
           " over http: only https, a loopback address, 169.254.170.2, 169.254.170.23 and "
           "[fd00:ec2::23] are asked for keys");
  }
  return full;
}

std::string ContainerKeys::WhyNotOffered() const {
  for (const char* name : {kRelative, kFull}) {
    if (!environment_.Get(name).value_or("").empty()) return {};
  }
  return std::string(kRelative) + " and " + kFull + " are not set";
}

AccessKeys ContainerKeys::Fetch(const std::stop_token& stop) {
  ServiceCall call;
  call.request.url = ContainerUrl(environment_);
  if (call.request.url.empty()) Refuse(WhyNotOffered());
  const std::string_view origin = OriginOf(call.request.url);
  call.who = "container endpoint at " + std::string(origin);
  call.timeout = kTimeout;
  call.connect_timeout = kConnectTimeout;
  call.direct = origin.starts_with("http://");
  std::string token = environment_.Get(kToken).value_or("");
  const std::string file = environment_.Get(kTokenFile).value_or("");
  if (!file.empty()) {
    try {
      token = ReadTokenFile(file).Reveal();
    } catch (const Error& error) {
      Refuse(error.what());
    }
  } else if (token.find_first_of("\r\n") != std::string::npos) {
    Refuse(std::string(kToken) + " holds a line break");
  }
  if (!token.empty()) call.request.headers = {{"authorization", token}};
  call.hidden = token;
  return ParseKeysJson(AskService(call, stop), call.who);
}

}  // namespace ferry
