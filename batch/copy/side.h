// Which end of a copy something came from.
#pragma once

#include "batch/base/error.h"
#include "batch/base/task.h"

namespace ferry {

// Which of the two ends an error came from: a missing object at the source is "vanished", a
// missing bucket at the destination is not.
enum class Side { kSource, kDestination };

class SideError : public Error {
 public:
  SideError(Side side, const Error& error) : Error(error), side_(side) {}
  Side side() const noexcept { return side_; }

 private:
  Side side_;
};

// Runs a task and says which side its error came from.
template <typename T>
Task<T> On(Side side, Task<T> task) {
  try {
    co_return co_await std::move(task);
  } catch (const SideError&) {
    throw;
  } catch (const Error& error) {
    throw SideError(side, error);
  }
}

}  // namespace ferry
