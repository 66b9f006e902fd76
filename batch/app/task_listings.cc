#include "batch/app/task_listings.h"

#include <chrono>

#include "batch/app/task_parts.h"
#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/listing/inventory.h"
#include "batch/listing/list_file.h"
#include "batch/listing/listing_stream.h"
#include "batch/listing/prefixes_stream.h"

namespace ferry {
namespace {

using Kind = ListConfig::Kind;

constexpr std::int64_t kHourMs = 3'600'000;

std::filesystem::path ScratchOf(const Config& config) { return config.state_dir / "scratch"; }

}  // namespace

TaskListings::TaskListings(const CommandContext& context, Stores& stores, LanePool& lanes,
                           const TaskConfig& task, Patience patience, Sides sides)
    : context_(context), task_(task), ends_(stores, lanes, task.name, patience) {
  switch (task.list.kind) {
    case Kind::kBucket: OfBucket(); break;
    case Kind::kKeys: OfKeys(); break;
    case Kind::kPrefixes: OfPrefixes(); break;
    case Kind::kInventory: OfInventory(stores, lanes); break;
  }
  const bool asked = sides == Sides::kBoth || task.compare == CompareMode::kBoth;
  if (!asked) destination_ = std::make_unique<NoEntries>();
}

std::unique_ptr<EntryStream> TaskListings::Bucket(Side side) const {
  const bool source = side == Side::kSource;
  return std::make_unique<ListingStream>(ends_.Places(side),
                                         source ? task_.source.prefix : task_.destination.prefix,
                                         source ? SourceName(task_) : DestinationName(task_),
                                         source ? ends().versions : VersionPolicy::kLatest);
}

// The lines of the task's file, for one side.
KeysStream::Keys TaskListings::SortedLines() const {
  return [list = std::make_shared<SortedList>(task_.list.file, task_.source.prefix,
                                              ScratchOf(context_.config))](std::size_t count) {
    return list->Take(count);
  };
}

void TaskListings::OfBucket() {
  source_ = Bucket(Side::kSource);
  destination_ = Bucket(Side::kDestination);
}

void TaskListings::OfKeys() {
  auto source = std::make_unique<KeysStream>(ends_.Places(Side::kSource), task_.source.prefix,
                                             SortedLines(), ends().versions);
  keys_ = source.get();
  source_ = std::move(source);
  destination_ = std::make_unique<KeysStream>(ends_.Places(Side::kDestination),
                                              task_.destination.prefix, SortedLines());
}

void TaskListings::OfPrefixes() {
  source_ = std::make_unique<PrefixesStream>(ends_.Places(Side::kSource), task_.source.prefix,
                                             SourceName(task_), SortedLines(), ends().versions);
  destination_ =
      std::make_unique<PrefixesStream>(ends_.Places(Side::kDestination), task_.destination.prefix,
                                       DestinationName(task_), SortedLines());
}

void TaskListings::OfInventory(Stores& stores, LanePool& lanes) {
  EventLoop& loop = lanes.loop();
  const auto reader = stores.MakeReader(loop, task_);
  InventoryOrder order;
  order.manifest = task_.list.manifest;
  order.source_bucket = task_.source.bucket;
  order.prefix = task_.source.prefix;
  order.scratch = ScratchOf(context_.config);
  order.names_versions = ends().versions == VersionPolicy::kCompared;
  auto inventory = Inventory::Read({loop, reader->store()}, order);
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  context_.clock.WallNow().time_since_epoch())
                                  .count();
  log::Info("planning by an inventory",
            {{"task", task_.name},
             {"manifest", EscapeBytes(inventory->manifest())},
             {"of", HumanMoment(inventory->created_ms())},
             {"hours_old", (now_ms - inventory->created_ms()) / kHourMs},
             {"rows", inventory->rows()}});
  source_ = std::move(inventory);
  destination_ = Bucket(Side::kDestination);
}

void TaskListings::SayMissing() const {
  if (keys_ == nullptr || keys_->missing() == 0) return;
  log::Warn("some of the listed keys are not at the source",
            {{"task", task_.name}, {"keys", keys_->missing()}, {"list", task_.list.file.string()}});
}

void CheckListFile(const TaskConfig& task) {
  if (task.list.kind != Kind::kKeys && task.list.kind != Kind::kPrefixes) return;
  ReadListFile(task.list.file, task.source.prefix, [](std::string_view) {});
}

}  // namespace ferry
