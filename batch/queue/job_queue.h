// JobQueue: claiming jobs and parts of a run, and recording what became of them.
//
// Claims come in batches above a remembered id; outcomes go in by id, in batches, one transaction
// each, together with the tally and the ledger, and the last one closes the run. Every writing
// transaction begins by asking whether the worker's term still holds; rows that are not its own
// any more are left alone. One thread per object.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/pg/session.h"
#include "batch/plan/object.h"
#include "batch/plan/part_plan.h"
#include "batch/queue/tally.h"

namespace ferry {

enum class Action { kCopy, kVerify };

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

struct Job {
  std::int64_t run_id = 0;
  std::int64_t job_id = 0;
  Key key;
  Action action = Action::kCopy;
  SourceIdentity source;
  int attempts = 0;
  // When its upload is open:
  std::string upload_id;
  std::uint64_t part_bytes = 0;
  int parts_left = 0;
};

struct PartJob {
  std::int64_t run_id = 0;
  std::int64_t job_id = 0;
  Key key;
  SourceIdentity source;
  int attempts = 0;  // of the object
  std::string upload_id;
  Part part;
};

struct FinishedPart {
  std::int64_t job_id = 0;
  std::uint32_t number = 0;
  std::string etag;
  std::string md5;
};

struct KnownUpload {
  std::int64_t run_id = 0;
  std::int64_t job_id = 0;
  Key key;
  std::string upload_id;  // empty: intended; whether it exists is not known
  std::uint64_t part_bytes = 0;
  SourceIdentity source;
};

struct StoredPart {
  std::uint32_t number = 0;
  std::string etag;
  std::string md5;
  std::uint64_t size_bytes = 0;
};

struct DoneJob {
  std::int64_t job_id = 0;
  SourceIdentity source;
  std::string destination_etag;
  std::string proof;
  std::uint64_t size_bytes = 0;
  bool adopted = false;
};

struct FailedJob {
  std::int64_t job_id = 0;
  std::string error;
  std::chrono::milliseconds pause{0};
  bool costs_attempt = true;
  bool futile = false;    // dead at once
  std::string upload_id;  // of the part that failed; empty: the object itself did
};

struct JobVerdict {
  std::int64_t job_id = 0;
  std::string state;  // vanished, archived
  std::string reason;
};

struct BuriedJob {
  std::int64_t job_id = 0;
  std::string error;
};

// Everything a worker has to say about one run since it last said something.
struct Outcomes {
  std::vector<DoneJob> done;
  std::vector<FailedJob> failed;
  std::vector<JobVerdict> verdicts;
  std::vector<FinishedPart> parts;
  std::vector<std::pair<std::int64_t, std::uint32_t>> returned_parts;  // job_id, number
  // Recorded as done, and not what the destination has: pending again.
  std::vector<std::pair<std::int64_t, std::uint32_t>> lost_parts;
  Tally traffic;  // bytes, requests, retries; no levels

  bool empty() const {
    return done.empty() && failed.empty() && verdicts.empty() && parts.empty() &&
           returned_parts.empty() && lost_parts.empty() && traffic == Tally{};
  }
  std::size_t size() const {
    return done.size() + failed.size() + verdicts.size() + parts.size() + returned_parts.size() +
           lost_parts.size();
  }
};

struct Recorded {
  std::vector<BuriedJob> dead;  // ids of jobs that are dead now
  bool run_closed = false;
};

class JobQueue {
 public:
  JobQueue(pg::Session& session, std::int64_t worker_id, int attempts_max);

  // The lowest pending jobs above `cursor`, which moves on.
  std::vector<Job> ClaimJobs(std::int64_t run_id, std::int64_t& cursor, std::int64_t limit);
  // Jobs whose pause is over.
  std::vector<Job> ClaimRetries(std::int64_t run_id, std::int64_t limit);
  std::vector<Job> ClaimCompletions(std::int64_t run_id, std::int64_t limit);
  std::vector<PartJob> ClaimParts(std::int64_t run_id, std::int64_t limit);

  Recorded Record(std::int64_t run_id, std::int64_t task_id, const Outcomes& outcomes);

  // Multipart bookkeeping.
  std::vector<KnownUpload> FindUploads(std::int64_t task_id, const std::vector<Key>& keys);
  std::vector<StoredPart> ReadDoneParts(std::int64_t run_id, std::int64_t job_id);
  void IntendUpload(std::int64_t task_id, const Job& job, std::uint64_t part_bytes);
  // The upload exists: its parts become claimable, but for those that are done. `lost_parts` were
  // recorded as done and are not at the store. False: the job is not ours any more.
  bool Split(std::int64_t task_id, const Job& job, const std::string& upload_id,
             std::uint64_t part_bytes, const SourceIdentity& source,
             const std::vector<FinishedPart>& done_parts,
             const std::vector<std::int64_t>& lost_parts = {});
  // The upload is gone: the object starts over.
  void DropUpload(std::int64_t task_id, const Job& job);

  // What workers whose lease is over held waits for others. Returns how much it was.
  std::int64_t RequeueLost(std::int64_t run_id);
  // What this worker still holds, given back at its end.
  void ReleaseAll(std::int64_t run_id);

  // Closes the run if nothing is left. For a worker that finds nothing to do.
  bool CloseIfFinal(std::int64_t run_id);

 private:
  struct PartCount {
    std::int64_t pending = 0;
    std::int64_t in_flight = 0;
  };

  template <typename Body>
  auto Write(Body body);
  static PartCount CountParts(pg::Transaction& tx, const Job& job);
  void AddPartChange(pg::Transaction& tx, const Job& job, const PartCount& before);
  std::int64_t Requeue(pg::Transaction& tx, std::int64_t run_id,
                       const std::vector<std::int64_t>& workers);

  pg::Session& session_;
  const std::int64_t worker_id_;
  const int attempts_max_;
};

}  // namespace ferry
