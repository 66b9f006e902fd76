// What Alertmanager's webhook says, in our words.
//
// The body is version 4 of its webhook payload: "status", "alerts" with "status" and "labels" each
// (Alertmanager docs, configuration, webhook_config). Rules mark what is meant for us by the label
// bucketferry_event; whatever has none is not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

struct AlertSignal {
  enum class Event { kStarted, kCompleted, kFailed, kRefresh };
  Event event = Event::kRefresh;
  std::string task;
  std::string target;  // kRefresh
  std::int64_t run_id = 0;
};

struct AlertMessage {
  std::vector<AlertSignal> signals;  // of firing alerts only: "resolved" also means "nobody knows"
  int foreign = 0;                   // alerts that are not for us
  int malformed = 0;                 // marked as ours, but without a task, target or run id
};

inline constexpr std::size_t kAlertBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kAlertsMax = 10'000;

// Throws Error{kInvalid}: no such payload, or more than kAlertsMax alerts.
AlertMessage ParseAlertMessage(std::string_view body);

}  // namespace ferry
