// What stands around a WorkQueue in its contract: workers, leases and runs, of the one in memory
// and of the one on PostgreSQL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/queue/job_queue.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/fake_queue.h"

namespace ferry {

inline constexpr int kAttemptsMax = 3;
inline constexpr int kWorldJobBytes = 25;

class QueueWorld {
 public:
  virtual ~QueueWorld() = default;
  virtual std::int64_t NewWorker() = 0;
  virtual void EndLease(std::int64_t worker_id) = 0;
  virtual std::unique_ptr<WorkQueue> Queue(std::int64_t worker_id) = 0;
  // Of jobs 1 to `jobs`, of kWorldJobBytes each. Returns the run.
  virtual std::int64_t AddRun(int jobs) = 0;
  virtual std::int64_t task_id() const = 0;
  virtual std::string StateOf(std::int64_t run_id, std::int64_t job_id) = 0;
  virtual std::string RunStateOf(std::int64_t run_id) = 0;
};

class FakeWorld final : public QueueWorld {
 public:
  std::int64_t NewWorker() override { return tables_.NewWorker(std::chrono::minutes(1)); }
  void EndLease(std::int64_t worker_id) override { tables_.Release(worker_id); }
  std::unique_ptr<WorkQueue> Queue(std::int64_t worker_id) override {
    return std::make_unique<test::FakeQueue>(tables_, worker_id, kAttemptsMax);
  }
  std::int64_t AddRun(int jobs) override {
    std::vector<Job> rows;
    for (int id = 1; id <= jobs; ++id) {
      Job job;
      job.job_id = id;
      job.key = Key("in/" + std::to_string(id));
      job.source = {"etag" + std::to_string(id), kWorldJobBytes, 1'700'000'000'000, ""};
      rows.push_back(job);
    }
    return tables_.AddRun("media", rows);
  }
  std::int64_t task_id() const override { return 1; }
  std::string StateOf(std::int64_t run_id, std::int64_t job_id) override {
    return tables_.run(run_id).jobs.at(job_id).state;
  }
  std::string RunStateOf(std::int64_t run_id) override { return tables_.run(run_id).state; }

 private:
  SystemClock clock_;
  test::FakeTables tables_{clock_};
};

// The fixture's means, without its being the test.
class RealTables final : public QueueFixture {
 public:
  using QueueFixture::EndLease;
  using QueueFixture::NewWorker;
  using QueueFixture::RunStateOf;
  using QueueFixture::StateOf;
  std::unique_ptr<pg::Session> Connect() {
    return std::make_unique<pg::Session>(database_.options());
  }
  BegunRun AddRun(int jobs) {
    const std::int64_t planner = NewWorker();
    const BegunRun run = Plan(planner, jobs, kWorldJobBytes);
    EndLease(planner);
    return run;
  }

 private:
  void TestBody() override {}
};

class RealWorld final : public QueueWorld {
 public:
  std::int64_t NewWorker() override { return tables_.NewWorker(); }
  void EndLease(std::int64_t worker_id) override { tables_.EndLease(worker_id); }
  std::unique_ptr<WorkQueue> Queue(std::int64_t worker_id) override {
    return std::make_unique<JobQueue>(tables_.Connect(), worker_id, kAttemptsMax);
  }
  std::int64_t AddRun(int jobs) override {
    const BegunRun run = tables_.AddRun(jobs);
    task_id_ = run.task_id;
    return run.run_id;
  }
  std::int64_t task_id() const override { return task_id_; }
  std::string StateOf(std::int64_t run_id, std::int64_t job_id) override {
    return tables_.StateOf(run_id, job_id);
  }
  std::string RunStateOf(std::int64_t run_id) override { return tables_.RunStateOf(run_id); }

 private:
  RealTables tables_;
  std::int64_t task_id_ = 0;
};

}  // namespace ferry
