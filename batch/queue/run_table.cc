#include "batch/queue/run_table.h"

#include <algorithm>

#include "batch/base/error.h"
#include "batch/queue/worker_lease.h"

namespace ferry {
namespace {

std::int64_t EnsureTask(pg::Transaction& tx, const TaskPlace& place) {
  return tx
      .Execute("queries/ensure_task", place.name, place.source_store, place.source_bucket,
               pg::Bytes{place.source_prefix}, place.destination_store, place.destination_bucket,
               pg::Bytes{place.destination_prefix}, place.refresh_targets)
      .One()
      .Get<std::int64_t>("task_id");
}

// `late`: of what was recorded after the run was closed.
// REQUIRES: the run's row is locked, and it is closed.
void Fold(pg::Transaction& tx, std::int64_t run_id, bool late) {
  const bool changed = tx.Execute("queries/fold_run", run_id).One().Get<bool>("changed");
  tx.Execute("queries/require_refresh", run_id, late && changed);
}

// REQUIRES: the run's row is locked.
void Close(pg::Transaction& tx, std::int64_t run_id, const std::string& state,
           const std::optional<std::string>& error) {
  const pg::Rows closed = tx.Execute("queries/close_run", run_id, state, error);
  const bool ended_early = state == "failed" || state == "interrupted";
  if (ended_early && !closed.empty() && closed.One().Get<bool>("of_events")) {
    tx.Execute("queries/return_events", run_id, closed.One().Get<std::string>("task_name"));
  }
  Fold(tx, run_id, /*late=*/false);
}

struct UnclosedRun {
  std::int64_t run_id = 0;
  bool of_events = false;
  bool planner_lost = false;
  bool going_on = false;
  bool ours = false;  // goes on, and whoever asks plans it
};

std::vector<UnclosedRun> FindUnclosedRuns(pg::Transaction& tx, const std::string& task_name,
                                          std::int64_t worker_id) {
  std::vector<UnclosedRun> runs;
  for (const pg::Row row : tx.Execute("queries/find_unclosed_runs", task_name)) {
    const bool planning = row.Get<std::string>("state") == "planning";
    UnclosedRun run;
    run.run_id = row.Get<std::int64_t>("run_id");
    run.of_events = row.Get<bool>("of_events");
    run.planner_lost = planning && !row.Get<bool>("planner_alive");
    run.going_on = row.Get<bool>("active") && !run.planner_lost;
    run.ours = run.going_on && planning && row.Get<std::int64_t>("planner_id") == worker_id;
    runs.push_back(run);
  }
  return runs;
}

// Closes what was left behind by a planner or worker that is no more. Returns the run that goes on
// instead, if one does.
std::optional<UnclosedRun> CloseLeftBehind(pg::Transaction& tx, const std::string& task_name,
                                           std::int64_t worker_id) {
  for (const UnclosedRun& seen : FindUnclosedRuns(tx, task_name, worker_id)) {
    if (seen.going_on) return seen;
    tx.Execute("queries/lock_run", seen.run_id);
    // While the lock was waited for its planner or a worker may have come back, or closed it.
    const std::vector<UnclosedRun> now = FindUnclosedRuns(tx, task_name, worker_id);
    const auto run = std::find_if(
        now.begin(), now.end(), [&](const UnclosedRun& one) { return one.run_id == seen.run_id; });
    if (run == now.end()) continue;
    if (run->going_on) return *run;
    if (run->planner_lost && !run->of_events) {
      Close(tx, run->run_id, "failed", "its planner went away before it had listed everything");
    } else if (!CloseIfFinal(tx, run->run_id)) {
      Close(tx, run->run_id, "interrupted", std::nullopt);
    }
  }
  return std::nullopt;
}

OpenRun ReadOpenRun(const pg::Row& row) {
  OpenRun run;
  run.run_id = row.Get<std::int64_t>("run_id");
  run.task_id = row.Get<std::int64_t>("task_id");
  run.task_name = row.Get<std::string>("task_name");
  run.planning = row.Get<std::string>("state") == "planning";
  run.planner_alive = row.Get<bool>("planner_alive");
  run.of_events = row.Get<bool>("of_events");
  run.place.name = run.task_name;
  run.place.source_store = row.Get<std::string>("source_store");
  run.place.source_bucket = row.Get<std::string>("source_bucket");
  run.place.source_prefix = row.Get<pg::Bytes>("source_prefix").bytes;
  run.place.destination_store = row.Get<std::string>("destination_store");
  run.place.destination_bucket = row.Get<std::string>("destination_bucket");
  run.place.destination_prefix = row.Get<pg::Bytes>("destination_prefix").bytes;
  return run;
}

std::string_view NameOf(RunKind kind) {
  switch (kind) {
    case RunKind::kScheduled: return "scheduled";
    case RunKind::kRetry: return "retry";
    case RunKind::kEvent: return "event";
  }
  return "";
}

// REQUIRES: no run of the task is open.
bool MayBeginEvents(pg::Transaction& tx, const std::string& task_name) {
  if (tx.Execute("queries/is_run_wanted", task_name).One().Get<bool>("wanted")) return false;
  return !tx.Execute("queries/read_events", task_name, 0, 1).empty();
}

}  // namespace

BegunRun BeginRun(pg::Session& session, const TaskPlace& place, RunKind kind,
                  std::int64_t worker_id) {
  return session.Transact([&](pg::Transaction& tx) {
    BegunRun begun;
    begun.task_id = EnsureTask(tx, place);
    tx.Execute("queries/lock_task", place.name);
    const std::optional<UnclosedRun> other = CloseLeftBehind(tx, place.name, worker_id);
    if (other && other->ours && other->of_events == (kind == RunKind::kEvent)) {
      // Begun before, in a transaction of whose commit nobody heard.
      begun.run_id = other->run_id;
      return begun;
    }
    if (kind == RunKind::kEvent && (other || !MayBeginEvents(tx, place.name))) return begun;
    if (other && other->of_events) {
      begun.other_run = other->run_id;
      begun.awaits_events = true;
      const std::chrono::milliseconds wanted_for = kRunWantedFor;
      tx.Execute("queries/want_run", place.name, wanted_for.count());
      return begun;
    }
    std::optional<std::string> error;
    if (other) {
      begun.skipped = true;
      begun.other_run = other->run_id;
      error = "run " + std::to_string(begun.other_run) + " of this task is still going";
      tx.Execute("queries/count_skipped", begun.task_id);
    }
    begun.run_id =
        tx.Execute("queries/begin_run", begun.task_id, place.name, std::string(NameOf(kind)),
                   begun.skipped ? "skipped" : "planning", worker_id, error)
            .One()
            .Get<std::int64_t>("run_id");
    if (!begun.skipped) {
      tx.Execute("queries/ensure_partitions", begun.run_id);
      AddTally(tx, begun.run_id, worker_id, {});  // the planner works on it: it is active
    }
    return begun;
  });
}

std::optional<std::int64_t> FindTask(pg::Session& session, const TaskPlace& place) {
  return session.Transact([&](pg::Transaction& tx) -> std::optional<std::int64_t> {
    const pg::Rows rows =
        tx.Execute("queries/find_task", place.name, place.source_store, place.source_bucket,
                   pg::Bytes{place.source_prefix}, place.destination_store,
                   place.destination_bucket, pg::Bytes{place.destination_prefix});
    if (rows.empty()) return std::nullopt;
    return rows[0].Get<std::int64_t>("task_id");
  });
}

RunState ReadRun(pg::Session& session, std::int64_t run_id) {
  return session.Transact([&](pg::Transaction& tx) { return ReadRun(tx, run_id); });
}

RunState ReadRun(pg::Transaction& tx, std::int64_t run_id) {
  const pg::Rows rows = tx.Execute("queries/read_run", run_id);
  const pg::Row row = rows.One();
  RunState run;
  run.run_id = run_id;
  run.state = row.Get<std::string>("state");
  run.error = row.Get<std::optional<std::string>>("error");
  run.bytes_under_way = row.Get<std::int64_t>("bytes_under_way");
  run.live_workers = row.Get<std::int64_t>("live_workers");
  run.seconds = row.Get<double>("seconds");
  Tally& t = run.totals;
  t.source_objects = row.Get<std::int64_t>("source_objects");
  t.planned = row.Get<std::int64_t>("planned");
  t.pending = row.Get<std::int64_t>("pending");
  t.in_flight = row.Get<std::int64_t>("in_flight");
  t.retry_wait = row.Get<std::int64_t>("retry_wait");
  t.done = row.Get<std::int64_t>("done");
  t.adopted = row.Get<std::int64_t>("adopted");
  t.deleted = row.Get<std::int64_t>("deleted");
  t.dead = row.Get<std::int64_t>("dead");
  t.vanished = row.Get<std::int64_t>("vanished");
  t.archived = row.Get<std::int64_t>("archived");
  t.bytes_planned = row.Get<std::int64_t>("bytes_planned");
  t.bytes_done = row.Get<std::int64_t>("bytes_done");
  t.source_bytes_read = row.Get<std::int64_t>("source_bytes_read");
  t.retries = row.Get<std::int64_t>("retries");
  return run;
}

bool IsClosed(std::string_view state) { return state != "planning" && state != "copying"; }

LockedRun LockRun(pg::Transaction& tx, std::int64_t run_id) {
  const pg::Rows rows = tx.Execute("queries/lock_run", run_id);
  const pg::Row row = rows.One();
  LockedRun run;
  run.state = row.Get<std::string>("state");
  run.planned = row.Get<bool>("planned");
  run.planner_id = row.Get<std::optional<std::int64_t>>("planner_id").value_or(0);
  run.of_events = row.Get<bool>("of_events");
  run.error = row.Get<std::optional<std::string>>("error");
  return run;
}

void FinishPlanning(pg::Session& session, std::int64_t run_id, const PlanEnd& end) {
  session.Transact([&](pg::Transaction& tx) { FinishPlanning(tx, run_id, end); });
}

void FinishPlanning(pg::Transaction& tx, std::int64_t run_id, const PlanEnd& end) {
  tx.Execute("queries/finish_planning", run_id, end.error, end.selection);
  CloseIfFinal(tx, run_id);
}

std::optional<std::string> ReadSelection(pg::Session& session, std::int64_t task_id) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/read_selection", task_id)
        .One()
        .Get<std::optional<std::string>>("selection");
  });
}

bool CloseIfFinal(pg::Transaction& tx, std::int64_t run_id) {
  const pg::Rows runs = tx.Execute("queries/lock_run", run_id);
  const pg::Row run = runs.One();
  if (run.Get<bool>("finished")) {
    // Closed while something of it was still under way.
    Fold(tx, run_id, /*late=*/true);
    return true;
  }
  if (!run.Get<bool>("planned")) return false;
  const bool refused = run.Get<bool>("refused");
  const pg::Rows sums = tx.Execute("queries/sum_run", run_id);
  const pg::Row sum = sums.One();
  if (sum.Get<std::int64_t>("jobs_left") > 0) return false;
  const bool all_done = sum.Get<std::int64_t>("dead") == 0 && !refused;
  Close(tx, run_id, all_done ? "complete" : "incomplete", std::nullopt);
  return true;
}

void FailRun(pg::Session& session, std::int64_t run_id, const std::string& error) {
  session.Transact([&](pg::Transaction& tx) {
    if (IsClosed(LockRun(tx, run_id).state)) return;
    Close(tx, run_id, "failed", error);
  });
}

bool FailRunUnlessOthersWork(pg::Transaction& tx, std::int64_t run_id, const std::string& error,
                             std::int64_t worker_id) {
  const pg::Rows runs = tx.Execute("queries/lock_run", run_id);
  if (IsClosed(runs.One().Get<std::string>("state"))) return true;
  const pg::Rows others = tx.Execute("queries/count_other_workers", run_id, worker_id);
  if (others.One().Get<std::int64_t>("workers") > 0) return false;
  Close(tx, run_id, "failed", error);
  return true;
}

void InterruptRun(pg::Session& session, std::int64_t run_id, std::int64_t worker_id) {
  session.Transact([&](pg::Transaction& tx) {
    const LockedRun run = LockRun(tx, run_id);
    if (CloseIfFinal(tx, run_id)) return;
    tx.Execute("queries/release_worker", worker_id);
    // Whatever others work on: nobody goes on planning it.
    const bool ours_to_plan = run.state == "planning" && run.planner_id == worker_id;
    const pg::Rows sums = tx.Execute("queries/sum_run", run_id);
    if (!ours_to_plan && sums.One().Get<std::int64_t>("live_workers") > 0) return;
    if (run.of_events) {
      Close(tx, run_id, "interrupted", std::nullopt);
    } else {
      tx.Execute("queries/interrupt_run", run_id);
    }
  });
}

std::vector<OpenRun> FindOpenRuns(pg::Session& session, const std::vector<std::string>& tasks) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<OpenRun> runs;
    for (const pg::Row row : tx.Execute("queries/find_open_runs", tasks)) {
      runs.push_back(ReadOpenRun(row));
    }
    return runs;
  });
}

EventRunState ReadEventRun(pg::Session& session, std::int64_t run_id) {
  return session.Transact([&](pg::Transaction& tx) {
    const pg::Rows rows = tx.Execute("queries/read_event_run", run_id);
    const pg::Row row = rows.One();
    EventRunState run;
    run.planning = row.Get<bool>("planning");
    run.run_wanted = row.Get<bool>("run_wanted");
    run.age = std::chrono::milliseconds(row.Get<std::int64_t>("age_ms"));
    return run;
  });
}

std::vector<std::int64_t> FindUnfinishedJobs(pg::Session& session, std::int64_t run_id,
                                             const std::vector<std::int64_t>& job_ids) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<std::int64_t> unfinished;
    for (const pg::Row row : tx.Execute("queries/find_unfinished_jobs", run_id, job_ids)) {
      unfinished.push_back(row.Get<std::int64_t>("job_id"));
    }
    return unfinished;
  });
}

std::int64_t CopyDeadJobs(pg::Transaction& tx, std::int64_t task_id, std::int64_t run_id,
                          std::int64_t worker_id, std::int64_t limit) {
  Tally tally;
  for (const pg::Row row : tx.Execute("queries/retry_dead_jobs", task_id, run_id, limit)) {
    tally.planned += 1;
    tally.bytes_planned += row.Get<std::int64_t>("size_bytes");
  }
  tally.pending = tally.planned;
  tally.bytes_pending = tally.bytes_planned;
  AddTally(tx, run_id, worker_id, tally);
  return tally.planned;
}

std::int64_t CountDeadNotRetried(pg::Session& session, std::int64_t task_id, std::int64_t run_id) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_dead_not_retried", task_id, run_id)
        .One()
        .Get<std::int64_t>("dead");
  });
}

std::vector<DeadObject> ListDead(pg::Session& session, std::int64_t run_id) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<DeadObject> dead;
    for (const pg::Row row : tx.Execute("queries/list_dead", run_id)) {
      dead.push_back({row.Get<Key>("key"), row.Get<std::string>("error")});
    }
    return dead;
  });
}

std::vector<Key> ListRefusedKeys(pg::Session& session, std::int64_t task_id) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<Key> keys;
    for (const pg::Row row : tx.Execute("queries/list_refused", task_id)) {
      keys.push_back(row.Get<Key>("key"));
    }
    return keys;
  });
}

}  // namespace ferry
