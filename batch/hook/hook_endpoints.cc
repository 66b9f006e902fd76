#include "batch/hook/hook_endpoints.h"

#include <fmt/format.h>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/config/token_file.h"
#include "batch/serve/bearer.h"

namespace ferry {
namespace {

bool TakesMessages(const std::string& path) { return path == "/refresh" || path == "/events"; }

}  // namespace

MessageAnswer HookEndpoints::Answer(const MessageRequest& request) {
  if (TakesMessages(request.path)) {
    if (request.method != "POST") return {405, "only POST\n", {{"Allow", "POST"}}};
    return Accept(request);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.path == "/-/healthy" && reads) return {200, "healthy\n"};
  if (request.path == "/-/ready" && reads) {
    return intake_.IsReady() ? MessageAnswer{200, "ready\n"}
                             : MessageAnswer{503, "the database does not answer\n"};
  }
  return {404, "not found: POST /refresh or /events, GET /-/healthy or /-/ready\n"};
}

bool HookEndpoints::IsAllowed(const MessageRequest& request) const {
  return config_.token_file.empty() ||
         IsBearer(request.authorization, ReadTokenFile(config_.token_file));
}

MessageAnswer HookEndpoints::Accept(const MessageRequest& request) {
  try {
    if (!IsAllowed(request)) {
      log::Warn("a message was refused: its bearer token is missing or wrong");
      return {401, "the bearer token is missing or wrong\n", {{"WWW-Authenticate", "Bearer"}}};
    }
  } catch (const Error& error) {
    // The token is being replaced, or was never there: no reason for Alertmanager to give up.
    log::Error("cannot tell who may ask", {{"error", error.what()}});
    return {503, "the token cannot be read\n"};
  }
  if (request.body.size() > kAlertBytesMax) return {413, "the message is too large\n"};
  AlertMessage message;
  try {
    message = ParseAlertMessage(request.body);
  } catch (const Error& error) {
    log::Warn("a message that is none", {{"error", error.what()}});
    return {400, std::string(error.what()) + "\n"};
  }
  if (message.malformed > 0) {
    log::Warn("alerts without a task, a target or a run id", {{"alerts", message.malformed}});
  }
  try {
    const Accepted accepted = intake_.Accept(message);
    log::Debug("accepted", {{"refreshes", accepted.refreshes},
                            {"announcements", accepted.announcements},
                            {"unknown", accepted.unknown},
                            {"foreign", message.foreign}});
    return {200, fmt::format("accepted: {} refreshes, {} announcements\n", accepted.refreshes,
                             accepted.announcements)};
  } catch (const Error& error) {
    log::Warn("a message could not be accepted and is to be sent again", {{"error", error.what()}});
    return {503, "not accepted, send it again\n"};
  }
}

}  // namespace ferry
