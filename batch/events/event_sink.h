// Where events go, and what is counted on their way.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batch/queue/event_table.h"

namespace ferry {

// Returns once the events are stored for good: only then does whoever told us of them hear that
// they arrived. Throws where they are not: they will be told again. Never called with none; the
// events of one call are sorted by task and key, and each is there once. From any thread.
using EventSink = std::function<void(const std::vector<NewEvent>&)>;

// As EventSink: returns once the message is stored for good, and throws where it is not. It may be
// given the same message again.
using PoisonSink = std::function<void(const PoisonMessage&)>;

// Of one place that events come from, since this process started. Read and written by any thread.
struct EventCounters {
  std::atomic<std::int64_t> received{0};  // events: one a key that a message names
  std::atomic<std::int64_t> stored{0};    // events of them that the sink took for at least one task
  std::atomic<std::int64_t> foreign{0};   // events of other buckets, or below no task's prefix
  std::atomic<std::int64_t> ignored{0};   // test events, and events of no object
  std::atomic<std::int64_t> poison{0};    // messages that cannot be read
  std::atomic<std::int64_t> refused{0};   // requests without the token (webhook only)
  std::atomic<std::int64_t> failed{0};    // times that a sink threw, or a queue could not be asked
};

}  // namespace ferry
