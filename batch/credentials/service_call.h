// Asking a service for keys: bounded answers, and refusals as errors of one line.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/config/config.h"
#include "batch/config/endpoint.h"
#include "batch/config/environment.h"
#include "batch/store/http.h"
#include "batch/store/sigv4.h"

namespace ferry {

// Every answer with keys is far below: tokens of STS are at most a few KiB.
inline constexpr std::size_t kKeysAnswerBytesMax = 64 * 1024;

struct ServiceCall {
  // "STS at https://sts.us-east-1.amazonaws.com": what errors begin with.
  std::string who;
  HttpRequest request;
  std::chrono::milliseconds timeout{10'000};
  std::chrono::seconds connect_timeout{5};
  bool direct = false;             // without a proxy
  std::string_view hidden;         // what the service was sent and may repeat, and errors must not
  std::string_view denied_advice;  // what to do when it says AccessDenied
  // Of an error when nobody answers at all: its kind, and what may be why.
  ErrorKind silence = ErrorKind::kUnavailable;
  std::string_view advice;
};

// The body of a 200. Throws Error: kUnavailable or kThrottled where the same call may succeed
// later, kStopped; kCredentials with what the service said for everything else. The code is the
// service's own, or "HTTP 404".
std::string AskService(const ServiceCall& call, const std::stop_token& stop);

// What a service said for an answer that is no 200; either may be empty.
struct ServiceRefusal {
  std::string code;
  std::string message;
};

// STS: XML. Others: {"__type": "com.amazonaws...#AccessDeniedException", "Message": ...}.
// Containers: {"code": ..., "message": ...}, or a line of text.
ServiceRefusal ReadServiceRefusal(const HttpAnswer& answer);

// A service of AWS in a region.
struct AwsPlace {
  std::string service;  // as signed
  std::string region;   // as signed
  EndpointConfig endpoint;
};

// SERVICE.REGION.amazonaws.com, with .cn in China; or what the environment variable
// `override_name` (AWS_ENDPOINT_URL_STS) names instead, as AWS documents it ("Service-specific
// endpoints" in its SDKs and Tools reference). Throws Error{kCredentials} for what is no region or
// endpoint.
AwsPlace AwsPlaceOf(const std::string& service, const std::string& region,
                    const Environment& environment, const std::string& override_name);

// POST `path` with host, date and signature. The request refers to `body`.
HttpRequest SignedPost(const AwsPlace& place, const std::string& path, NameValues headers,
                       std::string_view body, const Credentials& keys, WallTime now);

Credentials ToCredentials(const AccessKeys& keys);

// Throws Error{kCredentials} naming `who` where a key is missing or holds what none does, or the
// token is too long for a header.
void CheckKeys(const AccessKeys& keys, const std::string& who);

}  // namespace ferry
