#include "batch/copy/delete_work.h"

#include <cstdint>

namespace ferry {

std::vector<ClaimedDelete> TakeDeletes(WorkQueue& queue, const OpenRun& run,
                                       const std::map<std::string, DeletePolicy>& policies,
                                       std::deque<Job>& jobs,
                                       std::vector<FinishedDelete>& refused) {
  std::vector<ClaimedDelete> allowed;
  std::map<std::int64_t, DeleteTarget> targets;
  std::vector<std::int64_t> ids;
  for (const Job& job : jobs) {
    if (job.action == Action::kDelete) ids.push_back(job.job_id);
  }
  if (ids.empty()) return allowed;
  // Before anything is taken out: a database that is away leaves all as it is.
  for (DeleteJob& one : queue.ReadDeletes(run.run_id, run.task_id, ids)) {
    targets[one.job_id] = std::move(one.target);
  }
  const auto found = policies.find(run.task_name);
  const DeletePolicy policy = found == policies.end() ? DeletePolicy::kNever : found->second;
  std::deque<Job> others;
  for (Job& job : jobs) {
    if (job.action != Action::kDelete) {
      others.push_back(std::move(job));
      continue;
    }
    const auto target = targets.find(job.job_id);
    if (target != targets.end() && IsCandidate(policy, target->second.kind)) {
      allowed.push_back({std::move(job), std::move(target->second)});
    } else {
      refused.push_back({job.job_id,
                         "not deleted: the worker's own configuration does not allow it (delete)",
                         false});
    }
  }
  jobs = std::move(others);
  return allowed;
}

FinishedDelete ConcludeDelete(RunObserver& observer, const std::string& task, const Job& job,
                              DeleteOutcome outcome) {
  FinishedDelete finished;
  finished.job_id = job.job_id;
  finished.gone = outcome == DeleteOutcome::kDeleted || outcome == DeleteOutcome::kAlreadyGone;
  if (outcome == DeleteOutcome::kDeleted) {
    DoneJob done;
    done.job_id = job.job_id;
    done.source = job.source;
    done.proof = kProofDeleted;
    observer.OnDone(task, job.key, done);
  } else {
    finished.reason = WhyNotDeleted(outcome);
    observer.OnVerdict(task, job.key, {job.job_id, "vanished", *finished.reason});
  }
  return finished;
}

}  // namespace ferry
