// EventIntake: the places that tasks take events from, wired to the event rows.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/app/commands.h"
#include "batch/events/event_webhooks.h"
#include "batch/events/queue_poller.h"
#include "batch/pg/session.h"

namespace ferry {

class EventIntake {
 public:
  using Connect = std::function<std::unique_ptr<pg::Session>()>;

  // Takes in from here on, for context.tasks. `context` outlives this object; `connect` is
  // thread-safe. Throws Error{kConfig, kUnavailable} of the address that webhooks come to.
  EventIntake(const CommandContext& context, Connect connect);
  // Ends within a second, or when what is being stored is.
  ~EventIntake();
  EventIntake(const EventIntake&) = delete;
  EventIntake& operator=(const EventIntake&) = delete;

 private:
  bool TakesFrom(const std::string& place) const;
  void StopQueues();

  const Connect connect_;
  ListenConfig listen_;
  const std::vector<const TaskConfig*> asked_for_;  // whose places are opened
  // All that the file has: what a place tells of another task waits for whoever sees to that one.
  std::vector<TaskConfig> tasks_;
  std::map<std::string, EventCounters> counters_;  // by place
  std::vector<std::unique_ptr<QueuePoller>> queues_;
  std::optional<EventWebhooks> webhooks_;
  // A stop of the process does not wait for what workers still have in hand.
  std::optional<std::stop_callback<std::function<void()>>> at_stop_;
};

}  // namespace ferry
