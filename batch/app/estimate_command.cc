// estimate: what a run would take, in objects, bytes, requests and hours. Copies nothing, and
// changes nothing anywhere.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "batch/app/compare_task.h"
#include "batch/app/json_key.h"
#include "batch/app/status_text.h"
#include "batch/app/task_hours.h"
#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/plan/part_plan.h"
#include "batch/queue/history.h"

namespace ferry {
namespace {

// Requests of one side, by what providers bill them as.
struct Requests {
  std::int64_t list = 0;
  std::int64_t get = 0;
  std::int64_t head = 0;
  std::int64_t put = 0;   // objects and parts
  std::int64_t post = 0;  // uploads begun and completed
};

struct Estimate {
  std::int64_t source_objects = 0;
  std::int64_t to_copy = 0;
  std::int64_t to_verify = 0;
  std::int64_t adopted = 0;
  std::int64_t archived = 0;
  std::int64_t refused = 0;
  std::int64_t copied_bytes = 0;
  std::int64_t verified_bytes = 0;
  Requests source;
  Requests destination;
};

// How fast the newest run was that moved something.
struct Pace {
  std::int64_t run_id = 0;
  double bytes_per_second = 0;
  double objects_per_second = 0;
};

constexpr std::int64_t kRunsLookedAt = 50;

void AddParts(std::uint64_t bytes, const Provider& destination, std::uint64_t part_bytes,
              Estimate& estimate) {
  const SizeLimits& limits = destination.limits;
  const auto parts = static_cast<std::int64_t>(CountParts(
      bytes, ChoosePartBytes(bytes, part_bytes,
                             {limits.part_bytes_min, limits.part_bytes_max, limits.parts_max})));
  estimate.source.head += 1;
  estimate.source.get += parts;
  estimate.destination.put += parts;
  estimate.destination.post += 2;
  if (destination.checksum_in_head) estimate.destination.head += 1;
}

void Add(const Found& found, const Provider& destination, const WorkerOptions& options,
         Estimate& estimate) {
  estimate.source_objects += 1;
  const std::uint64_t bytes = found.source.size_bytes;
  switch (found.finding.decision) {
    case Decision::kNothing:
    case Decision::kRepairLedger: return;
    case Decision::kAdopt: estimate.adopted += 1; return;
    case Decision::kArchived: estimate.archived += 1; return;
    case Decision::kKeyRefused: estimate.refused += 1; return;
    case Decision::kVerify:
      estimate.to_verify += 1;
      estimate.verified_bytes += static_cast<std::int64_t>(bytes);
      estimate.source.get += 1;
      estimate.destination.get += 1;
      return;
    case Decision::kCopy: break;
  }
  estimate.to_copy += 1;
  estimate.copied_bytes += static_cast<std::int64_t>(bytes);
  if (bytes >= options.multipart_threshold && bytes > kWholeBytesMax) {
    AddParts(bytes, destination, options.part_bytes, estimate);
  } else {
    estimate.source.get += 1;
    estimate.destination.put += 1;
  }
}

std::optional<Pace> LastPace(pg::Session& session, const std::string& task) {
  for (const RunRecord& run : ReadRuns(session, task, kRunsLookedAt).runs) {
    if (run.active || run.totals.bytes_done == 0 || run.seconds <= 0) continue;
    return Pace{run.run_id, static_cast<double>(run.totals.bytes_done) / run.seconds,
                static_cast<double>(run.totals.done) / run.seconds};
  }
  return std::nullopt;
}

// How long it takes if bytes, or if objects are what takes it.
struct Durations {
  double by_bytes = 0;
  double by_objects = 0;
};

Durations DurationsAt(const Pace& pace, const Estimate& estimate) {
  const auto bytes = static_cast<double>(estimate.copied_bytes + estimate.verified_bytes);
  const auto objects = static_cast<double>(estimate.to_copy + estimate.to_verify);
  return {bytes / pace.bytes_per_second, objects / pace.objects_per_second};
}

std::string Shown(const Requests& requests) {
  return fmt::format("{} LIST, {} GET, {} HEAD, {} PUT, {} POST", requests.list, requests.get,
                     requests.head, requests.put, requests.post);
}

void Print(const TaskConfig& task, const Estimate& e, const std::optional<Pace>& pace) {
  PrintLine(fmt::format(
      "{}: {} objects at the source: {} to copy ({}), {} to compare ({}), {} to "
      "adopt, {} archived, {} keys refused",
      task.name, e.source_objects, e.to_copy, HumanBytes(static_cast<double>(e.copied_bytes)),
      e.to_verify, HumanBytes(static_cast<double>(e.verified_bytes)), e.adopted, e.archived,
      e.refused));
  PrintLine("  requests at the source:      " + Shown(e.source));
  PrintLine("  requests at the destination: " + Shown(e.destination));
  if (task.max_objects || task.max_bytes) {
    PrintLine("  that is all there is to do; max_objects and max_bytes divide it into runs");
  }
  if (!pace) {
    PrintLine("  no run of this task has copied anything yet: nobody knows how long it takes");
    return;
  }
  const Durations durations = DurationsAt(*pace, e);
  PrintLine(fmt::format("  as fast as run {} ({}/s, {:.1f} objects/s): {} by bytes, {} by objects",
                        pace->run_id, HumanBytes(pace->bytes_per_second), pace->objects_per_second,
                        HumanTime(durations.by_bytes), HumanTime(durations.by_objects)));
}

Json ToJson(const Requests& requests) {
  return {{"list", requests.list},
          {"get", requests.get},
          {"head", requests.head},
          {"put", requests.put},
          {"post", requests.post}};
}

Json ToJson(const TaskConfig& task, const Estimate& e, const std::optional<Pace>& pace) {
  Json json;
  json["task"] = task.name;
  json["objects"] = {{"source", e.source_objects}, {"copy", e.to_copy},
                     {"compare", e.to_verify},     {"adopt", e.adopted},
                     {"archived", e.archived},     {"refused", e.refused}};
  json["bytes"] = {{"copy", e.copied_bytes}, {"compare", e.verified_bytes}};
  json["requests"] = {{"source", ToJson(e.source)}, {"destination", ToJson(e.destination)}};
  json["pace"] = nullptr;
  if (pace) {
    const Durations durations = DurationsAt(*pace, e);
    json["pace"] = {{"run", pace->run_id},
                    {"bytes_per_second", pace->bytes_per_second},
                    {"objects_per_second", pace->objects_per_second},
                    {"seconds_by_bytes", durations.by_bytes},
                    {"seconds_by_objects", durations.by_objects}};
  }
  return json;
}

}  // namespace

int EstimateTasks(const CommandContext& context) {
  for (const TaskConfig* task : context.tasks) CheckListFile(*task);
  const auto database = Database::OpenExisting(context.config);
  if (database) CheckTimeZones(context.config, *database);
  Stores stores(context.config, context.environment, context.clock);
  LanePool lanes(1, kWholeBytesMax, stores, context.clock);
  const std::stop_callback halt(context.stop, [&] { lanes.Stop(); });
  const WorkerOptions options = WorkerOptionsOf(context.config.transfer);
  Json all = Json::array();
  for (const TaskConfig* task : context.tasks) {
    const Provider& destination = context.config.Store(task->destination.store).provider;
    Estimate estimate;
    CompareTask(context, stores, lanes, database.get(), *task,
                [&](const Found& found) { Add(found, destination, options, estimate); });
    // Those that were made just now; a run makes as many.
    const RequestCounters& made = stores.Counters(task->name);
    estimate.source.list = made.source;
    estimate.destination.list = made.destination;
    std::optional<Pace> pace;
    if (database) pace = LastPace(*database->Connect(), task->name);
    if (context.line.json) {
      all.push_back(ToJson(*task, estimate, pace));
    } else {
      Print(*task, estimate, pace);
    }
  }
  if (context.line.json) PrintLine(ToLine({{"tasks", all}}));
  FlushLines();
  return kExitDone;
}

}  // namespace ferry
