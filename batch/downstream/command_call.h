// Command: a program of the user's, run without a shell, with the facts in its environment:
// BUCKETFERRY_TASK, BUCKETFERRY_RUN, ... by the names of kPlaceholders, and BUCKETFERRY_JSON.
//
// Nothing else of this process's environment but PATH, HOME, LANG and TZ gets there: it may hold
// keys. Exit 0 is done; any other code, a signal and a time-out are failures, told with the last
// line that it wrote. At a time-out or a stop its whole process group is ended.
#pragma once

#include <string>

#include "batch/downstream/call.h"

namespace ferry {

class CommandCall final : public Call {
 public:
  CommandCall(std::string name, const CommandTarget& target, const Environment& environment,
              Clock& clock)
      : name_(std::move(name)), target_(target), environment_(environment), clock_(clock) {}

  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) override;

 private:
  const std::string name_;
  const CommandTarget& target_;
  const Environment& environment_;
  Clock& clock_;
};

}  // namespace ferry
