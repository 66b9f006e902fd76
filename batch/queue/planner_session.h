// PlannerSession: what a planner does with the database. It waits for one that is away, and goes
// on under this process's next term when one ends meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/pg/patiently.h"
#include "batch/queue/run_table.h"

namespace ferry {

// One thread at a time.
class PlannerSession {
 public:
  struct Parts {
    pg::PatientSession::Connect connect;
    // The id of the term to act under; waits for a new one when the last one is over.
    std::function<std::int64_t()> worker_id;
    Clock& clock;
    std::chrono::milliseconds patience;  // of each piece of work
    std::stop_token stop;
  };

  explicit PlannerSession(Parts parts);

  // Begins a run, or takes up the one whose beginning was committed without our hearing of it.
  BegunRun Begin(const TaskPlace& place, RunKind kind);

  std::int64_t worker_id() const { return worker_id_; }

  // body(session) only reads.
  template <typename Body>
  auto Read(Body body) {
    return database_.Do(std::move(body));
  }

  // One transaction of the planner of `run_id`, which holds the run's row. After a commit that
  // nobody answered `is_written(tx)` says whether it happened. Throws Error{kConflict} when the
  // run was closed by others: its planner was away for too long, or a worker failed it.
  void Write(std::int64_t run_id, const std::function<bool(pg::Transaction&)>& is_written,
             const std::function<void(pg::Transaction&, std::int64_t worker_id)>& body);

  // After the last batch. Throws as Write.
  void FinishPlanning(std::int64_t run_id, const PlanEnd& end = {});

  // Closes the run as failed, so that it does not look as if it were still being planned. Gives up
  // quietly after `patience`: the next run closes it.
  void Fail(std::int64_t run_id, const std::string& error, std::chrono::milliseconds patience);

 private:
  void TakeOver(pg::Transaction& tx, std::int64_t run_id, const LockedRun& run,
                std::int64_t next) const;

  Parts parts_;
  pg::PatientSession database_;
  std::int64_t worker_id_ = 0;
};

}  // namespace ferry
