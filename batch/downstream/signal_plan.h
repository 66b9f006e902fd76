// SignalPlan: which targets of which tasks this process calls.
#pragma once

#include <string>
#include <vector>

#include "batch/config/config.h"
#include "batch/queue/refresh_table.h"

namespace ferry {

// Of a hook: everything that the configuration names. Of a run: what its tasks leave to it.
struct SignalPlan {
  std::vector<const TaskConfig*> refresh;  // whose refresh targets
  std::vector<const TaskConfig*> notify;   // whose notify targets

  bool empty() const { return refresh.empty() && notify.empty(); }

  // Of one refresh target, or of all (name empty).
  TaskTargets RefreshPairs(const std::string& target = {}) const;
  std::vector<std::string> RefreshTargets() const;  // each once
  std::vector<std::string> NotifyTasks() const;
  std::vector<std::string> NotifyTargets() const;  // each once
};

SignalPlan PlanOfHook(const Config& config);
// Of those tasks that say `via: run`.
SignalPlan PlanOfRun(const std::vector<const TaskConfig*>& tasks);

}  // namespace ferry
