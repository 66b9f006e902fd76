// Runs: beginning, closing, interrupting them, and what they are at.
//
// Who closes a run, and when, is the table "A run's life" in the design: whoever makes its last job
// final closes it in that transaction; `run` and `plan` close what others left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/pg/session.h"
#include "batch/queue/tally.h"

namespace ferry {

// A configured pair, as the database knows it.
struct TaskPlace {
  std::string name;
  std::string source_store;
  std::string source_bucket;
  std::string source_prefix;
  std::string destination_store;
  std::string destination_bucket;
  std::string destination_prefix;
  std::vector<std::string> refresh_targets;
};

// kEvent: looks at the keys that wait as event rows, and at nothing else. It gives way to the
// others.
enum class RunKind { kScheduled, kRetry, kEvent };

struct BegunRun {
  std::int64_t run_id = 0;
  std::int64_t task_id = 0;
  bool skipped = false;        // another run goes on: this one is only recorded
  std::int64_t other_run = 0;  // that one
  // `other_run` is one of events, and was asked to end: nothing was begun, ask again in less than
  // kRunWantedFor. As long as somebody does, no other run of events begins.
  bool awaits_events = false;
};

inline constexpr std::chrono::seconds kRunWantedFor{5};

// Closes what was left behind, and begins a run with `worker_id` as its planner. A run of the task
// that `worker_id` is planning already is that run: a process plans a task once at a time.
// kEvent: only where keys wait, no run goes on and none is wanted; else there is no run_id, and
// nothing is recorded.
BegunRun BeginRun(pg::Session& session, const TaskPlace& place, RunKind kind,
                  std::int64_t worker_id);

// nullopt: this pair never ran.
std::optional<std::int64_t> FindTask(pg::Session& session, const TaskPlace& place);

struct RunState {
  std::int64_t run_id = 0;
  std::string state;
  std::optional<std::string> error;
  Tally totals;  // sums
  // Of objects in parts that are not done: what of them has come over. 0 once the run is closed.
  std::int64_t bytes_under_way = 0;
  std::int64_t live_workers = 0;
  double seconds = 0;
};
RunState ReadRun(pg::Session& session, std::int64_t run_id);
RunState ReadRun(pg::Transaction& tx, std::int64_t run_id);

// A run's row, which others wait for until the transaction ends.
struct LockedRun {
  std::string state;
  bool planned = false;  // planning is finished
  std::int64_t planner_id = 0;
  bool of_events = false;
  std::optional<std::string> error;
};
LockedRun LockRun(pg::Transaction& tx, std::int64_t run_id);

bool IsClosed(std::string_view state);  // complete, incomplete, failed, skipped, interrupted

// What a complete plan says beside its jobs.
struct PlanEnd {
  // Digest of what it selected, for the next run of this pair; nullopt: that was not its question.
  std::optional<std::string> selection;
  // What it was asked to do and could not: the run ends `incomplete`.
  std::optional<std::string> error;
};

// After the last batch of jobs was committed; closes the run when nothing is left to do.
void FinishPlanning(pg::Session& session, std::int64_t run_id, const PlanEnd& end = {});
void FinishPlanning(pg::Transaction& tx, std::int64_t run_id, const PlanEnd& end);

// What the last complete plan of the pair selected; nullopt: none yet. Empty: another pair was
// planned under its name since.
std::optional<std::string> ReadSelection(pg::Session& session, std::int64_t task_id);

// Closes the run when planning is finished and all jobs are final: `complete`, or `incomplete` when
// some are dead or the plan had an error.
// Locks the run's row, so of two that finish the last two jobs one sees nothing left.
// Returns whether the run is closed now, by whomever.
bool CloseIfFinal(pg::Transaction& tx, std::int64_t run_id);

// Closes a run that is planning or copying as `failed`.
void FailRun(pg::Session& session, std::int64_t run_id, const std::string& error);

// As FailRun, for a worker: not where another with a lease works on it. Returns whether it is
// closed.
bool FailRunUnlessOthersWork(pg::Transaction& tx, std::int64_t run_id, const std::string& error,
                             std::int64_t worker_id);

// A run that is not final becomes `interrupted`, when no other live worker works on it or when who
// leaves was still planning it. `worker_id` is the one that leaves. A run of events is closed with
// it: what it did not do waits as event rows again.
void InterruptRun(pg::Session& session, std::int64_t run_id, std::int64_t worker_id);

struct OpenRun {
  std::int64_t run_id = 0;
  std::int64_t task_id = 0;
  std::string task_name;
  bool planning = false;
  bool planner_alive = false;
  bool of_events = false;
  TaskPlace place;  // without refresh targets
};
std::vector<OpenRun> FindOpenRuns(pg::Session& session, const std::vector<std::string>& tasks);

// What its planner asks of a run of events.
struct EventRunState {
  bool planning = false;    // still; else others closed it
  bool run_wanted = false;  // another run of the task waits for its end
  std::chrono::milliseconds age{0};
};
EventRunState ReadEventRun(pg::Session& session, std::int64_t run_id);

// Those of `job_ids` that are not final yet.
std::vector<std::int64_t> FindUnfinishedJobs(pg::Session& session, std::int64_t run_id,
                                             const std::vector<std::int64_t>& job_ids);

// The next `limit` dead jobs of the pair as pending jobs of its retry `run_id`: of its latest
// scheduled run that came to its end and of all runs since, but for what was settled later. Returns
// how many; 0: that was all. Goes on where it ended, so a second time it adds nothing twice. Part
// of the caller's transaction.
std::int64_t CopyDeadJobs(pg::Transaction& tx, std::int64_t task_id, std::int64_t run_id,
                          std::int64_t worker_id, std::int64_t limit);

// How many dead objects a retry cannot decide on: dead deletes, and keys that the destination
// cannot hold.
std::int64_t CountDeadNotRetried(pg::Session& session, std::int64_t task_id, std::int64_t run_id);

struct DeadObject {
  Key key;
  std::string error;
};
// At most 20 of them.
std::vector<DeadObject> ListDead(pg::Session& session, std::int64_t run_id);
std::vector<Key> ListRefusedKeys(pg::Session& session, std::int64_t task_id);

}  // namespace ferry
