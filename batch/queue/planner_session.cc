#include "batch/queue/planner_session.h"

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/queue/tally.h"
#include "batch/queue/worker_lease.h"

namespace ferry {

PlannerSession::PlannerSession(Parts parts)
    : parts_(std::move(parts)),
      database_(parts_.connect, parts_.clock, parts_.patience, parts_.stop),
      worker_id_(parts_.worker_id()) {}

BegunRun PlannerSession::Begin(const TaskPlace& place, RunKind kind) {
  return database_.Do([&](pg::Session& session) {
    worker_id_ = parts_.worker_id();
    return BeginRun(session, place, kind, worker_id_);
  });
}

void PlannerSession::Write(
    std::int64_t run_id, const std::function<bool(pg::Transaction&)>& is_written,
    const std::function<void(pg::Transaction&, std::int64_t worker_id)>& body) {
  bool in_doubt = false;
  database_.Do([&](pg::Session& session) {
    const std::int64_t current = parts_.worker_id();
    if (current != worker_id_) GoOnUnderANewTerm(session, run_id, current);
    try {
      session.Transact([&](pg::Transaction& tx) {
        // Also waits for a transaction of ours that is still being committed.
        tx.Execute("queries/lock_run", run_id);
        CheckWorker(tx, worker_id_);
        if (!in_doubt || !is_written(tx)) body(tx, worker_id_);
      });
    } catch (const Error& error) {
      in_doubt = in_doubt || error.kind() == ErrorKind::kInDoubt;
      const bool over = error.kind() == ErrorKind::kConflict && error.code() == kTermOver;
      // The database knew it before we did: there will be a new term in a moment.
      throw over ? Error(ErrorKind::kUnavailable, error.what(), error.code()) : error;
    }
  });
}

void PlannerSession::GoOnUnderANewTerm(pg::Session& session, std::int64_t run_id,
                                       std::int64_t next) {
  session.Transact([&](pg::Transaction& tx) {
    CheckWorker(tx, next);
    if (tx.Execute("queries/take_over_planning", run_id, worker_id_, next).empty()) {
      throw Error(ErrorKind::kConflict,
                  "another process closed this run while its planner was cut off from the "
                  "database for longer than the lease");
    }
    AddTally(tx, run_id, next, {});  // the new worker works on it: it is active
  });
  worker_id_ = next;
  log::Info("planning goes on under a new lease", {{"run", run_id}, {"worker", next}});
}

void PlannerSession::FinishPlanning(std::int64_t run_id, const PlanEnd& end) {
  database_.Do([&](pg::Session& session) { ferry::FinishPlanning(session, run_id, end); });
}

void PlannerSession::Fail(std::int64_t run_id, const std::string& error,
                          std::chrono::milliseconds patience) {
  try {
    pg::PatientSession database(parts_.connect, parts_.clock, patience, parts_.stop);
    database.Do([&](pg::Session& session) { FailRun(session, run_id, error); });
  } catch (const Error& problem) {
    log::Warn("could not close the run as failed", {{"run", run_id}, {"error", problem.what()}});
  }
}

}  // namespace ferry
