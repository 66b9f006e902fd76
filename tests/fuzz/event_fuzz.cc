// Events are read from whatever a queue holds and whoever has the token sends.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/events/event_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  try {
    const ferry::EventMessage message = ferry::ParseWebhookMessage(body, {});
    FERRY_CHECK(message.events.size() <= ferry::kEventsMax);
    for (const ferry::ObjectEvent& event : message.events) {
      FERRY_CHECK(!event.bucket.empty() && event.bucket.size() <= 255);
      FERRY_CHECK(!event.key.empty() && event.key.bytes().size() <= 1024);
    }
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kInvalid);
  }
  return 0;
}
