#include "batch/app/event_intake.h"

#include <algorithm>

#include "batch/base/log.h"
#include "batch/queue/event_table.h"

namespace ferry {

EventIntake::EventIntake(const CommandContext& context, Connect connect)
    : connect_(std::move(connect)), listen_(context.config.listen), asked_for_(context.tasks) {
  if (!context.line.listen.empty()) listen_.listen = context.line.listen;
  for (const TaskConfig& task : context.config.tasks) tasks_.push_back(task);
  const EventSink events = [this](const std::vector<NewEvent>& told) {
    AddEvents(*connect_(), told);
  };
  const PoisonSink poison = [this](const PoisonMessage& message) {
    AddPoison(*connect_(), message);
  };
  if (TakesFrom(std::string(kWebhook))) {
    webhooks_.emplace(listen_, tasks_, events, counters_[std::string(kWebhook)]);
    log::Info("listens for events",
              {{"address", webhooks_->address()}, {"tasks", context.tasks.size()}});
  }
  for (const EventQueue& queue : listen_.queues) {
    if (!TakesFrom(queue.name)) continue;
    queues_.push_back(
        std::make_unique<QueuePoller>(queue, tasks_, QueuePoller::Sinks{events, poison},
                                      counters_[queue.name], context.environment, context.clock));
    log::Info("takes events from a queue", {{"queue", queue.name}});
  }
  at_stop_.emplace(context.stop, [this] { StopQueues(); });
}

EventIntake::~EventIntake() {
  at_stop_.reset();
  StopQueues();
  queues_.clear();
  webhooks_.reset();
  for (const auto& [place, counted] : counters_) {
    log::Info("events taken in", {{"from", place},
                                  {"received", counted.received.load()},
                                  {"stored", counted.stored.load()},
                                  {"of_other_buckets", counted.foreign.load()},
                                  {"poison", counted.poison.load()},
                                  {"refused", counted.refused.load()},
                                  {"failed", counted.failed.load()}});
  }
}

bool EventIntake::TakesFrom(const std::string& place) const {
  return std::any_of(asked_for_.begin(), asked_for_.end(), [&](const TaskConfig* task) {
    return std::find(task->events.from.begin(), task->events.from.end(), place) !=
           task->events.from.end();
  });
}

void EventIntake::StopQueues() {
  for (const auto& queue : queues_) queue->RequestStop();
}

}  // namespace ferry
