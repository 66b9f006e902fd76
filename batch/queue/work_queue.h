// WorkQueue: what a worker asks of the queue, and what it tells it. The port of the worker.
//
// Claims come in batches above a remembered id; outcomes go in by id, in batches, together with
// the tally and the ledger, and the last one closes the run. Rows that are not the worker's any
// more are left alone. JobQueue is the real one, on PostgreSQL; tests/support/fake_queue.h keeps
// its rows in memory. Both are held to tests/queue/work_queue_contract.h.
//
// Every call may throw Error: kUnavailable and kThrottled (nothing happened), kInDoubt (perhaps it
// did), kConflict with code kTermOver (this worker may not write any more). All calls may be
// repeated after any of these. One thread per object.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/plan/object.h"
#include "batch/plan/part_plan.h"
#include "batch/queue/delete_jobs.h"
#include "batch/queue/run_table.h"
#include "batch/queue/tally.h"

namespace ferry {

enum class Action { kCopy, kVerify, kDelete };

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
  std::string upload_id = {};  // that it was sent to: it counts for no other
  // Of the part: "crc64nvme:rosUhgp5mIg="; empty: there is none.
  std::string checksum = {};
};

struct ReturnedPart {
  std::int64_t job_id = 0;
  std::uint32_t number = 0;
  std::string upload_id;  // that it was claimed for: it is taken back from no other
};

struct KnownUpload {
  std::int64_t run_id = 0;
  std::int64_t job_id = 0;
  Key key;
  std::string upload_id;  // empty: intended; whether it exists is not known
  std::uint64_t part_bytes = 0;
  SourceIdentity source;
  std::string nonce;
  bool abandoned = false;            // nobody goes on with it
  std::chrono::milliseconds age{0};  // since it was intended

  bool InUse() const { return !upload_id.empty() && !abandoned; }
};

struct StoredPart {
  std::uint32_t number = 0;
  std::string etag;
  std::string md5;
  std::uint64_t size_bytes = 0;
  std::string checksum = {};
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
  bool futile = false;  // dead at once
  // Of the part that failed; empty: the object itself did. Counts together with that part's return.
  std::string upload_id;
};

struct JobVerdict {
  std::int64_t job_id = 0;
  std::string state;  // vanished, archived
  std::string reason;
  bool being_restored = false;  // of an archived one
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
  std::vector<FinishedDelete> deletes;
  std::vector<FinishedPart> parts;
  std::vector<ReturnedPart> returned_parts;
  // Recorded as done, and not what the destination has: pending again. job_id, number.
  std::vector<std::pair<std::int64_t, std::uint32_t>> lost_parts;
  std::vector<std::string> settled_intents;  // nonces of which no upload is left
  Tally traffic;                             // bytes, requests, retries; no levels

  bool empty() const {
    return done.empty() && failed.empty() && verdicts.empty() && deletes.empty() && parts.empty() &&
           returned_parts.empty() && lost_parts.empty() && settled_intents.empty() &&
           traffic == Tally{};
  }
  std::size_t size() const {
    return done.size() + failed.size() + verdicts.size() + deletes.size() + parts.size() +
           returned_parts.size() + lost_parts.size() + settled_intents.size();
  }
};

struct Recorded {
  std::vector<BuriedJob> dead;        // jobs that are dead now
  std::vector<std::int64_t> retried;  // ids of jobs that failed and wait for another attempt
  bool run_closed = false;
};

class WorkQueue {
 public:
  virtual ~WorkQueue() = default;

  // Open runs of these tasks, oldest first.
  virtual std::vector<OpenRun> FindOpenRuns(const std::vector<std::string>& tasks) = 0;
  virtual RunState ReadRun(std::int64_t run_id) = 0;

  // The lowest pending jobs above `cursor`, which moves on.
  virtual std::vector<Job> ClaimJobs(std::int64_t run_id, std::int64_t& cursor,
                                     std::int64_t limit) = 0;
  // Jobs whose pause is over.
  // The greatest id of a job of the run so far; 0: there is none.
  virtual std::int64_t LastJobId(std::int64_t run_id) = 0;
  virtual std::vector<Job> ClaimRetries(std::int64_t run_id, std::int64_t limit) = 0;
  // Jobs whose parts are all there and that nobody completes.
  virtual std::vector<Job> ClaimCompletions(std::int64_t run_id, std::int64_t limit) = 0;
  virtual std::vector<PartJob> ClaimParts(std::int64_t run_id, std::int64_t limit) = 0;

  virtual Recorded Record(std::int64_t run_id, std::int64_t task_id, const Outcomes& outcomes) = 0;

  // What claimed jobs of kind kDelete may remove; those that are not answered for may nothing.
  virtual std::vector<DeleteJob> ReadDeletes(std::int64_t, std::int64_t /*task_id*/,
                                             const std::vector<std::int64_t>& /*job_ids*/) {
    return {};
  }

  // Multipart bookkeeping.
  virtual std::vector<KnownUpload> FindUploads(std::int64_t task_id,
                                               const std::vector<Key>& keys) = 0;
  virtual std::vector<StoredPart> ReadDoneParts(std::int64_t run_id, std::int64_t job_id) = 0;
  // Before Create may be sent; twice with one `nonce` is once.
  virtual void IntendUpload(std::int64_t task_id, const Job& job, std::uint64_t part_bytes,
                            const std::string& nonce) = 0;
  // The upload exists: its parts become claimable, but for those that are done. `lost_parts` were
  // recorded as done and are not at the store. `nonce` is of the upload's row; any other that was
  // in use is abandoned. False: the job is not ours any more or its run is closed, and nobody goes
  // on with this upload unless it was recorded before.
  virtual bool Split(std::int64_t task_id, const Job& job, const std::string& upload_id,
                     std::uint64_t part_bytes, const SourceIdentity& source,
                     const std::vector<FinishedPart>& done_parts,
                     const std::vector<std::int64_t>& lost_parts, const std::string& nonce) = 0;
  // The upload cannot become the object, which starts over; the janitor sees that it ends. Nothing
  // where the job is not ours any more or its run is closed: a later run may go on with it.
  virtual void DropUpload(std::int64_t task_id, const Job& job) = 0;

  // What workers whose lease is over held waits for others. Returns how much it was.
  virtual std::int64_t RequeueLost(std::int64_t run_id) = 0;
  // What this worker still holds, given back at its end.
  virtual void ReleaseAll(std::int64_t run_id) = 0;

  // A run that waits for its hour is not stuck: it came forward, though nothing of it did.
  virtual void SayWaiting(std::int64_t run_id) = 0;

  // Closes the run if nothing is left. For a worker that finds nothing to do.
  virtual bool CloseIfFinal(std::int64_t run_id) = 0;
  // Closes a run that is planning or copying as `failed`, because nothing of it can succeed here.
  // False: others with a lease work on it, who may do better; it stays open.
  virtual bool FailRun(std::int64_t run_id, const std::string& error) = 0;
};

}  // namespace ferry
