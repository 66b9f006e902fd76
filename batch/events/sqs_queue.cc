#include "batch/events/sqs_queue.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/serve/shallow_json.h"
#include "batch/store/classify.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

// The longest that the service takes (ReceiveMessage, WaitTimeSeconds).
constexpr int kWaitSeconds = 20;
constexpr std::chrono::milliseconds kAnswerTime{10'000};
// Ten messages of 256 KiB, of which every second character is escaped. A message alone may be 1
// MiB.
constexpr std::size_t kAnswerBytesMax = std::size_t{16} << 20;
constexpr std::size_t kShownBytesMax = 300;

// "Actions, resources, and condition keys for Amazon SQS"; "Common errors" of its API reference.
std::string_view AdviceOf(std::string_view code) {
  static constexpr std::pair<std::string_view, std::string_view> kAdvice[] = {
      {"AccessDenied", "grant sqs:ReceiveMessage and sqs:DeleteMessage on the queue to these keys"},
      {"ExpiredToken", "renew the session token"},
      {"InvalidAddress", "check the queue's url"},
      {"InvalidClientTokenId", "check the queue's access key and region"},
      {"InvalidSignature", "check the queue's secret key and the clock of this host"},
      {"KmsAccessDenied", "grant kms:Decrypt on the queue's key to these keys"},
      {"OverLimit", "too many messages of the queue are in flight: who else reads it?"},
      {"QueueDoesNotExist", "check the queue's url, region and account"},
      {"SignatureDoesNotMatch", "check the queue's secret key and the clock of this host"},
      {"UnrecognizedClient", "check the queue's access key and region"},
  };
  for (const auto& [begin, advice] : kAdvice) {
    if (code.starts_with(begin)) return advice;
  }
  return AdviceForCode(code);
}

[[noreturn]] void Refuse(const std::string& who, const HttpAnswer& answer) {
  const ServiceRefusal refusal = ReadServiceRefusal(answer);
  const auto shown = [](const std::string& text) {
    return OneLine(std::string_view(text).substr(0, kShownBytesMax));
  };
  std::string text = fmt::format("{}: HTTP {}", who, answer.status);
  if (!refusal.code.empty()) text += ": " + shown(refusal.code);
  if (!refusal.message.empty()) text += ": " + shown(refusal.message);
  const std::string_view advice = AdviceOf(refusal.code);
  if (!advice.empty()) text.append("; ").append(advice);
  throw Error(Classify(answer.status, refusal.code).value_or(ErrorKind::kUnavailable), text,
              refusal.code.empty() ? fmt::format("HTTP {}", answer.status) : refusal.code);
}

Json ReadAnswer(const std::string& who, const std::string& body) {
  Json parsed = ParseShallowJson(body);
  if (!parsed.is_object()) throw Error(ErrorKind::kCorrupt, who + ": the answer is no JSON object");
  return parsed;
}

}  // namespace

SqsQueue::SqsQueue(const EventQueue& queue, const Environment& environment, Clock& clock)
    : queue_(queue),
      who_("queue " + queue.name),
      api_(who_, {"sqs", queue.region, queue.endpoint}, queue.credentials, environment, clock),
      http_(clock) {}

std::vector<QueueMessage> SqsQueue::Receive(int messages_max, const std::stop_token& stop) {
  const Json question = {{"QueueUrl", queue_.url},
                         {"MaxNumberOfMessages", messages_max},
                         {"WaitTimeSeconds", kWaitSeconds}};
  const Json answer = ReadAnswer(who_, Ask("ReceiveMessage", question.dump(),
                                           kAnswerTime + std::chrono::seconds(kWaitSeconds), stop));
  std::vector<QueueMessage> messages;
  const Json* const listed = JsonMember(answer, "Messages");
  if (listed == nullptr || listed->is_null()) return messages;
  for (const Json& one : *listed) {
    messages.push_back(
        {JsonText(one, "MessageId"), JsonText(one, "ReceiptHandle"), JsonText(one, "Body")});
    if (messages.back().receipt.empty()) {
      throw Error(ErrorKind::kCorrupt, who_ + ": a message came without a receipt");
    }
  }
  return messages;
}

void SqsQueue::Delete(const std::vector<QueueMessage>& messages, const std::stop_token& stop) {
  FERRY_CHECK(messages.size() <= static_cast<std::size_t>(kQueueMessagesMax));
  Json entries = Json::array();
  for (const QueueMessage& message : messages) {
    entries.push_back({{"Id", std::to_string(entries.size())}, {"ReceiptHandle", message.receipt}});
  }
  const Json question = {{"QueueUrl", queue_.url}, {"Entries", std::move(entries)}};
  const Json answer =
      ReadAnswer(who_, Ask("DeleteMessageBatch", question.dump(), kAnswerTime, stop));
  const Json* const failed = JsonMember(answer, "Failed");
  if (failed == nullptr || !failed->is_array() || failed->empty()) return;
  log::Warn("messages could not be deleted and will come again",
            {{"queue", queue_.name},
             {"messages", failed->size()},
             {"code", OneLine(JsonText(failed->front(), "Code"))}});
}

std::string SqsQueue::Ask(const char* action, const std::string& body,
                          std::chrono::milliseconds timeout, const std::stop_token& stop) {
  HttpAnswer answer =
      api_.Post(http_, "/",
                {{"content-type", "application/x-amz-json-1.0"},
                 {"x-amz-target", std::string("AmazonSQS.") + action}},
                body, {.timeout = timeout, .answer_bytes_max = kAnswerBytesMax}, stop);
  if (answer.status != 200) Refuse(who_, answer);
  return std::move(answer.body);
}

}  // namespace ferry
