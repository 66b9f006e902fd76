// QueuePoller: events from one queue of Amazon SQS.
//
// A thread of its own asks for up to ten messages and waits up to 20 s for them, hands their events
// to the sink, and deletes the messages once it has returned. A sink that throws leaves its
// messages in the queue, which gives them out again after its visibility timeout. What cannot be
// read goes to the poison sink, and is deleted after that. A queue that cannot be asked (keys,
// permissions, no such queue, no answer) is one warning a cause, and is asked again after a pause
// of up to a minute.
#pragma once

#include <stop_token>
#include <thread>
#include <vector>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/events/event_sink.h"

namespace ferry {

class QueuePoller {
 public:
  struct Sinks {
    EventSink events;
    PoisonSink poison;
  };

  // Asks from here on. Throws what MakeCredentials does, and nothing for what the queue answers.
  // All but `sinks` outlive this object.
  QueuePoller(const EventQueue& queue, const std::vector<TaskConfig>& tasks, Sinks sinks,
              EventCounters& counters, const Environment& environment, Clock& clock);

  // Breaks off what is asked, and returns within a second, or when a sink that is at work has
  // returned.
  ~QueuePoller();
  QueuePoller(const QueuePoller&) = delete;
  QueuePoller& operator=(const QueuePoller&) = delete;

  // The destructor's first half: several pollers stop side by side.
  void RequestStop() { thread_.request_stop(); }

 private:
  std::jthread thread_;
};

}  // namespace ferry
