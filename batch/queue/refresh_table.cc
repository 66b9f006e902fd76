#include "batch/queue/refresh_table.h"

namespace ferry {
namespace {

struct Columns {
  std::vector<std::string> tasks;
  std::vector<std::string> targets;
};

Columns ColumnsOf(const TaskTargets& pairs) {
  Columns columns;
  for (const auto& [task, target] : pairs) {
    columns.tasks.push_back(task);
    columns.targets.push_back(target);
  }
  return columns;
}

}  // namespace

std::string_view ToString(RefreshOutcome outcome) {
  switch (outcome) {
    case RefreshOutcome::kDone: return "done";
    case RefreshOutcome::kAccepted: return "accepted";
  }
  return "unknown";
}

bool RequireInterimRefresh(pg::Session& session, std::int64_t run_id,
                           std::chrono::milliseconds every) {
  return session.Transact([&](pg::Transaction& tx) {
    return !tx.Execute("queries/require_interim_refresh", run_id, every.count()).empty();
  });
}

bool RequestRefresh(pg::Transaction& tx, const std::string& task, const std::string& target) {
  return !tx.Execute("queries/request_refresh", task, target).empty();
}

std::vector<DueRefresh> FindDueRefreshes(pg::Session& session, const TaskTargets& targets) {
  const Columns columns = ColumnsOf(targets);
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<DueRefresh> due;
    for (const pg::Row row :
         tx.Execute("queries/find_due_refreshes", columns.tasks, columns.targets)) {
      due.push_back({row.Get<std::string>("task_name"), row.Get<std::string>("target"),
                     row.Get<std::int64_t>("required_run_id"),
                     row.Get<std::int64_t>("required_seq"), row.Get<int>("tries")});
    }
    return due;
  });
}

std::int64_t CountOpenRefreshes(pg::Session& session, const TaskTargets& targets) {
  const Columns columns = ColumnsOf(targets);
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_open_refreshes", columns.tasks, columns.targets)
        .One()
        .Get<std::int64_t>("n");
  });
}

void AcknowledgeRefresh(pg::Session& session, const DueRefresh& due, RefreshOutcome outcome,
                        const std::vector<std::string>& refresh,
                        const std::vector<std::string>& notify) {
  session.Transact([&](pg::Transaction& tx) {
    tx.Execute("queries/lock_refreshes", due.task);
    tx.Execute("queries/acknowledge_refresh", due.task, due.target, due.run_id, due.seq,
               ToString(outcome));
    tx.Execute("queries/announce_refreshed", due.task, refresh, notify);
  });
}

void RecordRefreshFailure(pg::Session& session, const DueRefresh& due, const std::string& error,
                          std::chrono::milliseconds pause) {
  session.Transact([&](pg::Transaction& tx) {
    tx.Execute("queries/record_refresh_failure", due.task, due.target, error, pause.count());
  });
}

bool TakeRefreshLease(pg::Session& session, const std::string& what, const std::string& holder,
                      std::chrono::milliseconds ttl) {
  return session.Transact([&](pg::Transaction& tx) {
    return !tx.Execute("queries/take_refresh_lease", what, holder, ttl.count()).empty();
  });
}

void ReleaseRefreshLease(pg::Session& session, const std::string& what, const std::string& holder) {
  session.Transact(
      [&](pg::Transaction& tx) { tx.Execute("queries/release_refresh_lease", what, holder); });
}

std::vector<std::pair<std::string, RefreshOutcome>> ListRefreshOutcomes(
    pg::Transaction& tx, const std::string& task, const std::vector<std::string>& targets) {
  std::vector<std::pair<std::string, RefreshOutcome>> outcomes;
  for (const pg::Row row : tx.Execute("queries/list_refresh_outcomes", task, targets)) {
    outcomes.emplace_back(row.Get<std::string>("target"), row.Get<std::string>("outcome") == "done"
                                                              ? RefreshOutcome::kDone
                                                              : RefreshOutcome::kAccepted);
  }
  return outcomes;
}

}  // namespace ferry
