#include "batch/events/queue_poller.h"

#include <chrono>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/events/event_message.h"
#include "batch/events/event_router.h"
#include "batch/events/sqs_queue.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

// With its jitter no more than a minute.
constexpr BackoffOptions kPause{.base = milliseconds(500), .cap = milliseconds(59'500)};
// A queue that answers at once that there is nothing does not wait for messages.
constexpr milliseconds kEmptyAnswerMin{1'000};
constexpr std::string_view kNotStored = "NotStored";

class Polling {
 public:
  Polling(const EventQueue& queue, const std::vector<TaskConfig>& tasks, QueuePoller::Sinks sinks,
          EventCounters& counters, const Environment& environment, Clock& clock)
      : name_(queue.name),
        queue_(queue, environment, clock),
        router_(tasks, queue.name, counters),
        sinks_(std::move(sinks)),
        counters_(counters),
        clock_(clock) {}

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      try {
        Turn(stop);
        Succeeded();
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kStopped) return;
        // Of one message the answer is smaller.
        if (error.kind() == ErrorKind::kCorrupt) messages_max_ = 1;
        Failed(error.code().empty() ? std::string(ToString(error.kind())) : error.code(),
               error.what(), stop);
      } catch (const std::exception& error) {
        Failed("failure", error.what(), stop);
      }
    }
  }

 private:
  struct Read {
    std::vector<NewEvent> events;
    std::size_t wanted = 0;          // events that some task is told of
    std::vector<QueueMessage> good;  // to be deleted once the events are stored
    std::vector<std::pair<QueueMessage, std::string>> poison;  // and why
  };

  void Turn(const std::stop_token& stop) {
    const SteadyTime asked = clock_.SteadyNow();
    std::vector<QueueMessage> messages = queue_.Receive(messages_max_, stop);
    if (messages.empty()) {
      if (clock_.SteadyNow() - asked < kEmptyAnswerMin) clock_.SleepFor(kEmptyAnswerMin, stop);
      return;
    }
    messages_max_ = kQueueMessagesMax;
    Read read;
    for (QueueMessage& message : messages) ReadOne(std::move(message), read);
    Store(read);
    std::string failure;
    for (auto& [message, reason] : read.poison) {
      if (PutAside(message, reason, failure)) read.good.push_back(std::move(message));
    }
    if (!read.good.empty()) queue_.Delete(read.good, stop);
    if (!failure.empty()) throw Error(ErrorKind::kUnavailable, failure, std::string(kNotStored));
  }

  void ReadOne(QueueMessage message, Read& read) {
    try {
      if (message.body.size() > kQueueMessageBytesMax) {
        throw Error(ErrorKind::kInvalid, "the message is larger than " +
                                             std::to_string(kQueueMessageBytesMax) + " bytes");
      }
      const EventMessage parsed = ParseEventMessage(message.body);
      counters_.ignored += parsed.ignored;
      read.wanted += router_.Route(parsed.events, read.events);
      read.good.push_back(std::move(message));
    } catch (const Error& error) {
      read.poison.emplace_back(std::move(message), error.what());
    }
  }

  void Store(Read& read) {
    SortEvents(read.events);
    try {
      if (!read.events.empty()) sinks_.events(read.events);
    } catch (const std::exception& error) {
      throw Error(ErrorKind::kUnavailable,
                  "events could not be stored, and stay in the queue: " + std::string(error.what()),
                  std::string(kNotStored));
    }
    counters_.stored += static_cast<std::int64_t>(read.wanted);
    log::Debug("events",
               {{"from", name_}, {"messages", read.good.size()}, {"stored", read.wanted}});
  }

  // False: with the `failure` it stays in the queue.
  bool PutAside(const QueueMessage& message, const std::string& reason, std::string& failure) {
    try {
      sinks_.poison({name_, message.id, message.body.substr(0, kQueueMessageBytesMax), reason});
    } catch (const std::exception& error) {
      failure = "a message that cannot be read could not be put aside, and stays in the queue: " +
                std::string(error.what());
      return false;
    }
    ++counters_.poison;
    log::Warn("a message that cannot be read was put aside",
              {{"from", name_}, {"message", message.id}, {"reason", reason}});
    return true;
  }

  void Succeeded() {
    if (failures_ > 0) log::Info("the queue is read again", {{"from", name_}});
    failures_ = 0;
    told_.clear();
  }

  // One warning a cause: an outage of hours is no reason for thousands of lines.
  void Failed(const std::string& cause, const std::string& what, const std::stop_token& stop) {
    ++counters_.failed;
    ++failures_;
    const milliseconds pause = Backoff(failures_, static_cast<std::uint32_t>(random_()), kPause);
    if (cause != std::exchange(told_, cause)) {
      log::Warn("events do not come in, and are asked for again and again",
                {{"from", name_}, {"error", what}});
    } else {
      log::Debug("events do not come in",
                 {{"from", name_}, {"error", what}, {"pause_ms", pause.count()}});
    }
    clock_.SleepFor(pause, stop);
  }

  const std::string name_;
  SqsQueue queue_;
  EventRouter router_;
  const QueuePoller::Sinks sinks_;
  EventCounters& counters_;
  Clock& clock_;
  std::mt19937 random_{std::random_device()()};
  int messages_max_ = kQueueMessagesMax;
  int failures_ = 0;  // in a row
  std::string told_;  // the cause that was warned of
};

}  // namespace

QueuePoller::QueuePoller(const EventQueue& queue, const std::vector<TaskConfig>& tasks, Sinks sinks,
                         EventCounters& counters, const Environment& environment, Clock& clock)
    : thread_([polling = std::make_unique<Polling>(queue, tasks, std::move(sinks), counters,
                                                   environment, clock)](
                  const std::stop_token& stop) { polling->Run(stop); }) {}

QueuePoller::~QueuePoller() = default;

}  // namespace ferry
