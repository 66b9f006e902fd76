#include "batch/queue/planner_session.h"

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/queue/tally.h"
#include "batch/queue/worker_lease.h"

namespace ferry {
namespace {

[[noreturn]] void ThrowClosed(const LockedRun& run) {
  throw Error(ErrorKind::kConflict, "the run was closed while it was being planned: " +
                                        run.error.value_or("it is " + run.state));
}

}  // namespace

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
    try {
      session.Transact([&](pg::Transaction& tx) {
        // Also waits for a transaction of ours that is still being committed.
        const LockedRun run = LockRun(tx, run_id);
        if (in_doubt && is_written(tx)) return;
        if (run.state != "planning") ThrowClosed(run);
        CheckWorker(tx, current);
        if (current != worker_id_) TakeOver(tx, run_id, run, current);
        body(tx, current);
      });
    } catch (const Error& error) {
      in_doubt = in_doubt || error.kind() == ErrorKind::kInDoubt;
      const bool over = error.kind() == ErrorKind::kConflict && error.code() == kTermOver;
      // The database knew it before we did: there will be a new term in a moment.
      throw over ? Error(ErrorKind::kUnavailable, error.what(), error.code()) : error;
    }
    if (current != worker_id_) {
      log::Info("planning goes on under a new lease", {{"run", run_id}, {"worker", current}});
    }
    worker_id_ = current;
  });
}

void PlannerSession::TakeOver(pg::Transaction& tx, std::int64_t run_id, const LockedRun& run,
                              std::int64_t next) const {
  if (tx.Execute("queries/take_over_planning", run_id, worker_id_, next).empty()) ThrowClosed(run);
  AddTally(tx, run_id, next, {});  // the new worker works on it: it is active
}

void PlannerSession::FinishPlanning(std::int64_t run_id, const PlanEnd& end) {
  Write(
      run_id, [&](pg::Transaction& tx) { return LockRun(tx, run_id).planned; },
      [&](pg::Transaction& tx, std::int64_t) { ferry::FinishPlanning(tx, run_id, end); });
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
