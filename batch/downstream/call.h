// Call: how one target is reached. The port of everything downstream.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/downstream/occasion.h"

namespace ferry {

class Call {
 public:
  virtual ~Call() = default;

  // Blocks until the target has answered, `timeout` is over or a stop is requested. kAccepted: it
  // will be done, by somebody who does not say when. Throws Error: it is to be tried again. May be
  // repeated at any time: what was not acknowledged is called again.
  virtual RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                              const std::stop_token& stop) = 0;
};

// All outlive the call.
std::unique_ptr<Call> MakeCall(const RefreshTarget& target, const Environment& environment,
                               Clock& clock);
std::unique_ptr<Call> MakeCall(const NotifyTarget& target, const Environment& environment,
                               Clock& clock);

// What must never be refreshed by two at a time, whatever it is called: for a gateway its share.
std::string LeaseNameOf(const RefreshTarget& target);

// How long after a call that was accepted the same thing is not to be called again. A Storage
// Gateway asks for a minute between two refreshes of a share: an earlier one changes nothing (API
// reference, RefreshCache).
std::chrono::milliseconds SettlingTimeOf(const RefreshTarget& target);

// Whether the call is about the whole target and not about one task: then one call is enough for
// all tasks that require it.
bool IsOneForAllTasks(const RefreshTarget& target);

}  // namespace ferry
