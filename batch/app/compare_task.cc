#include "batch/app/compare_task.h"

#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"

namespace ferry {

TaskComparison CompareTask(const CommandContext& context, Stores& stores, LanePool& lanes,
                           Database* database, const TaskConfig& task,
                           const std::function<void(const Found&)>& found,
                           const std::function<void(const ExtraFound&, DeletePolicy)>& extra) {
  const TaskSelection selection = SelectionOf(context.config, task, context.clock.WallNow());
  std::optional<std::string> before;
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
  TaskListings listings(context, stores, lanes, task, Patience::kShort);
  CompareInput input{
      listings.source(),  listings.destination(), ledger,
      selection.filter,   AdoptPolicyOf(task),    listings.ends().destination_provider,
      task.source.prefix, task.destination.prefix};
  input.destination_asked = task.compare == CompareMode::kBoth;
  TaskComparison comparison;
  comparison.deletes = DeleteRulesOf(task, selection, before);
  if (comparison.deletes.on() && extra) {
    input.extra = [&](const ExtraFound& one) { extra(one, comparison.deletes.policy); };
  }
  comparison.counts = Compare(input, context.stop, found);
  listings.SayMissing();
  return comparison;
}

}  // namespace ferry
