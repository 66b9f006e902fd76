#include "batch/events/event_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "batch/base/error.h"
#include "batch/serve/shallow_json.h"
#include "batch/store/uri.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kBucketBytesMax = 255;
constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kShownBytesMax = 40;
constexpr std::string_view kPrefix = "s3:";  // of AWS's and MinIO's names of events, not of Ceph's

[[noreturn]] void Refuse(const std::string& what) { throw Error(ErrorKind::kInvalid, what); }

std::string Shown(std::string_view text) {
  return "\"" + EscapeBytes(text.substr(0, kShownBytesMax)) + "\"";
}

// "a+b%2Fc": '+' is a space.
std::string Decode(std::string_view text) {
  try {
    return UriDecode(text);
  } catch (const Error&) {
    Refuse("a % without two hex digits in " + Shown(text));
  }
}

void Add(const std::string& bucket, std::string key, EventMessage& message) {
  if (bucket.empty() || bucket.size() > kBucketBytesMax) Refuse("the message names no bucket");
  if (key.empty()) Refuse("the message names no key");
  if (key.size() > kKeyBytesMax) {
    Refuse(fmt::format("a key of {} bytes, which no store holds", key.size()));
  }
  if (message.events.size() == kEventsMax) {
    Refuse(fmt::format("the message holds more than {} events", kEventsMax));
  }
  message.events.push_back({bucket, Key(std::move(key))});
}

// Ceph RGW documents keys as AWS has them, and 16.2 sends them as they are. Both are looked at
// where they differ: of a key that is not there nothing comes.
void AddOfCeph(const std::string& bucket, const std::string& key, EventMessage& message) {
  Add(bucket, key, message);
  try {
    const std::string decoded = UriDecode(key);
    if (decoded != key && !decoded.empty()) Add(bucket, decoded, message);
  } catch (const Error&) {
    return;  // a % that is one
  }
}

const Json& Part(const Json& value, const char* name) {
  const Json* const part = JsonMember(value, name);
  if (part == nullptr) Refuse(fmt::format("the event has no {}", name));
  return *part;
}

// One of Records. Only what says which object it is: sizes are texts in some, versions and
// sequencers are left out, and no event needs more to be looked into.
void ReadRecord(const Json& record, EventMessage& message) {
  const std::string version = JsonText(record, "eventVersion");
  if (!version.starts_with("2.")) Refuse("eventVersion is " + Shown(version) + ", not 2.x");
  const std::string source = JsonText(record, "eventSource");
  if (source != "aws:s3" && source != "ceph:s3" && source != "minio:s3") {
    Refuse("eventSource is " + Shown(source) + ", not aws:s3, ceph:s3 or minio:s3");
  }
  std::string name = JsonText(record, "eventName");
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  if (name.empty()) Refuse("the event has no eventName");
  if (name.starts_with("Bucket")) {  // MinIO's BucketCreated and BucketRemoved
    ++message.ignored;
    return;
  }
  const Json& s3 = Part(record, "s3");
  const std::string bucket = JsonText(Part(s3, "bucket"), "name");
  const std::string key = JsonText(Part(s3, "object"), "key");
  if (source == "ceph:s3") {
    AddOfCeph(bucket, key, message);
  } else {
    Add(bucket, Decode(key), message);
  }
}

// "EventBridge event message structure" in the Amazon S3 User Guide.
void ReadBridged(const Json& event, EventMessage& message) {
  if (!JsonText(event, "detail-type").starts_with("Object ")) {
    Refuse("detail-type is " + Shown(JsonText(event, "detail-type")) + ", no event of an object");
  }
  const Json& detail = Part(event, "detail");
  Add(JsonText(Part(detail, "bucket"), "name"), JsonText(Part(detail, "object"), "key"), message);
}

// MinIO's, beside or without its Records: "BUCKET/KEY", not encoded.
void ReadBrief(const std::string& path, EventMessage& message) {
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos) {
    ++message.ignored;  // of a bucket
    return;
  }
  Add(path.substr(0, slash), path.substr(slash + 1), message);
}

std::string DecodeBase64(const std::string& text) {
  const std::optional<std::string> bytes = FromBase64(text);
  if (!bytes) Refuse("key_base64 is no base64");
  return *bytes;
}

const std::string& TextOf(const Json& value, const char* name) {
  if (!value.is_string()) Refuse(fmt::format("{} is no text", name));
  return value.get_ref<const std::string&>();
}

void ReadPlain(const Json& plain, EventMessage& message) {
  const std::string bucket = JsonText(plain, "bucket");
  for (const char* name : {"key", "object"}) {
    if (const Json* const key = JsonMember(plain, name)) Add(bucket, TextOf(*key, name), message);
  }
  if (const Json* const key = JsonMember(plain, "key_base64")) {
    Add(bucket, DecodeBase64(TextOf(*key, "key_base64")), message);
  }
  if (const Json* const keys = JsonMember(plain, "keys")) {
    if (!keys->is_array()) Refuse("keys is no list");
    for (const Json& key : *keys) Add(bucket, TextOf(key, "a key"), message);
  }
  if (message.events.empty()) Refuse("the message names no key");
}

void ReadMessage(const Json& body, bool within_sns, EventMessage& message);

void ReadSns(const Json& envelope, EventMessage& message) {
  const Json* const text = JsonMember(envelope, "Message");
  if (JsonText(envelope, "Type") != "Notification" || text == nullptr || !text->is_string()) {
    Refuse("a message of SNS of the type " + Shown(JsonText(envelope, "Type")) +
           ", which is to be answered by hand");
  }
  ReadMessage(ParseShallowJson(text->get_ref<const std::string&>()), /*within_sns=*/true, message);
}

void ReadMessage(const Json& body, bool within_sns, EventMessage& message) {
  if (!body.is_object()) Refuse("the body is no JSON object");
  if (const Json* const records = JsonMember(body, "Records")) {
    if (!records->is_array()) Refuse("Records is no list");
    for (const Json& record : *records) ReadRecord(record, message);
  } else if (JsonText(body, "Event") == "s3:TestEvent") {
    ++message.ignored;
  } else if (!within_sns && JsonMember(body, "Type") != nullptr) {
    ReadSns(body, message);
  } else if (JsonMember(body, "detail-type") != nullptr) {
    ReadBridged(body, message);
  } else if (JsonMember(body, "EventName") != nullptr && JsonMember(body, "Key") != nullptr) {
    ReadBrief(JsonText(body, "Key"), message);
  } else if (JsonMember(body, "bucket") != nullptr) {
    ReadPlain(body, message);
  } else {
    Refuse("the body is no message of a store");
  }
}

}  // namespace

EventMessage ParseEventMessage(std::string_view body) {
  EventMessage message;
  ReadMessage(ParseShallowJson(body), /*within_sns=*/false, message);
  return message;
}

std::vector<std::pair<std::string, std::string>> ParseForm(std::string_view text) {
  constexpr std::size_t kFieldsMax = kEventsMax + 100;
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.empty()) continue;
    if (fields.size() == kFieldsMax) Refuse("the form has too many fields");
    const std::size_t equals = std::min(field.find('='), field.size());
    fields.emplace_back(Decode(field.substr(0, equals)),
                        Decode(field.substr(std::min(equals + 1, field.size()))));
  }
  return fields;
}

EventMessage ParseWebhookMessage(std::string_view body, std::string_view query) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  // Not by its Content-Type: curl -d sends JSON as a form.
  if (first != std::string_view::npos && (body[first] == '{' || body[first] == '[')) {
    return ParseEventMessage(body);
  }
  std::string bucket;
  std::vector<std::string> keys;
  for (auto& [name, value] : ParseForm(first == std::string_view::npos ? query : body)) {
    if (name == "key_base64") {
      keys.push_back(DecodeBase64(value));
    } else if (name == "key" || name == "object") {
      keys.push_back(std::move(value));
    } else if (name == "bucket") {
      bucket = std::move(value);
    }
  }
  EventMessage message;
  for (std::string& key : keys) Add(bucket, std::move(key), message);
  if (keys.empty()) Refuse("the body is neither JSON nor a form with bucket and key");
  return message;
}

}  // namespace ferry
