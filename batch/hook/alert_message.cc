#include "batch/hook/alert_message.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "batch/base/error.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

// Alertmanager's payload is flat; what nests deeper is none, and would cost the parser its stack.
constexpr int kDepthMax = 16;

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string Text(const Json& object, const char* name) {
  const Json* const value = Member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<AlertSignal::Event> EventOf(const std::string& text) {
  if (text == "started") return AlertSignal::Event::kStarted;
  if (text == "completed") return AlertSignal::Event::kCompleted;
  if (text == "failed") return AlertSignal::Event::kFailed;
  if (text == "refresh") return AlertSignal::Event::kRefresh;
  return std::nullopt;
}

// nullopt: it lacks what its event needs.
std::optional<AlertSignal> SignalOf(const Json& labels, AlertSignal::Event event) {
  AlertSignal signal{event, Text(labels, "task"), Text(labels, "target"), 0};
  const std::string run = Text(labels, "run_id");
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
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  if (body.size() > kAlertBytesMax) Refuse("the body is too large");
  const Json message = Json::parse(body, shallow, /*allow_exceptions=*/false);
  if (too_deep) Refuse("the body nests too deeply");
  const Json* const alerts = Member(message, "alerts");
  if (alerts == nullptr || !alerts->is_array()) Refuse("the body is no message of Alertmanager");
  if (alerts->size() > kAlertsMax) Refuse("the body holds too many alerts");

  AlertMessage read;
  for (const Json& alert : *alerts) {
    const Json* const labels = Member(alert, "labels");
    const auto event =
        labels == nullptr ? std::nullopt : EventOf(Text(*labels, "bucketferry_event"));
    if (!event) {
      ++read.foreign;
      continue;
    }
    if (Text(alert, "status") != "firing") continue;
    if (const auto signal = SignalOf(*labels, *event)) {
      read.signals.push_back(*signal);
    } else {
      ++read.malformed;
    }
  }
  return read;
}

}  // namespace ferry
