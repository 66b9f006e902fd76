// JobQueue: the WorkQueue on PostgreSQL. One transaction a call; every writing one begins by asking
// whether the worker's term still holds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "batch/pg/session.h"
#include "batch/queue/work_queue.h"
#include "batch/queue/worker_lease.h"

namespace ferry {

struct NewJob {
  std::int64_t job_id = 0;
  Key key;  // at the source
  Action action = Action::kCopy;
  std::string reason;
  SourceIdentity source;
  std::string final_state;  // archived or dead from the start; empty: pending
  std::string error;        // with final_state
};

// Adds planned jobs, ledger-neutral, with their tally. Part of the caller's transaction.
void AddJobs(pg::Transaction& tx, std::int64_t run_id, const std::vector<NewJob>& jobs);
// How many there are is then known to the database: see sql/migrations/0010_fresh_statistics.sql.
void AnalyzeJobs(pg::Session& session, std::int64_t run_id);

class JobQueue final : public WorkQueue {
 public:
  // `session` outlives this object, or belongs to it.
  JobQueue(pg::Session& session, std::int64_t worker_id, int attempts_max);
  JobQueue(std::unique_ptr<pg::Session> session, std::int64_t worker_id, int attempts_max);

  std::vector<OpenRun> FindOpenRuns(const std::vector<std::string>& tasks) override;
  RunState ReadRun(std::int64_t run_id) override;
  std::vector<Job> ClaimJobs(std::int64_t run_id, std::int64_t& cursor,
                             std::int64_t limit) override;
  std::int64_t LastJobId(std::int64_t run_id) override;
  std::vector<Job> ClaimRetries(std::int64_t run_id, std::int64_t limit) override;
  std::vector<Job> ClaimCompletions(std::int64_t run_id, std::int64_t limit) override;
  std::vector<PartJob> ClaimParts(std::int64_t run_id, std::int64_t limit) override;
  Recorded Record(std::int64_t run_id, std::int64_t task_id, const Outcomes& outcomes) override;
  std::vector<DeleteJob> ReadDeletes(std::int64_t run_id, std::int64_t task_id,
                                     const std::vector<std::int64_t>& job_ids) override;
  std::vector<KnownUpload> FindUploads(std::int64_t task_id, const std::vector<Key>& keys) override;
  std::vector<StoredPart> ReadDoneParts(std::int64_t run_id, std::int64_t job_id) override;
  void IntendUpload(std::int64_t task_id, const Job& job, std::uint64_t part_bytes,
                    const std::string& nonce) override;
  bool Split(std::int64_t task_id, const Job& job, const std::string& upload_id,
             std::uint64_t part_bytes, const SourceIdentity& source,
             const std::vector<FinishedPart>& done_parts,
             const std::vector<std::int64_t>& lost_parts, const std::string& nonce) override;
  void DropUpload(std::int64_t task_id, const Job& job) override;
  std::int64_t RequeueLost(std::int64_t run_id) override;
  void ReleaseAll(std::int64_t run_id) override;
  void SayWaiting(std::int64_t run_id) override;
  bool CloseIfFinal(std::int64_t run_id) override;
  bool FailRun(std::int64_t run_id, const std::string& error) override;

 private:
  // What this queue claimed of a run and has not recorded. Fewer than the database says after an
  // error, never more: they are asked only for what need not be done. Parts are not among them: an
  // object may end without those that are under way.
  struct Held {
    std::set<std::int64_t> jobs;
    std::int64_t first_job = 0;  // where parts were claimed last
    std::int64_t records = 0;
  };

  template <typename Body>
  auto Write(Body body) {
    return session_.Transact([&](pg::Transaction& tx) {
      CheckWorker(tx, worker_id_);
      return body(tx);
    });
  }
  std::vector<PartJob> ClaimPartsFrom(std::int64_t run_id, std::int64_t limit,
                                      std::int64_t first_job);
  std::vector<Job> Hold(std::int64_t run_id, std::vector<Job> jobs);
  // Whether an object of the run stays in our hands.
  bool LetGo(std::int64_t run_id, const Outcomes& outcomes);
  std::int64_t Requeue(pg::Transaction& tx, std::int64_t run_id,
                       const std::vector<std::int64_t>& workers, const std::vector<bool>& lost);

  const std::unique_ptr<pg::Session> owned_;
  pg::Session& session_;
  const std::int64_t worker_id_;
  const int attempts_max_;
  std::map<std::int64_t, Held> held_;  // by run
};

}  // namespace ferry
