#include "batch/hook/intake.h"

#include <algorithm>
#include <tuple>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/queue/notification_table.h"
#include "batch/queue/refresh_table.h"

namespace ferry {
namespace {

bool Names(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

void AcceptOne(pg::Transaction& tx, const TaskConfig& task, const AlertSignal& signal,
               Accepted* accepted) {
  switch (signal.event) {
    case AlertSignal::Event::kRefresh:
      // What is required by now, whatever the alert still knew: never less than it asks for.
      if (RequestRefresh(tx, task.name, signal.target)) ++accepted->refreshes;
      return;
    case AlertSignal::Event::kStarted:
      AnnounceRun(tx, signal.run_id, RunEvent::kStarted, task.name, task.notify);
      break;
    case AlertSignal::Event::kCompleted:
    case AlertSignal::Event::kFailed:
      AnnounceRun(tx, signal.run_id, RunEvent::kEnded, task.name, task.notify);
      break;
  }
  // An event is replaced by the next one of its kind.
  AnnounceMissedRuns(tx, signal.run_id, task.name, task.notify);
  if (!task.notify.empty()) ++accepted->announcements;
}

}  // namespace

Intake::Intake(const Config& config, std::function<std::unique_ptr<pg::Session>()> connect,
               std::function<void()> accepted)
    : config_(config), connect_(std::move(connect)), accepted_(std::move(accepted)) {}

Accepted Intake::Accept(const AlertMessage& message) {
  Accepted accepted;
  std::vector<const AlertSignal*> known;
  for (const AlertSignal& signal : message.signals) {
    const TaskConfig* const task = config_.FindTask(signal.task);
    const bool refresh = signal.event == AlertSignal::Event::kRefresh;
    if (task != nullptr && (!refresh || Names(task->refresh, signal.target))) {
      known.push_back(&signal);
      continue;
    }
    ++accepted.unknown;
    log::Warn("asked for what the configuration does not name",
              {{"task", signal.task}, {"target", signal.target}, {"run", signal.run_id}});
  }
  // Always in one order: two messages at a time must not wait for each other's rows.
  std::ranges::sort(known, {}, [](const AlertSignal* signal) {
    return std::tie(signal->task, signal->target, signal->run_id);
  });
  if (!known.empty()) {
    const auto session = connect_();
    session->Transact([&](pg::Transaction& tx) {
      for (const AlertSignal* signal : known) {
        AcceptOne(tx, *config_.FindTask(signal->task), *signal, &accepted);
      }
    });
    accepted_();
  }
  return accepted;
}

bool Intake::IsReady() noexcept {
  try {
    const auto session = connect_();
    CountOpenRefreshes(*session, {});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace ferry
