// TaskLimits: when a task may copy, and how much of it at a time for its bandwidth. A port of the
// worker; app/task_hours.h is behind it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace ferry {

// This one limits nothing. `task` is a name this process serves. Thread-safe.
class TaskLimits {
 public:
  virtual ~TaskLimits() = default;

  // Why nothing new may be started now: "outside its window until 22:00 (Asia/Shanghai)". Empty: it
  // may.
  virtual std::string Closed(const std::string& /*task*/) { return {}; }

  // Of how many bytes the bodies may be that are under way at once (BodyAtOnce). One of any size
  // always may.
  virtual std::uint64_t BodyBytesMax(const std::string& /*task*/) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  bool HasBandwidth(const std::string& task) {
    return BodyBytesMax(task) != std::numeric_limits<std::uint64_t>::max();
  }
};

// Where there are none.
inline TaskLimits& NoLimits() {
  static TaskLimits none;
  return none;
}

}  // namespace ferry
