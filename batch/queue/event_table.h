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

  friend bool operator==(const WaitingEvent&, const WaitingEvent&) = default;
};

// The first `limit` in the order of their telling, above the number `above`. One that is told of
// meanwhile may come in below a number that was read already: who reads on begins anew in the end.
std::vector<WaitingEvent> ReadEvents(pg::Session& session, const std::string& task,
                                     std::int64_t limit, std::int64_t above = 0);

// Those that nobody told of again since they were read. Part of the caller's transaction.
void ForgetEvents(pg::Transaction& tx, const std::string& task,
                  const std::vector<WaitingEvent>& events);

// Of `tasks`, those that a planner has something to do for: keys wait, or a run of events was left
// behind by a planner or worker that is no more.
std::vector<std::string> FindEventTasks(pg::Session& session,
                                        const std::vector<std::string>& tasks);

// A message that cannot be understood. Any bytes.
struct PoisonMessage {
  std::string source;  // "webhook", or the name of a queue
  std::string id;      // there; empty: it has none
  std::string body;    // of which the first kPoisonBytesMax are kept
  std::string reason;
};

inline constexpr std::size_t kPoisonBytesMax = std::size_t{256} << 10;

// Sets it aside for people to look at, until history ends. One with an id is kept once.
void AddPoison(pg::Session& session, const PoisonMessage& message);

}  // namespace ferry
