#include "batch/app/dead_lines.h"

#include <algorithm>

#include "batch/queue/run_table.h"

namespace ferry {
namespace {

constexpr std::size_t kLinesMax = 20;

}  // namespace

std::vector<std::string> DeadLines(pg::Session& session, std::int64_t task_id,
                                   std::int64_t run_id) {
  std::vector<std::string> lines;
  const std::vector<DeadObject> dead = ListDead(session, run_id);
  lines.reserve(kLinesMax);
  for (const DeadObject& object : dead) {
    lines.push_back("dead: " + Escape(object.key) + ": " + object.error);
  }
  for (const Key& key : ListRefusedKeys(session, task_id)) {
    const bool named = std::any_of(dead.begin(), dead.end(),
                                   [&](const DeadObject& object) { return object.key == key; });
    if (!named) {
      lines.push_back("dead: " + Escape(key) + ": the destination cannot hold this key");
    }
  }
  if (lines.size() > kLinesMax) lines.resize(kLinesMax);
  return lines;
}

}  // namespace ferry
