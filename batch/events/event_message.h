// What a store's message says has changed.
//
// An event is a hint that an object is to be looked at: what happened to it, and in which order, is
// not read. Formats, told apart by what stands in them:
// - S3: {"Records": [...]} of AWS ("Event message structure" in the Amazon S3 User Guide), Ceph RGW
//   (doc/radosgw/s3-notification-compatibility) and MinIO, eventVersion 2.x. Keys are form-encoded.
// - The same within a notification of SNS ({"Type": "Notification", "Message": "..."}).
// - EventBridge: {"detail-type": ..., "detail": {...}}. Keys are as they are.
// - S3's test event, which is none.
// - Our own: {"bucket": ..., "key": ...}, with "keys": [...] or "key_base64" beside or instead of
//   the key, as it is; and as a form, bucket=...&key=..., in which "object" is another word for
//   "key", as OSS calls it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/base/key.h"

namespace ferry {

struct ObjectEvent {
  std::string bucket;  // 1..255 bytes
  Key key;             // 1..1,024 bytes

  friend bool operator==(const ObjectEvent&, const ObjectEvent&) = default;
};

struct EventMessage {
  std::vector<ObjectEvent> events;
  int ignored = 0;  // test events, and events of no object
};

inline constexpr std::size_t kEventsMax = 10'000;  // in one message
inline constexpr std::size_t kQueueMessageBytesMax = std::size_t{256} << 10;
inline constexpr std::size_t kWebhookBytesMax = std::size_t{1} << 20;

// JSON of any of these formats. Throws Error{kInvalid} with one line: it is none of them, or names
// what no store holds. The caller bounds the size.
EventMessage ParseEventMessage(std::string_view body);

// "a=1&b=2" of a query or a form's body: decoded, in its order. Throws Error{kInvalid}.
std::vector<std::pair<std::string, std::string>> ParseForm(std::string_view text);

// A webhook's: JSON, or else a form; where the body is empty the query is the form. Throws
// Error{kInvalid}.
EventMessage ParseWebhookMessage(std::string_view body, std::string_view query);

}  // namespace ferry
