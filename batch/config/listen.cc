// `listen`, and `events` of a task.

#include <algorithm>
#include <string>

#include "batch/base/error.h"
#include "batch/config/aws_names.h"
#include "batch/config/sections.h"
#include "batch/config/suggestion.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kRegionBytesMax = 40;
constexpr std::size_t kUrlBytesMax = 1024;

// Of a queue's path: what names of accounts and queues are made of.
bool IsPath(std::string_view path) {
  if (path.size() < 2 || path.find("//") != std::string_view::npos || path.back() == '/') {
    return false;
  }
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-").find(c) != std::string_view::npos;
  });
}

// /ACCOUNT/NAME
bool IsAwsPath(std::string_view path) {
  const std::size_t second = path.find('/', 1);
  return second != std::string_view::npos && path.find('/', second + 1) == std::string_view::npos &&
         path.substr(1, second - 1).find_first_not_of("0123456789") == std::string_view::npos;
}

// The URL may be what ${} stands for, so it is not repeated.
void ReadQueueUrl(const Value& value, EventQueue& queue) {
  queue.url = value.Text();
  const std::size_t scheme = queue.url.find("://");
  const std::size_t path =
      scheme == std::string::npos ? std::string::npos : queue.url.find('/', scheme + 3);
  if (path == std::string::npos || queue.url.size() > kUrlBytesMax ||
      !IsPath(std::string_view(queue.url).substr(path))) {
    value.Fail("is no URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME");
  }
  try {
    queue.endpoint = ParseEndpoint(std::string_view(queue.url).substr(0, path));
  } catch (const Error& error) {
    value.Fail(error.what());
  }
  if (!AwsRegionOf(queue.endpoint).empty() &&
      !IsAwsPath(std::string_view(queue.url).substr(path))) {
    value.Fail("must end with the account and the name of the queue: /123456789012/NAME");
  }
}

void ReadQueueRegion(const Map& keys, EventQueue& queue) {
  const std::string in_url = AwsRegionOf(queue.endpoint);
  const auto region = keys.Find("region");
  queue.region = region ? region->LowerWord(kRegionBytesMax, "-") : in_url;
  if (queue.region.empty()) {
    keys.whole().Fail("lacks \"region\", which this URL does not name");
  }
  if (!in_url.empty() && queue.region != in_url) {
    region->Fail(region->Shown() + " is not the region in the URL, " + in_url);
  }
}

EventQueue ReadQueue(const std::string& name, const Value& value) {
  if (name == kWebhook) {
    value.Fail("a queue must have another name: `events` calls that what comes by HTTP");
  }
  const Map keys = value.Keys({"url", "region", "credentials"});
  EventQueue queue;
  queue.name = name;
  ReadQueueUrl(keys.Need("url"), queue);
  ReadQueueRegion(keys, queue);
  if (const auto credentials = keys.Find("credentials")) {
    queue.credentials = ReadCredentials(*credentials, queue.region);
    if (queue.credentials.kind == CredentialsConfig::Kind::kAnonymous) {
      credentials->Fail("a queue is not read anonymously");
    }
  }
  return queue;
}

}  // namespace

ListenConfig ReadListen(const Value& value) {
  const Map keys = value.Keys({"address", "token_file", "tls", "queues"});
  ListenConfig listen;
  if (const auto address = keys.Find("address")) listen.listen = address->Text();
  if (const auto file = keys.Find("token_file")) listen.token_file = file->Path();
  ReadServerTls(keys, listen);
  if (const auto queues = keys.Find("queues")) {
    for (const auto& [name, queue] : queues->Named(yaml::kEntriesMax)) {
      listen.queues.push_back(ReadQueue(name, queue));
    }
  }
  return listen;
}

EventRules ReadEvents(const Value& value, const ListenConfig& listen) {
  const Map keys = value.Keys({"from", "quiet"});
  std::vector<std::string_view> known = {kWebhook};
  for (const EventQueue& queue : listen.queues) known.push_back(queue.name);
  EventRules events;
  const Value from = keys.Need("from");
  for (const Value& place : from.List(yaml::kEntriesMax)) {
    std::string name = place.Text();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      place.Fail(place.Shown() + " is neither webhook nor one of listen.queues; " +
                 Suggest(name, known));
    }
    if (std::find(events.from.begin(), events.from.end(), name) != events.from.end()) {
      place.Fail("is named twice");
    }
    if (name == kWebhook && listen.token_file.empty()) {
      place.Fail("needs listen.token_file: whoever posts events must show its token");
    }
    events.from.push_back(std::move(name));
  }
  if (events.from.empty()) from.Fail("is an empty list (leave `events` out for none)");
  if (const auto quiet = keys.Find("quiet")) {
    events.quiet = quiet->Duration({std::chrono::seconds(1), std::chrono::hours(1)});
  }
  return events;
}

}  // namespace ferry
