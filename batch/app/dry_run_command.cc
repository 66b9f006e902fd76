// run --dry-run: what would be done. Changes nothing anywhere, creates no database.
#include <fmt/format.h>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/listing_ends.h"
#include "batch/app/stores.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/copy/planner.h"

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
  const TaskSelection selection = SelectionOf(context.config, task, context.clock.WallNow());
  std::optional<std::string> before;
  const ListingEnds ends(stores, lanes, task.name, Patience::kShort);
  const Ends two = ends.ends();
  std::unique_ptr<pg::Session> session = database != nullptr ? database->Connect() : nullptr;
  LedgerStream::Read read;
  if (session) {
    if (const auto task_id = FindTask(*session, PlaceOf(task))) {
      before = ReadSelection(*session, *task_id);
      read = [&session, id = *task_id](const Key& after, std::int64_t limit) {
        return ReadLedger(*session, id, after, limit);
      };
    }
  }
  LedgerStream ledger(read, task.source.prefix);
  ListingStream source(ends.Places(Side::kSource), task.source.prefix, SourceName(task),
                       two.versions);
  ListingStream destination(ends.Places(Side::kDestination), task.destination.prefix,
                            DestinationName(task));
  Summary summary;
  CompareInput input{source,
                     destination,
                     ledger,
                     selection.filter,
                     AdoptPolicyOf(task),
                     two.destination_provider,
                     task.source.prefix,
                     task.destination.prefix};
  const DeleteRules rules = DeleteRulesOf(task, selection, before);
  if (rules.on()) {
    input.extra = [&](const ExtraFound& extra) {
      PrintExtra(context, extra, rules.policy, summary);
    };
  }
  const CompareCounts counts =
      Compare(input, context.stop, [&](const Found& found) { Print(context, found, summary); });
  if (!MayPrint(context, summary)) {
    fmt::print("... and {} more (--all shows them)\n", summary.lines() - kLinesMax);
  }
  fmt::print(
      "{}: dry run: {} objects at the source, {} to copy or verify, {} bytes, {} to adopt, "
      "{} archived, {} keys refused\n",
      task.name, summary.source_objects, summary.to_do, summary.bytes, summary.adopted,
      summary.archived, summary.refused);
  if (rules.on()) PrintDeletes(task, rules, counts, summary);
  return kExitDone;
}

}  // namespace

int DryRun(const CommandContext& context) {
  const auto database = Database::OpenExisting(context.config);
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
