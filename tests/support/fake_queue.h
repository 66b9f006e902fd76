// FakeQueue: a WorkQueue whose rows are in memory, for tests that take thousands of steps.
//
// Many queues, one for each worker, speak to one FakeTables. It does what the statements in
// sql/queries do; tests/queue/work_queue_contract_test.cc holds both to the same behaviour. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "batch/base/clock.h"
#include "batch/queue/work_queue.h"

namespace ferry::test {

class FakeTables {
 public:
  struct JobRow {
    Job job;
    std::string state = "pending";
    SteadyTime retry_at{};
    std::int64_t worker_id = 0;
    std::optional<int> parts_left;
    std::string error;
  };
  struct PartRow {
    Part part;
    std::string state = "pending";
    std::int64_t worker_id = 0;
    std::string etag;
    std::string md5;
    std::string checksum = {};
  };
  struct RunRow {
    OpenRun open;
    std::string state = "planning";
    std::string error;
    int closings = 0;
    int waits_said = 0;
    std::set<std::int64_t> workers;  // that claimed something
    std::map<std::int64_t, JobRow> jobs;
    std::map<std::pair<std::int64_t, std::uint32_t>, PartRow> parts;
  };
  struct UploadRow {
    KnownUpload known;
    std::int64_t task_id = 0;
  };

  // `clock` is the database's own, and outlives this object.
  explicit FakeTables(Clock& clock) : clock_(clock) {}

  std::int64_t NewWorker(std::chrono::milliseconds lease);
  bool Renew(std::int64_t worker_id, std::chrono::milliseconds lease);  // false: over
  void Release(std::int64_t worker_id);
  bool IsAlive(std::int64_t worker_id) const;

  // A run whose planning is finished.
  std::int64_t AddRun(const std::string& task, const std::vector<Job>& jobs);

  RunRow& run(std::int64_t run_id) { return runs_.at(run_id); }
  const std::map<std::int64_t, RunRow>& runs() const { return runs_; }
  std::map<std::string, UploadRow>& uploads() { return uploads_; }

  // Called before each call of a queue and after its effect; what it throws is what the caller of
  // the queue gets.
  std::function<void(std::string_view call, bool after)> interfere;

 private:
  friend class FakeQueue;
  struct Lease {
    SteadyTime until{};
    bool released = false;
  };

  Clock& clock_;
  std::map<std::int64_t, Lease> leases_;
  std::map<std::int64_t, RunRow> runs_;
  std::map<std::string, UploadRow> uploads_;  // by nonce
  std::int64_t last_id_ = 0;
};

class FakeQueue final : public WorkQueue {
 public:
  FakeQueue(FakeTables& tables, std::int64_t worker_id, int attempts_max)
      : tables_(tables), worker_id_(worker_id), attempts_max_(attempts_max) {}

  std::vector<OpenRun> FindOpenRuns(const std::vector<std::string>& tasks) override;
  RunState ReadRun(std::int64_t run_id) override;
  std::vector<Job> ClaimJobs(std::int64_t run_id, std::int64_t& cursor,
                             std::int64_t limit) override;
  std::int64_t LastJobId(std::int64_t run_id) override;
  std::vector<Job> ClaimRetries(std::int64_t run_id, std::int64_t limit) override;
  std::vector<Job> ClaimCompletions(std::int64_t run_id, std::int64_t limit) override;
  std::vector<PartJob> ClaimParts(std::int64_t run_id, std::int64_t limit) override;
  Recorded Record(std::int64_t run_id, std::int64_t task_id, const Outcomes& outcomes) override;
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
  using JobRow = FakeTables::JobRow;
  using RunRow = FakeTables::RunRow;
  using PartsReturned = std::set<std::pair<std::int64_t, std::string>>;  // by job and upload

  // Runs `body` between the two interferences; `writes`: only within the term.
  template <typename Body>
  auto Call(std::string_view name, bool writes, Body body);
  std::vector<Job> Claim(std::int64_t run_id, std::int64_t limit,
                         const std::function<bool(const JobRow&)>& matches);
  bool IsOurs(const JobRow& row) const {
    return row.state == "in_flight" && row.worker_id == worker_id_;
  }
  void RecordParts(RunRow& run, const Outcomes& outcomes);
  PartsReturned ReturnParts(RunRow& run, const std::vector<ReturnedPart>& parts);
  void RecordFailures(RunRow& run, const Outcomes& outcomes, const PartsReturned& returned,
                      Recorded& recorded);
  // All that this run and earlier ones have of the object but the one with this id, which may be
  // empty.
  void AbandonUploads(std::int64_t run_id, const Key& key, const std::string& but_not);
  static void DeleteParts(RunRow& run, std::int64_t job_id);
  std::int64_t Requeue(RunRow& run, const std::function<bool(std::int64_t)>& of_worker);
  static bool Close(RunRow& run);

  FakeTables& tables_;
  const std::int64_t worker_id_;
  const int attempts_max_;
};

}  // namespace ferry::test
