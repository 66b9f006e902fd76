#include "batch/events/event_webhooks.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/config/token_file.h"
#include "batch/serve/bearer.h"

namespace ferry {
namespace {

const MessageAnswer kSendAgain = {503, "not stored, send it again\n", {{"Retry-After", "10"}}};

// Of a form in the body; empty where there is none. What is no form is told later.
std::string TokenField(const std::string& body) {
  if (body.find("token=") == std::string::npos) return {};
  try {
    for (const auto& [name, value] : ParseForm(body)) {
      if (name == "token") return value;
    }
  } catch (const Error&) {
  }
  return {};
}

MessageServerOptions OptionsOf(const ListenConfig& listen) {
  FERRY_CHECK(!listen.token_file.empty());
  try {
    ReadTokenFile(listen.token_file);  // a file that is not there is told now, and not to stores
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig, std::string("listen.token_file: ") + error.what());
  }
  return {.section = "listen",
          .listen = listen.listen,
          .body_bytes_max = kWebhookBytesMax,
          .certificate = listen.certificate,
          .key = listen.key,
          .client_ca = listen.client_ca};
}

}  // namespace

EventEndpoints::EventEndpoints(const ListenConfig& listen, const std::vector<TaskConfig>& tasks,
                               EventSink sink, EventCounters& counters)
    : listen_(listen),
      router_(tasks, std::string(kWebhook), counters),
      sink_(std::move(sink)),
      counters_(counters) {}

MessageAnswer EventEndpoints::Answer(const MessageRequest& request) {
  if (request.path == "/events") {
    if (request.method != "POST") return {405, "only POST\n", {{"Allow", "POST"}}};
    return Accept(request);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool health = request.path == "/healthz" || request.path == "/-/healthy";
  if (health && reads) return {200, "healthy\n"};
  return {404, "not found: POST /events, GET /healthz\n"};
}

bool EventEndpoints::IsAllowed(const MessageRequest& request) const {
  const Secret token = ReadTokenFile(listen_.token_file);
  if (!request.authorization.empty()) {
    return IsBearer(request.authorization, token) || IsBasicPassword(request.authorization, token);
  }
  return request.body.size() <= kWebhookBytesMax && IsToken(TokenField(request.body), token);
}

MessageAnswer EventEndpoints::Accept(const MessageRequest& request) {
  try {
    if (!IsAllowed(request)) {
      ++counters_.refused;
      log::Warn("events were refused: the token is missing or wrong");
      // Basic: SNS sends the user and password of its URL only when it is asked for them.
      return {401,
              "the token is missing or wrong\n",
              {{"WWW-Authenticate", "Basic realm=\"bucketferry\""}}};
    }
  } catch (const Error& error) {
    // The token is being replaced: no reason for a store to give up.
    log::Error("cannot tell who may send events", {{"error", error.what()}});
    return kSendAgain;
  }
  if (request.body.size() > kWebhookBytesMax) {
    ++counters_.poison;
    return {413, fmt::format("the message is larger than {} bytes\n", kWebhookBytesMax)};
  }
  EventMessage message;
  try {
    message = ParseWebhookMessage(request.body, request.query);
  } catch (const Error& error) {
    ++counters_.poison;
    log::Warn("a message that cannot be read", {{"from", kWebhook}, {"error", error.what()}});
    return {400, std::string(error.what()) + "\n"};
  }
  return Store(message);
}

MessageAnswer EventEndpoints::Store(const EventMessage& message) {
  counters_.ignored += message.ignored;
  std::vector<NewEvent> events;
  const std::size_t wanted = router_.Route(message.events, events);
  SortEvents(events);
  try {
    if (!events.empty()) sink_(events);
  } catch (const std::exception& error) {
    ++counters_.failed;
    log::Warn("events could not be stored and are to be sent again",
              {{"from", kWebhook}, {"events", wanted}, {"error", error.what()}});
    return kSendAgain;
  }
  counters_.stored += static_cast<std::int64_t>(wanted);
  log::Debug("events", {{"from", kWebhook}, {"events", message.events.size()}, {"stored", wanted}});
  return {200, fmt::format("stored: {} of {} events\n", wanted, message.events.size())};
}

EventWebhooks::EventWebhooks(const ListenConfig& listen, const std::vector<TaskConfig>& tasks,
                             EventSink sink, EventCounters& counters)
    : endpoints_(listen, tasks, std::move(sink), counters),
      server_(OptionsOf(listen),
              [this](const MessageRequest& request) { return endpoints_.Answer(request); }) {}

std::string EventWebhooks::address() const { return server_.address(); }

}  // namespace ferry
