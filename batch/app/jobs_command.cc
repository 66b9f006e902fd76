// jobs: the history of objects, newest first; with --ledger, what the destination is known to hold.
//
// --key GLOB is held against the whole source key, prefix and all, by the rules of
// batch/plan/glob.h: a pattern without '/' against what follows the last '/'. Its escapes (\xNN,
// \\) are undone first, so `\\*` on the command line means a star itself.
#include <fmt/format.h>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/json_key.h"
#include "batch/app/status_text.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/plan/glob.h"
#include "batch/queue/history.h"

namespace ferry {
namespace {

constexpr std::int64_t kPageRows = 1000;

// Where the source named none: null.
Json VersionOrNull(const std::string& version) {
  return version.empty() ? Json(nullptr) : Json(version);
}

Json ToJson(const ObjectRecord& object) {
  Json json;
  json["task"] = object.task;
  json["run"] = object.run_id;
  json["job"] = object.job_id;
  AddKey(json, object.key);
  json["state"] = object.state;
  json["action"] = object.action;
  json["reason"] = object.reason;
  json["attempts"] = object.attempts;
  json["size_bytes"] = object.size_bytes;
  json["error"] = OrNull(object.error);
  json["source_etag"] = object.source_etag;
  json["source_version"] = VersionOrNull(object.source_version);
  json["destination_etag"] = OrNull(object.destination_etag);
  json["proof"] = OrNull(object.proof);
  json["planned_at"] = object.planned_at;
  json["finished_at"] = OrNull(object.finished_at);
  return json;
}

Json ToJson(const HeldObject& held, const std::string& task) {
  Json json;
  json["task"] = task;
  json["run"] = held.run_id;
  AddKey(json, held.key);
  json["size_bytes"] = held.size_bytes;
  json["source_etag"] = held.source_etag;
  json["source_version"] = VersionOrNull(held.source_version);
  json["destination_etag"] = OrNull(held.destination_etag);
  json["proof"] = OrNull(held.proof);
  json["verdict"] = OrNull(held.verdict);
  json["recorded_at"] = held.recorded_at;
  return json;
}

std::string ToText(const ObjectRecord& object) {
  std::string line =
      fmt::format("{}  {} {} {}  {:<10} {:<6} {:>10}  {}",
                  HumanMoment(object.finished_at.value_or(object.planned_at)), object.task,
                  object.run_id, object.job_id, object.state, object.action,
                  HumanBytes(static_cast<double>(object.size_bytes)), Escape(object.key));
  line += "  (" + object.reason;
  if (object.proof) line += ", proof " + *object.proof;
  if (object.attempts > 0) line += fmt::format(", {} failed attempts", object.attempts);
  line += ")";
  if (object.error) line += "  " + OneLine(*object.error);
  return line;
}

std::string ToText(const HeldObject& held, const std::string& task) {
  return fmt::format("{}  {} {}  {:<14} {:>10}  {}", HumanMoment(held.recorded_at), task,
                     held.run_id, held.verdict ? *held.verdict : held.proof.value_or(""),
                     HumanBytes(static_cast<double>(held.size_bytes)), Escape(held.key));
}

class KeyGlob {
 public:
  // An empty pattern matches every key. Throws Error{kConfig}.
  explicit KeyGlob(const std::string& escaped) {
    if (!escaped.empty()) glob_.emplace(UnescapeKey(escaped).bytes());
  }
  bool Matches(const Key& key) const { return !glob_ || glob_->Matches(key.bytes()); }

 private:
  std::optional<Glob> glob_;
};

void StopIfAsked(const CommandContext& context) {
  if (context.stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
}

// Both return how many they showed, or nothing when nobody reads any more.
std::optional<std::int64_t> ShowHistory(const CommandContext& context, pg::Session& session,
                                        const KeyGlob& glob) {
  ObjectQuery query;
  for (const TaskConfig* task : context.tasks) query.tasks.push_back(task->name);
  query.run_id = context.line.run;
  if (!context.line.state.empty()) query.state = context.line.state;
  query.rows_max = kPageRows;
  std::int64_t shown = 0;
  std::optional<ObjectRecord> last;
  while (true) {
    StopIfAsked(context);
    std::vector<ObjectRecord> page = ReadObjects(session, query, last);
    for (const ObjectRecord& object : page) {
      if (!glob.Matches(object.key)) continue;
      shown += 1;
      if (!PrintLine(context.line.json ? ToLine(ToJson(object)) : ToText(object))) return {};
    }
    if (page.size() < static_cast<std::size_t>(kPageRows)) return shown;
    last = std::move(page.back());
  }
}

std::optional<std::int64_t> ShowHeld(const CommandContext& context, pg::Session& session,
                                     const TaskConfig& task, const KeyGlob& glob) {
  const auto task_id = FindTask(session, PlaceOf(task));
  if (!task_id) return 0;
  std::int64_t shown = 0;
  Key last;
  while (true) {
    StopIfAsked(context);
    std::vector<HeldObject> page = ReadHeldObjects(session, *task_id, last, kPageRows);
    for (const HeldObject& held : page) {
      if (!glob.Matches(held.key)) continue;
      shown += 1;
      if (!PrintLine(context.line.json ? ToLine(ToJson(held, task.name))
                                       : ToText(held, task.name))) {
        return {};
      }
    }
    if (page.size() < static_cast<std::size_t>(kPageRows)) return shown;
    last = std::move(page.back().key);
  }
}

}  // namespace

int ShowJobs(const CommandContext& context) {
  const CommandLine& line = context.line;
  const KeyGlob glob(line.key);
  if (line.ledger && (line.run || !line.state.empty())) {
    throw Error(ErrorKind::kConfig,
                "jobs --ledger is what is there now: --run and --state do not "
                "apply");
  }
  const auto database = Database::OpenExisting(context.config);
  if (database == nullptr) {
    log::Info("there is no database yet: nothing ran");
    return kExitDone;
  }
  const auto session = database->Connect();
  std::int64_t shown = 0;
  if (line.ledger) {
    for (const TaskConfig* task : context.tasks) {
      const auto of_task = ShowHeld(context, *session, *task, glob);
      if (!of_task) return kExitDone;
      shown += *of_task;
    }
  } else {
    const auto of_all = ShowHistory(context, *session, glob);
    if (!of_all) return kExitDone;
    shown = *of_all;
  }
  if (FlushLines() && shown == 0) log::Info("nothing recorded matches");
  return kExitDone;
}

}  // namespace ferry
