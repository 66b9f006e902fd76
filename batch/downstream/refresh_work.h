// One refresh target, called for all that is due.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/downstream/call.h"
#include "batch/downstream/signal_plan.h"
#include "batch/pg/session.h"

namespace ferry {

// What all work downstream shares. Everything outlives the work.
struct DownstreamParts {
  std::function<std::unique_ptr<pg::Session>()> connect;
  const Config& config;
  Clock& clock;
  // Of each target, by name.
  std::function<Call&(const RefreshTarget&)> refresh_call;
  std::function<Call&(const NotifyTarget&)> notify_call;
  // Asked before each call: whether one may still be begun.
  std::function<bool()> may_begin = [] { return true; };
};

// Calls `target` under its lease until nothing is due, it fails or a stop is requested. Nothing
// where another process has the lease. Acknowledges what was required before the call, never more.
// Throws Error for what the database does.
void RefreshDue(const DownstreamParts& parts, const SignalPlan& plan, const RefreshTarget& target,
                const std::stop_token& stop);

}  // namespace ferry
