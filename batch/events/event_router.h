// EventRouter: which tasks an event is for.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/config/config.h"
#include "batch/events/event_message.h"
#include "batch/events/event_sink.h"

namespace ferry {

class EventRouter {
 public:
  // Of the events that come from `source`: kWebhook or the name of a queue. `tasks` and `counters`
  // outlive this object.
  EventRouter(const std::vector<TaskConfig>& tasks, std::string source, EventCounters& counters);

  // Adds to `routed` one for each task whose source is the event's bucket, that listens to this
  // place and below whose prefix the key is; filters are others' to judge. Returns how many of the
  // events were for any. Counts, and logs a bucket that no task reads once. From any thread.
  std::size_t Route(const std::vector<ObjectEvent>& events, std::vector<NewEvent>& routed);

 private:
  void TellForeign(const ObjectEvent& event);

  std::vector<const TaskConfig*> tasks_;  // those that listen to this place
  const std::string source_;
  EventCounters& counters_;
  Mutex mutex_;
  std::set<std::string> told_ FERRY_GUARDED_BY(mutex_);
};

// As an EventSink wants them: sorted, each once.
void SortEvents(std::vector<NewEvent>& events);

}  // namespace ferry
