#include "batch/hook/alert_message.h"

#include <charconv>
#include <optional>

#include "batch/base/error.h"
#include "batch/serve/shallow_json.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

std::optional<AlertSignal::Event> EventOf(const std::string& text) {
  if (text == "started") return AlertSignal::Event::kStarted;
  if (text == "completed") return AlertSignal::Event::kCompleted;
  if (text == "failed") return AlertSignal::Event::kFailed;
  if (text == "refresh") return AlertSignal::Event::kRefresh;
  return std::nullopt;
}

// nullopt: it lacks what its event needs.
std::optional<AlertSignal> SignalOf(const Json& labels, AlertSignal::Event event) {
  AlertSignal signal{event, JsonText(labels, "task"), JsonText(labels, "target"), 0};
  const std::string run = JsonText(labels, "run_id");
  const char* const end = run.data() + run.size();
  const auto parsed = std::from_chars(run.data(), end, signal.run_id);
  if (parsed.ec != std::errc() || parsed.ptr != end || signal.run_id <= 0) return std::nullopt;
  if (signal.task.empty()) return std::nullopt;
  if (event == AlertSignal::Event::kRefresh && signal.target.empty()) return std::nullopt;
  return signal;
}

[[noreturn]] void Refuse(const char* what) { throw Error(ErrorKind::kInvalid, what); }

}  // namespace

AlertMessage ParseAlertMessage(std::string_view body) {
  if (body.size() > kAlertBytesMax) Refuse("the body is too large");
  const Json message = ParseShallowJson(body);
  const Json* const alerts = JsonMember(message, "alerts");
  if (alerts == nullptr || !alerts->is_array()) Refuse("the body is no message of Alertmanager");
  if (alerts->size() > kAlertsMax) Refuse("the body holds too many alerts");

  AlertMessage read;
  for (const Json& alert : *alerts) {
    const Json* const labels = JsonMember(alert, "labels");
    const auto event =
        labels == nullptr ? std::nullopt : EventOf(JsonText(*labels, "bucketferry_event"));
    if (!event) {
      ++read.foreign;
      continue;
    }
    if (JsonText(alert, "status") != "firing") continue;
    if (const auto signal = SignalOf(*labels, *event)) {
      read.signals.push_back(*signal);
    } else {
      ++read.malformed;
    }
  }
  return read;
}

}  // namespace ferry
