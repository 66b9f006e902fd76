#include "batch/credentials/service_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/base/human.h"
#include "batch/config/aws_names.h"
#include "batch/config/credentials.h"
#include "batch/store/classify.h"
#include "batch/store/s3_answer.h"
#include "batch/store/waiting_http.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownBytesMax = 300;
constexpr std::size_t kTokenBytesMax = 16 * 1024;

std::string TextOf(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

std::string Without(std::string text, std::string_view hidden) {
  if (hidden.empty()) return text;
  for (std::size_t at = 0; (at = text.find(hidden, at)) != std::string::npos;) {
    text.replace(at, hidden.size(), "(hidden)");
  }
  return text;
}

bool MaySucceedLater(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kThrottled ||
         kind == ErrorKind::kStopped;
}

// STS API reference, AssumeRoleWithWebIdentity: "retry", for a provider of identities that did not
// answer AWS.
ErrorKind KindOf(int status, std::string_view code) {
  if (code == "IDPCommunicationError") return ErrorKind::kUnavailable;
  const ErrorKind kind = Classify(status, code).value_or(ErrorKind::kCredentials);
  return MaySucceedLater(kind) ? kind : ErrorKind::kCredentials;
}

[[noreturn]] void Refuse(const ServiceCall& call, const HttpAnswer& answer) {
  const ServiceRefusal refusal = ReadServiceRefusal(answer);
  std::string said = Without(refusal.message, call.hidden);
  said = OneLine(std::string_view(said).substr(0, kShownBytesMax));
  std::string text = fmt::format("{}: HTTP {}", call.who, answer.status);
  if (!refusal.code.empty()) {
    text += ": " + OneLine(std::string_view(refusal.code).substr(0, kShownBytesMax));
  }
  if (!said.empty()) text += ": " + said;
  const std::string_view advice =
      refusal.code.starts_with("AccessDenied") ? call.denied_advice : AdviceForCode(refusal.code);
  if (!advice.empty()) text.append("; ").append(advice);
  throw Error(KindOf(answer.status, refusal.code), text,
              refusal.code.empty() ? fmt::format("HTTP {}", answer.status) : refusal.code);
}

}  // namespace

ServiceRefusal ReadServiceRefusal(const HttpAnswer& answer) {
  if (const auto error = ParseErrorBody(answer.body)) return {error->code, error->message};
  const Json parsed = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  // A web page says nothing that the status does not.
  if (!parsed.is_object()) return {{}, answer.body.starts_with('<') ? "" : answer.body};
  std::string code = TextOf(parsed, {"__type", "code", "Code"});
  code.erase(0, code.rfind('#') + 1);
  code.erase(std::min(code.find(':'), code.size()));
  return {code, TextOf(parsed, {"message", "Message"})};
}

std::string AskService(const ServiceCall& call, const std::stop_token& stop) {
  // Time-outs pass in real time, whichever clock says when keys end.
  SystemClock clock;
  HttpAnswer answer;
  try {
    answer = SendAndWait(call.who, call.request, clock,
                         {.timeout = call.timeout,
                          .connect_timeout = call.connect_timeout,
                          .answer_bytes_max = kKeysAnswerBytesMax,
                          .direct = call.direct},
                         stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    const bool silent = MaySucceedLater(error.kind());
    throw Error(silent ? call.silence : ErrorKind::kCredentials,
                std::string(error.what()) + std::string(silent ? call.advice : ""), error.code());
  }
  if (answer.status != 200) Refuse(call, answer);
  return std::move(answer.body);
}

AwsPlace AwsPlaceOf(const std::string& service, const std::string& region,
                    const Environment& environment, const std::string& override_name) {
  if (!IsAwsRegion(region)) {
    throw Error(ErrorKind::kCredentials, "the region of " + service + " is no name of a region");
  }
  AwsPlace place{service, region, {}};
  const std::string named = environment.Get(override_name).value_or("");
  if (!named.empty()) {
    try {
      place.endpoint = ParseEndpoint(named);
    } catch (const Error& error) {
      throw Error(ErrorKind::kCredentials, override_name + ": " + error.what());
    }
    return place;
  }
  place.endpoint.host = service + "." + region + std::string(AwsDomainOf(region));
  return place;
}

HttpRequest SignedPost(const AwsPlace& place, const std::string& path, NameValues headers,
                       std::string_view body, const Credentials& keys, WallTime now) {
  headers.emplace_back("host", place.endpoint.Authority());
  Signer signer(keys, {place.region, place.service, SignProfile::kGeneric});
  const NameValues no_query;
  const SignedRequest signature =
      signer.Sign({"POST", path, no_query, headers, PayloadHash(body)}, now);
  HttpRequest request;
  request.method = Method::kPost;
  request.url = place.endpoint.Url() + path;
  request.headers = std::move(headers);
  request.headers.insert(request.headers.end(), signature.headers.begin(), signature.headers.end());
  request.body = body;
  return request;
}

Credentials ToCredentials(const AccessKeys& keys) {
  return {keys.access_key_id, keys.secret_access_key.Reveal(), keys.session_token.Reveal()};
}

void CheckKeys(const AccessKeys& keys, const std::string& who) {
  const auto check = [&](const std::string& text, const char* name) {
    if (text.empty()) throw Error(ErrorKind::kCredentials, who + ": no " + name + " in the answer");
    if (IsSoundSecret(text) && text.size() <= kTokenBytesMax) return;
    throw Error(ErrorKind::kCredentials,
                fmt::format("{}: the answer holds no usable {}", who, name));
  };
  check(keys.access_key_id, "access key id");
  check(keys.secret_access_key.Reveal(), "secret access key");
  if (!keys.session_token.empty()) check(keys.session_token.Reveal(), "session token");
}

}  // namespace ferry
