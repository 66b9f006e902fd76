// run --dry-run: what would be done. Changes nothing anywhere, creates no database.
#include <fmt/format.h>

#include "batch/app/compare_task.h"
#include "batch/app/task_hours.h"
#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::int64_t kLinesMax = 1000;

struct Summary {
  std::int64_t source_objects = 0;
  std::int64_t to_do = 0;
  std::int64_t bytes = 0;
  std::int64_t adopted = 0;
  std::int64_t archived = 0;
  std::int64_t refused = 0;
  std::int64_t deletes = 0;

  std::int64_t lines() const { return to_do + archived + refused + deletes; }
};

bool MayPrint(const CommandContext& context, const Summary& summary) {
  return context.line.all || summary.lines() <= kLinesMax;
}

void PrintExtra(const CommandContext& context, const ExtraFound& extra, DeletePolicy policy,
                Summary& summary) {
  const ExtraKind kind = KindOfExtra(extra.destination, extra.ledger);
  if (!IsCandidate(policy, kind)) return;
  summary.deletes += 1;
  if (!MayPrint(context, summary)) return;
  fmt::print("delete {} ({}, {} bytes)\n", Escape(extra.source_key), ReasonOf(kind),
             extra.destination.size_bytes);
}

// Whether a run would do what the lines say.
void PrintDeletes(const TaskConfig& task, const DeleteRules& rules, const CompareCounts& counts,
                  const Summary& summary) {
  const DeleteScope scope{counts.source_objects, counts.ledgered_objects,
                          static_cast<std::uint64_t>(summary.deletes)};
  const DeleteVerdict verdict = JudgeDeletes(rules.selection, rules.limit, scope);
  if (verdict == DeleteVerdict::kGo) {
    fmt::print("{}: dry run: {} to delete at the destination\n", task.name, summary.deletes);
  } else {
    fmt::print("{}: dry run: 0 to delete at the destination, {} held back: {}\n", task.name,
               summary.deletes, WhyNoDeletes(verdict, rules.limit, scope));
  }
}

void Print(const CommandContext& context, const Found& found, Summary& summary) {
  summary.source_objects += 1;
  const Decision decision = found.finding.decision;
  switch (decision) {
    case Decision::kNothing:
    case Decision::kRepairLedger: return;
    case Decision::kAdopt: summary.adopted += 1; return;
    case Decision::kArchived: summary.archived += 1; break;
    case Decision::kKeyRefused: summary.refused += 1; break;
    case Decision::kCopy:
    case Decision::kVerify:
      summary.to_do += 1;
      summary.bytes += static_cast<std::int64_t>(found.source.size_bytes);
      break;
  }
  if (!MayPrint(context, summary)) return;
  fmt::print("{} {} ({}, {} bytes)\n", ToString(decision), Escape(found.source_key),
             found.refusal.empty() ? std::string(ToString(found.finding.reason)) : found.refusal,
             found.source.size_bytes);
}

int DryRunTask(const CommandContext& context, Stores& stores, LanePool& lanes, Database* database,
               const TaskConfig& task) {
  Summary summary;
  const TaskComparison compared = CompareTask(
      context, stores, lanes, database, task,
      [&](const Found& found) { Print(context, found, summary); },
      [&](const ExtraFound& extra, DeletePolicy policy) {
        PrintExtra(context, extra, policy, summary);
      });
  if (!MayPrint(context, summary)) {
    fmt::print("... and {} more (--all shows them)\n", summary.lines() - kLinesMax);
  }
  fmt::print(
      "{}: dry run: {} objects at the source, {} to copy or verify, {} bytes, {} to adopt, "
      "{} archived, {} keys refused\n",
      task.name, summary.source_objects, summary.to_do, summary.bytes, summary.adopted,
      summary.archived, summary.refused);
  if (compared.deletes.on()) PrintDeletes(task, compared.deletes, compared.counts, summary);
  return kExitDone;
}

}  // namespace

int DryRun(const CommandContext& context) {
  const auto database = Database::OpenExisting(context.config);
  if (database) CheckTimeZones(context.config, *database);
  Stores stores(context.config, context.environment, context.clock);
  LanePool lanes(1, kWholeBytesMax, stores, context.clock);
  const std::stop_callback halt(context.stop, [&] { lanes.Stop(); });
  std::vector<int> codes;
  for (const TaskConfig* task : context.tasks) {
    codes.push_back(DryRunTask(context, stores, lanes, database.get(), *task));
  }
  return CombineExitCodes(codes);
}

}  // namespace ferry
