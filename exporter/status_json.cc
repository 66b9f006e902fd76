#include "exporter/status_json.h"

#include <algorithm>
#include <string_view>

#include "batch/base/version.h"
#include "exporter/json.h"

namespace ferry::exporter {
namespace {

// As the alert TaskOverdue: room for two whole runs, and some.
constexpr double kIntervalsUntilOverdue = 2.5;

Json ToJson(const RunStatus& run) {
  const std::int64_t left = run.pending + run.in_flight + run.retry_wait;
  Json json{
      {"run", run.run},
      {"state", run.state},
      {"active", run.active},
      {"open", run.open},
      {"kind", run.kind},
      {"started_at", run.started_at},
      {"planned_at", OrNull(run.planned_at)},
      {"progress_at", OrNull(run.progress_at)},
      {"finished_at", OrNull(run.finished_at)},
      {"seconds", run.seconds},
      {"objects",
       {{"source", run.source},
        {"planned", run.planned},
        {"pending", run.pending},
        {"in_flight", run.in_flight},
        {"retry_wait", run.retry_wait},
        {"done", run.done},
        {"adopted", run.adopted},
        {"deleted", run.deleted},
        {"dead", run.dead},
        {"vanished", run.vanished},
        {"archived", run.archived}}},
      {"bytes", {{"planned", run.bytes_planned}, {"done", run.bytes_done}}},
      {"retries", run.retries},
      {"requests", {{"source", run.requests_source}, {"destination", run.requests_destination}}},
      {"error", OrNull(run.error)}};
  if (run.open) {
    const std::int64_t bytes = run.bytes_planned - run.bytes_left + run.bytes_in_parts;
    json["objects"]["final"] = std::clamp<std::int64_t>(run.planned - left, 0, run.planned);
    json["bytes"]["final"] = std::clamp<std::int64_t>(bytes, 0, run.bytes_planned);
  }
  return json;
}

std::string Place(const BucketPrefix& place) {
  return EscapeBytes(place.store + "/" + place.bucket + "/" + place.prefix);
}

Json Refreshes(const TaskConfig& task, const Status& status) {
  Json all = Json::array();
  for (const std::string& target : task.refresh) {
    const auto found = std::ranges::find_if(status.refresh, [&](const RefreshStatus& refresh) {
      return refresh.task == task.name && refresh.target == target;
    });
    const RefreshStatus refresh = found == status.refresh.end() ? RefreshStatus() : *found;
    all.push_back({{"target", target},
                   {"required_run", refresh.required_run},
                   {"acknowledged_run", refresh.acknowledged_run},
                   {"due", refresh.due},
                   {"required_at", OrNull(refresh.required_at)},
                   {"acknowledged_at", OrNull(refresh.acknowledged_at)},
                   {"outcome", OrNull(refresh.outcome)},
                   {"tries", refresh.tries},
                   {"next_try_at", OrNull(refresh.next_try_at)},
                   {"error", OrNull(refresh.error)}});
  }
  return all;
}

// Of the run that goes on, else of the latest one that was not skipped; "never ran" without one.
std::string_view StateOf(const TaskConfig& task, const Status& status) {
  std::string_view state = "never ran";
  for (const RunStatus& run : status.runs) {
    if (run.task != task.name || run.state == "skipped") continue;
    if (run.active) return run.state;
    if (state == "never ran") state = run.state;
  }
  return state;
}

Json ToJson(const TaskConfig& task, const Status& status) {
  const auto found = status.tasks.find(task.name);
  const TaskStatus facts = found == status.tasks.end() ? TaskStatus() : found->second;
  const double interval = static_cast<double>(task.interval.count()) / 1000;
  const double without = facts.seconds_without_success.value_or(0);
  Json runs = Json::array();
  bool active = false;
  for (const RunStatus& run : status.runs) {
    if (run.task != task.name) continue;
    active = active || run.active;
    runs.push_back(ToJson(run));
  }
  return {{"task", task.name},
          {"active", active},
          {"state", StateOf(task, status)},
          {"source", Place(task.source)},
          {"destination", Place(task.destination)},
          {"interval_seconds", interval},
          {"overdue", interval > 0 && without > kIntervalsUntilOverdue * interval},
          {"succeeded_at", OrNull(facts.succeeded_at)},
          {"skipped_at", OrNull(facts.skipped_at)},
          {"runs", runs},
          {"refresh", Refreshes(task, status)}};
}

Json ToJson(const NotificationStatus& notification) {
  return {{"task", notification.task},          {"run", notification.run},
          {"event", notification.event},        {"target", notification.target},
          {"state", notification.state},        {"created_at", notification.created_at},
          {"tries", notification.tries},        {"next_try_at", notification.next_try_at},
          {"error", OrNull(notification.error)}};
}

Json ToJson(const InFlightObject& object) {
  Json json{{"run", object.run}, {"job", object.job}};
  if (object.key) AddKey(json, *object.key);
  json["action"] = object.action;
  json["size_bytes"] = object.size_bytes;
  if (object.parts) {
    json["parts"] = *object.parts;
    json["bytes_done"] = object.bytes_done;
  }
  return json;
}

Json ToJson(const WorkerStatus& worker) {
  Json runs = Json::array();
  for (const WorkerRun& run : worker.runs) {
    runs.push_back({{"task", run.task}, {"run", run.run}, {"plans", run.plans}});
  }
  Json shown = Json::array();
  for (const InFlightObject& object : worker.shown) shown.push_back(ToJson(object));
  return {{"worker", worker.worker},
          {"host", worker.host},
          {"pid", worker.process_id},
          {"since", worker.started_at},
          {"leased_until", worker.leased_until},
          {"runs", runs},
          {"in_flight", {{"objects", worker.objects}, {"parts", worker.parts}}},
          {"objects", shown}};
}

template <typename T>
Json ToArray(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(ToJson(value));
  return array;
}

}  // namespace

std::string ToJson(const Config& config, const Status& status, const Reader& reader) {
  Json head{{"version", std::string(Version())},
            {"detail", reader.detail == Detail::kFull ? "full" : "public"},
            {"token_refused", reader.token_refused}};
  if (!status.problem.empty()) {
    head["problem"] = status.problem;
    return ToText(head);
  }
  head["now"] = status.now;
  head["not_read"] = status.not_read;
  head["workers"] = ToArray(status.workers);
  head["notifications"] = ToArray(status.notifications);
  // Task by task: of a hundred with their runs the values take ten times the room of their text.
  std::string text = ToText(head);
  text.pop_back();
  text += ",\"tasks\":[";
  for (const TaskConfig& task : config.tasks) {
    if (&task != &config.tasks.front()) text += ',';
    text += ToText(ToJson(task, status));
  }
  return text + "]}";
}

}  // namespace ferry::exporter
