// Event rows: keys of a task that somebody said had changed, until a planner has looked at them.
// A key that waits already waits once; an event is a hint, so what it said of the key is not kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/base/key.h"
#include "batch/pg/session.h"

namespace ferry {

struct NewEvent {
  std::string task;  // its name
  Key key;           // of the source, with the task's prefix

  friend bool operator==(const NewEvent&, const NewEvent&) = default;
};

// All of them or none. A key that is said to have changed once more counts as told of last.
void AddEvents(pg::Session& session, const std::vector<NewEvent>& events);

struct WaitingEvent {
  std::int64_t number = 0;  // grows with each telling
  Key key;
};

// The first `limit` in the order of their telling.
std::vector<WaitingEvent> ReadEvents(pg::Session& session, const std::string& task,
                                     std::int64_t limit);

// Those that nobody told of again since they were read. Part of the caller's transaction.
void ForgetEvents(pg::Transaction& tx, const std::string& task,
                  const std::vector<WaitingEvent>& events);

}  // namespace ferry
