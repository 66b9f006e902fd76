#include "batch/downstream/occasion.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/base/check.h"
#include "batch/base/human.h"
#include "batch/config/config.h"

namespace ferry {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string Head(const RunFacts& run) {
  return fmt::format("bucketferry: task {}: run {} ", run.task, run.run_id);
}

std::string Counts(const RunFacts& run) {
  std::string text = fmt::format("{} of {} planned objects copied ({})", run.done, run.planned,
                                 HumanBytes(static_cast<double>(run.bytes_done)));
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(run.adopted, "adopted");
  add(run.deleted, "deleted");
  add(run.dead, "dead");
  add(run.vanished, "vanished");
  add(run.archived, "archived");
  return text + ", in " + HumanTime(run.seconds);
}

std::string Dead(const Occasion& occasion) {
  std::string text;
  for (const DeadObject& object : occasion.dead) {
    text += "\ndead: " + Escape(object.key) + ": " + OneLine(object.error);
  }
  const auto shown = static_cast<std::int64_t>(occasion.dead.size());
  if (occasion.run.dead > shown && shown > 0) {
    text += fmt::format("\nand {} more (bucketferry jobs --state dead)", occasion.run.dead - shown);
  }
  return text;
}

std::string Refreshed(const Occasion& occasion) {
  std::string text = "is known downstream:";
  for (const auto& [target, outcome] : occasion.outcomes) {
    // Whoever only accepts says nothing of when it is done.
    text += fmt::format("{} {} {}", text.ends_with(':') ? "" : ",", target,
                        outcome == RefreshOutcome::kDone ? "refreshed" : "accepted the refresh");
  }
  return text;
}

}  // namespace

std::string TextOf(const Occasion& occasion) {
  const RunFacts& run = occasion.run;
  if (occasion.event == "started") {
    return Head(run) +
           fmt::format("started; {}{} objects to copy", run.planned, run.closed ? "" : " or more");
  }
  if (occasion.event == "refreshed") return Head(run) + Refreshed(occasion);
  if (occasion.event == "refresh") return Head(run) + "changed the destination: refresh";
  std::string text = Head(run) + run.state + ": " + Counts(run);
  if (!run.error.empty()) text += "; " + OneLine(run.error);
  return text + Dead(occasion);
}

std::string JsonOf(const Occasion& occasion) {
  const RunFacts& run = occasion.run;
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json json = {{"text", TextOf(occasion)},
               {"event", occasion.event},
               {"target", occasion.target},
               {"task", run.task},
               {"run", run.run_id},
               {"kind", run.kind},
               {"state", run.state},
               {"started_at", or_null(run.started_at)},
               {"finished_at", or_null(run.finished_at)},
               {"seconds", run.seconds},
               {"objects",
                {{"source", run.source_objects},
                 {"planned", run.planned},
                 {"done", run.done},
                 {"adopted", run.adopted},
                 {"deleted", run.deleted},
                 {"dead", run.dead},
                 {"vanished", run.vanished},
                 {"archived", run.archived}}},
               {"bytes", {{"done", run.bytes_done}}},
               {"error", or_null(run.error)}};
  if (!occasion.dead.empty()) {
    Json dead = Json::array();
    for (const DeadObject& object : occasion.dead) {
      dead.push_back({{"key", Escape(object.key)}, {"error", object.error}});
    }
    json["dead"] = std::move(dead);
  }
  if (!occasion.outcomes.empty()) {
    Json outcomes = Json::object();
    for (const auto& [target, outcome] : occasion.outcomes) {
      outcomes[target] = std::string(ToString(outcome));
    }
    json["refreshes"] = std::move(outcomes);
  }
  return Dump(json);
}

std::vector<std::pair<std::string, std::string>> FactsOf(const Occasion& occasion) {
  const RunFacts& run = occasion.run;
  const auto value = [&](std::string_view name) -> std::string {
    if (name == "event") return occasion.event;
    if (name == "target") return occasion.target;
    if (name == "task") return run.task;
    if (name == "run") return std::to_string(run.run_id);
    if (name == "kind") return run.kind;
    if (name == "state") return run.state;
    if (name == "text") return TextOf(occasion);
    if (name == "error") return OneLine(run.error);
    if (name == "source_objects") return std::to_string(run.source_objects);
    if (name == "planned") return std::to_string(run.planned);
    if (name == "done") return std::to_string(run.done);
    if (name == "adopted") return std::to_string(run.adopted);
    if (name == "deleted") return std::to_string(run.deleted);
    if (name == "dead") return std::to_string(run.dead);
    if (name == "vanished") return std::to_string(run.vanished);
    if (name == "archived") return std::to_string(run.archived);
    if (name == "bytes") return std::to_string(run.bytes_done);
    if (name == "seconds") return fmt::format("{:.3f}", run.seconds);
    if (name == "started_at") return run.started_at;
    if (name == "finished_at") return run.finished_at;
    FERRY_CHECK(name.empty());  // every placeholder has a value
    return {};
  };
  std::vector<std::pair<std::string, std::string>> facts;
  for (const std::string_view name : kPlaceholders) facts.emplace_back(name, value(name));
  return facts;
}

std::string FillTemplate(std::string_view text, const Occasion& occasion) {
  const auto facts = FactsOf(occasion);
  std::string filled;
  while (true) {
    const std::size_t open = text.find("{{");
    filled += text.substr(0, open);
    if (open == std::string_view::npos) return filled;
    text.remove_prefix(open);
    const std::size_t close = text.find("}}");
    const std::string_view name =
        close == std::string_view::npos ? std::string_view() : text.substr(2, close - 2);
    const auto fact =
        std::ranges::find_if(facts, [&](const auto& known) { return known.first == name; });
    if (fact == facts.end()) {
      filled += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    const std::string quoted = Dump(Json(fact->second));
    filled += quoted.substr(1, quoted.size() - 2);
    text.remove_prefix(close + 2);
  }
}

}  // namespace ferry
