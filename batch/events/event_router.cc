#include "batch/events/event_router.h"

#include <algorithm>
#include <utility>

#include "batch/base/log.h"

namespace ferry {
namespace {

// Names of buckets that are kept, so that each is told once.
constexpr std::size_t kToldMax = 1000;

bool ListensTo(const TaskConfig& task, const std::string& source) {
  return std::ranges::find(task.events.from, source) != task.events.from.end();
}

}  // namespace

EventRouter::EventRouter(const std::vector<TaskConfig>& tasks, std::string source,
                         EventCounters& counters)
    : source_(std::move(source)), counters_(counters) {
  for (const TaskConfig& task : tasks) {
    if (ListensTo(task, source_)) tasks_.push_back(&task);
  }
}

std::size_t EventRouter::Route(const std::vector<ObjectEvent>& events,
                               std::vector<NewEvent>& routed) {
  std::size_t wanted = 0;
  for (const ObjectEvent& event : events) {
    bool known = false;
    const std::size_t before = routed.size();
    for (const TaskConfig* task : tasks_) {
      if (task->source.bucket != event.bucket) continue;
      known = true;
      if (event.key.StartsWith(task->source.prefix)) routed.push_back({task->name, event.key});
    }
    if (routed.size() > before) ++wanted;
    if (!known) TellForeign(event);
  }
  counters_.received += static_cast<std::int64_t>(events.size());
  counters_.foreign += static_cast<std::int64_t>(events.size() - wanted);
  return wanted;
}

void EventRouter::TellForeign(const ObjectEvent& event) {
  log::Debug("an event of a bucket that no task reads",
             {{"from", source_}, {"bucket", event.bucket}, {"key", event.key}});
  MutexLock lock(mutex_);
  if (told_.size() == kToldMax || !told_.insert(event.bucket).second) return;
  log::Info("events come of a bucket that no task reads by them: they are left",
            {{"from", source_}, {"bucket", event.bucket}});
}

void SortEvents(std::vector<NewEvent>& events) {
  const auto before = [](const NewEvent& one, const NewEvent& two) {
    return one.task != two.task ? one.task < two.task : one.key < two.key;
  };
  std::ranges::sort(events, before);
  events.erase(std::unique(events.begin(), events.end()), events.end());
}

}  // namespace ferry
