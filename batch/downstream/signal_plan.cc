#include "batch/downstream/signal_plan.h"

#include <algorithm>

namespace ferry {
namespace {

void AddOnce(const std::vector<std::string>& names, std::vector<std::string>* all) {
  for (const std::string& name : names) {
    if (std::ranges::find(*all, name) == all->end()) all->push_back(name);
  }
}

}  // namespace

TaskTargets SignalPlan::RefreshPairs(const std::string& target) const {
  TaskTargets pairs;
  for (const TaskConfig* task : refresh) {
    for (const std::string& name : task->refresh) {
      if (target.empty() || name == target) pairs.emplace_back(task->name, name);
    }
  }
  return pairs;
}

std::vector<std::string> SignalPlan::RefreshTargets() const {
  std::vector<std::string> names;
  for (const TaskConfig* task : refresh) AddOnce(task->refresh, &names);
  return names;
}

std::vector<std::string> SignalPlan::NotifyTasks() const {
  std::vector<std::string> names;
  for (const TaskConfig* task : notify) names.push_back(task->name);
  return names;
}

std::vector<std::string> SignalPlan::NotifyTargets() const {
  std::vector<std::string> names;
  for (const TaskConfig* task : notify) AddOnce(task->notify, &names);
  return names;
}

SignalPlan PlanOfHook(const Config& config) {
  SignalPlan plan;
  for (const TaskConfig& task : config.tasks) {
    if (!task.refresh.empty()) plan.refresh.push_back(&task);
    if (!task.notify.empty()) plan.notify.push_back(&task);
  }
  return plan;
}

SignalPlan PlanOfRun(const std::vector<const TaskConfig*>& tasks) {
  SignalPlan plan;
  for (const TaskConfig* task : tasks) {
    if (!task->refresh.empty() && task->refresh_via == SignalVia::kRun) {
      plan.refresh.push_back(task);
    }
    if (!task->notify.empty() && task->notify_via == SignalVia::kRun) plan.notify.push_back(task);
  }
  return plan;
}

}  // namespace ferry
