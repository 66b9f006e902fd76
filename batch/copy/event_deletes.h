// EventDeletes: of a run of events, what the destination has and the source has not. Staged while
// the run is planned, and decided at its end under the guards of every run: the same selection as
// the last run of the schedule, a source that is not empty, max_delete.
//
// The limit is one for all runs of events since the last scheduled one: what they deleted counts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "batch/copy/delete_planner.h"

namespace ferry {

// One thread.
class EventDeletes {
 public:
  // `session` outlives this object.
  EventDeletes(PlannerSession& session, BegunRun run, DeleteRules rules);

  // A key was looked at: it is an extra, or none (any more). Staged with the next Write.
  void Take(const ExtraFound& extra);
  void TakeNone(const Key& source_key);

  // What was taken since the last one. Part of the caller's transaction; safe to repeat.
  void Write(pg::Transaction& tx) const;
  // That transaction was committed.
  void Written();

  // Memory and rows are bounded: no more are to be taken in this run.
  bool full() const;

  struct Result {
    DeleteVerdict verdict = DeleteVerdict::kGo;
    DeleteScope scope;  // with what runs of events deleted before
    std::uint64_t deleted_before = 0;
    std::int64_t planned = 0;
  };
  // At the end of the plan. Makes jobs with ids from `first_job_id`, or removes what was staged.
  // `source_has_some`: whether the source has any object that the filter lets through; asked only
  // where there are candidates.
  Result Finish(std::int64_t first_job_id, const std::function<bool()>& source_has_some);

 private:
  DeleteScope Scope(const std::function<bool()>& source_has_some, std::uint64_t deleted_before);

  PlannerSession& session_;
  const BegunRun run_;
  const DeleteRules rules_;
  std::map<Key, std::int64_t> staged_;  // source key -> number
  std::int64_t next_number_ = 1;
  std::map<Key, StagedExtra> added_;   // not written yet
  std::vector<std::int64_t> dropped_;  // as rows, not yet
};

}  // namespace ferry
