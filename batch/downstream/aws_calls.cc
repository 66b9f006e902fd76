#include "batch/downstream/aws_calls.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/config/aws_names.h"
#include "batch/downstream/http_call.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

// {"__type": "com.amazonaws...#InvalidGatewayRequestException", "message": "..."}
std::string JsonError(const HttpAnswer& answer) {
  const Json parsed = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return {};
  const auto text = [&](const char* name) {
    const auto found = parsed.find(name);
    return found != parsed.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::string type = text("__type");
  type.erase(0, type.rfind('#') + 1);
  std::string message = text("message");
  if (message.empty()) message = text("Message");
  return type.empty() ? message : type + (message.empty() ? "" : ": ") + message;
}

EndpointConfig EndpointOf(const std::optional<EndpointConfig>& configured, std::string host) {
  if (configured) return *configured;
  EndpointConfig implied;
  implied.host = std::move(host);
  return implied;
}

AwsPlace GatewayPlace(const StorageGatewayTarget& target) {
  const std::string domain(AwsDomainOf(target.region));
  return {"storagegateway", target.region,
          EndpointOf(target.endpoint, "storagegateway." + target.region + domain)};
}

AwsPlace CloudfrontPlace(const CloudfrontTarget& target) {
  const bool in_china = PartitionOfRegion(target.region) == "aws-cn";
  const std::string host =
      in_china ? "cloudfront." + target.region + ".amazonaws.com.cn" : "cloudfront.amazonaws.com";
  return {"cloudfront", target.region, EndpointOf(target.endpoint, host)};
}

}  // namespace

StorageGatewayCall::StorageGatewayCall(const std::string& name, const StorageGatewayTarget& target,
                                       const Environment& environment, Clock& clock)
    : name_(name),
      target_(target),
      api_(name, GatewayPlace(target), target.credentials, environment, clock) {}

RefreshOutcome StorageGatewayCall::Make(const Occasion&, std::chrono::milliseconds timeout,
                                        const std::stop_token& stop) {
  const Json body = {
      {"FileShareARN", target_.file_share}, {"FolderList", target_.folders}, {"Recursive", true}};
  const HttpAnswer answer = api_.Post("/",
                                      {{"content-type", "application/x-amz-json-1.1"},
                                       {"x-amz-target", "StorageGateway_20130630.RefreshCache"}},
                                      body.dump(), {.timeout = timeout}, stop);
  const std::string error = answer.status == 200 ? std::string() : JsonError(answer);
  if (!error.empty()) {
    throw Error(ErrorKind::kUnavailable,
                fmt::format("{}: HTTP {}: {}", name_, answer.status, OneLine(error)));
  }
  ExpectSuccess(name_, answer);
  return RefreshOutcome::kAccepted;
}

CloudfrontCall::CloudfrontCall(const std::string& name, const CloudfrontTarget& target,
                               const Environment& environment, Clock& clock)
    : name_(name),
      target_(target),
      api_(name, CloudfrontPlace(target), target.credentials, environment, clock) {}

RefreshOutcome CloudfrontCall::Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                                    const std::stop_token& stop) {
  std::string paths;
  for (const std::string& path : target_.paths) paths += "<Path>" + EscapeXml(path) + "</Path>";
  const std::string body =
      fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>)"
                  R"(<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">)"
                  "<Paths><Quantity>{}</Quantity><Items>{}</Items></Paths>"
                  "<CallerReference>{}</CallerReference></InvalidationBatch>",
                  target_.paths.size(), paths, EscapeXml(occasion.idempotency_key));
  const HttpAnswer answer =
      api_.Post("/2020-05-31/distribution/" + target_.distribution + "/invalidation",
                {{"content-type", "application/xml"}}, body, {.timeout = timeout}, stop);
  ExpectSuccess(name_, answer);
  return RefreshOutcome::kAccepted;
}

}  // namespace ferry
