#include "batch/app/task_listings.h"

#include "batch/app/task_parts.h"
#include "batch/base/log.h"
#include "batch/listing/list_file.h"
#include "batch/listing/listing_stream.h"
#include "batch/listing/prefixes_stream.h"

namespace ferry {
namespace {

using Kind = ListConfig::Kind;

std::filesystem::path ScratchOf(const Config& config) { return config.state_dir / "scratch"; }

// The lines of the task's file, sorted, for one side.
std::function<std::vector<Key>(std::size_t)> SortedLines(const Config& config,
                                                         const TaskConfig& task) {
  return
      [list = std::make_shared<SortedList>(task.list.file, task.source.prefix, ScratchOf(config))](
          std::size_t count) { return list->Take(count); };
}

}  // namespace

TaskListings::TaskListings(const ListingEnds& ends, const Config& config, const TaskConfig& task,
                           Sides sides)
    : task_(task) {
  switch (task.list.kind) {
    case Kind::kBucket: OfBucket(ends, task); break;
    case Kind::kKeys: OfKeys(ends, config, task); break;
    case Kind::kPrefixes: OfPrefixes(ends, config, task); break;
    case Kind::kInventory: break;
  }
  const bool asked = sides == Sides::kBoth || task.compare == CompareMode::kBoth;
  if (!asked) destination_ = std::make_unique<NoEntries>();
}

void TaskListings::OfBucket(const ListingEnds& ends, const TaskConfig& task) {
  source_ = std::make_unique<ListingStream>(ends.Places(Side::kSource), task.source.prefix,
                                            SourceName(task), ends.ends().versions);
  destination_ = std::make_unique<ListingStream>(ends.Places(Side::kDestination),
                                                 task.destination.prefix, DestinationName(task));
}

void TaskListings::OfKeys(const ListingEnds& ends, const Config& config, const TaskConfig& task) {
  auto source = std::make_unique<KeysStream>(ends.Places(Side::kSource), task.source.prefix,
                                             SortedLines(config, task), ends.ends().versions);
  keys_ = source.get();
  source_ = std::move(source);
  destination_ = std::make_unique<KeysStream>(ends.Places(Side::kDestination),
                                              task.destination.prefix, SortedLines(config, task));
}

void TaskListings::OfPrefixes(const ListingEnds& ends, const Config& config,
                              const TaskConfig& task) {
  source_ = std::make_unique<PrefixesStream>(ends.Places(Side::kSource), task.source.prefix,
                                             SourceName(task), SortedLines(config, task),
                                             ends.ends().versions);
  destination_ =
      std::make_unique<PrefixesStream>(ends.Places(Side::kDestination), task.destination.prefix,
                                       DestinationName(task), SortedLines(config, task));
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
