#include "batch/queue/notification_table.h"

#include "batch/base/error.h"

namespace ferry {
namespace {

RunEvent EventOf(const std::string& text) {
  if (text == "started") return RunEvent::kStarted;
  return text == "ended" ? RunEvent::kEnded : RunEvent::kRefreshed;
}

std::string_view ToString(NotificationEnd end) {
  switch (end) {
    case NotificationEnd::kSent: return "sent";
    case NotificationEnd::kDropped: return "dropped";
    case NotificationEnd::kGivenUp: return "given_up";
  }
  return "unknown";
}

}  // namespace

std::string_view ToString(RunEvent event) {
  switch (event) {
    case RunEvent::kStarted: return "started";
    case RunEvent::kEnded: return "ended";
    case RunEvent::kRefreshed: return "refreshed";
  }
  return "unknown";
}

std::optional<RunFacts> ReadRunFacts(pg::Transaction& tx, std::int64_t run_id) {
  const pg::Rows rows = tx.Execute("queries/read_run_facts", run_id);
  if (rows.empty()) return std::nullopt;
  const pg::Row row = rows[0];
  const auto text = [&](std::string_view column) {
    return row.Get<std::optional<std::string>>(column).value_or("");
  };
  const auto count = [&](std::string_view column) { return row.Get<std::int64_t>(column); };
  return RunFacts{.run_id = run_id,
                  .task = text("task_name"),
                  .kind = text("kind"),
                  .state = text("state"),
                  .closed = row.Get<bool>("closed"),
                  .source_objects = count("source_objects"),
                  .planned = count("planned"),
                  .done = count("done"),
                  .adopted = count("adopted"),
                  .deleted = count("deleted"),
                  .dead = count("dead"),
                  .vanished = count("vanished"),
                  .archived = count("archived"),
                  .bytes_done = count("bytes_done"),
                  .seconds = row.Get<double>("seconds"),
                  .started_at = text("started_at"),
                  .finished_at = text("finished_at"),
                  .error = text("error")};
}

void AnnounceRun(pg::Transaction& tx, std::int64_t run_id, RunEvent event, const std::string& task,
                 const std::vector<std::string>& targets) {
  if (targets.empty()) return;
  tx.Execute("queries/announce_run", run_id, ToString(event), task, targets);
}

void AnnounceMissedRuns(pg::Transaction& tx, std::int64_t run_id, const std::string& task,
                        const std::vector<std::string>& targets) {
  if (targets.empty()) return;
  tx.Execute("queries/announce_missed_runs", run_id, task, targets);
}

void AnnounceEnds(pg::Session& session, const std::vector<std::string>& tasks,
                  const std::vector<std::string>& targets) {
  session.Transact(
      [&](pg::Transaction& tx) { tx.Execute("queries/announce_ends", tasks, targets); });
}

std::vector<std::string> FindNotifyTargets(pg::Session& session,
                                           const std::vector<std::string>& tasks,
                                           const std::vector<std::string>& targets) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<std::string> found;
    for (const pg::Row row : tx.Execute("queries/find_notify_targets", tasks, targets)) {
      found.push_back(row.Get<std::string>("target"));
    }
    return found;
  });
}

std::int64_t CountWaitingNotifications(pg::Session& session, const std::vector<std::int64_t>& runs,
                                       const std::vector<std::string>& targets) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_waiting_notifications", runs, targets)
        .One()
        .Get<std::int64_t>("n");
  });
}

std::optional<Notification> ClaimNotification(pg::Session& session,
                                              const std::vector<std::string>& tasks,
                                              const std::string& target, const std::string& holder,
                                              std::chrono::milliseconds lease) {
  return session.Transact([&](pg::Transaction& tx) -> std::optional<Notification> {
    const pg::Rows rows =
        tx.Execute("queries/claim_notification", tasks, target, holder, lease.count());
    if (rows.empty()) return std::nullopt;
    const pg::Row row = rows[0];
    return Notification{.run_id = row.Get<std::int64_t>("run_id"),
                        .event = EventOf(row.Get<std::string>("event")),
                        .target = row.Get<std::string>("target"),
                        .task = row.Get<std::string>("task_name"),
                        .tries = row.Get<int>("tries"),
                        .age = std::chrono::duration<double>(row.Get<double>("age_seconds"))};
  });
}

void FinishNotification(pg::Transaction& tx, const Notification& notification,
                        const std::string& holder, NotificationEnd end,
                        const std::optional<std::string>& error) {
  tx.Execute("queries/finish_notification", notification.run_id, ToString(notification.event),
             notification.target, holder, ToString(end), error);
}

void PostponeNotification(pg::Transaction& tx, const Notification& notification,
                          const std::string& holder, std::chrono::milliseconds pause,
                          const std::optional<std::string>& error) {
  tx.Execute("queries/postpone_notification", notification.run_id, ToString(notification.event),
             notification.target, holder, pause.count(), error);
}

void CountNotify(pg::Transaction& tx, const std::string& target, bool failed) {
  tx.Execute("queries/count_notify", target, failed);
}

}  // namespace ferry
