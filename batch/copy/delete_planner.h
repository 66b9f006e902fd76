// DeletePlanner: extras -> staged rows -> delete jobs, once both listings are complete and the
// guards have passed.
#pragma once

#include <cstdint>
#include <vector>

#include "batch/copy/planner.h"
#include "batch/queue/delete_jobs.h"

namespace ferry {

struct DeleteRules {
  DeletePolicy policy = DeletePolicy::kNever;
  DeleteLimit limit;
  Selection selection = Selection::kFirstRun;

  bool on() const { return policy != DeletePolicy::kNever; }
};

// As a row that waits for the end of its plan.
StagedExtra StageExtra(std::int64_t number, ExtraKind kind, const ExtraFound& extra);

// Memory is one batch, whatever the number of extras. One thread.
class DeletePlanner {
 public:
  // `session` outlives this object.
  DeletePlanner(PlannerSession& session, std::int64_t run_id, DeleteRules rules);

  void Add(const ExtraFound& extra);

  struct Result {
    DeleteVerdict verdict = DeleteVerdict::kGo;
    DeleteScope scope;
  };
  // REQUIRES: Compare() returned. Makes jobs with ids from `first_job_id`, or removes what was
  // staged.
  Result Finish(const CompareCounts& counts, std::int64_t first_job_id);

 private:
  void Stage();
  bool IsStaged(pg::Transaction& tx, std::int64_t number) const;

  PlannerSession& session_;
  const std::int64_t run_id_;
  const DeleteRules rules_;
  std::vector<StagedExtra> batch_;
  std::int64_t candidates_ = 0;
  std::int64_t staged_ = 0;
};

}  // namespace ferry
