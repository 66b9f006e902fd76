// What surrounds a Worker, without threads, sockets or sleeping: a clock that is told to tick, a
// term over FakeTables, and lanes that carry items out when a test says so.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "batch/copy/worker.h"
#include "tests/support/fake_queue.h"

namespace ferry::test {

// Of a worker that has little of everything.
inline WorkerOptions SmallWorkerOptions() {
  WorkerOptions options;
  options.concurrency = 4;
  options.memory_bytes = 1 << 30;
  options.part_bytes = 2 << 20;
  options.multipart_threshold = 8 << 20;
  options.attempts_max = 3;
  options.outage_patience = std::chrono::minutes(30);
  return options;
}

// Until all open runs of these tasks are drained.
inline Worker::Until UntilDrained(std::vector<std::string> tasks) {
  Worker::Until until;
  until.tasks = std::move(tasks);
  until.accepts = [](const OpenRun&) { return true; };
  until.more_may_come = [] { return false; };
  until.enough = [] { return false; };
  return until;
}

// Of the keys "k1", "k2" and so on.
inline std::vector<Job> JobsOf(int count, std::uint64_t size_bytes) {
  std::vector<Job> jobs;
  for (int id = 1; id <= count; ++id) {
    Job job;
    job.job_id = id;
    job.key = Key("k" + std::to_string(id));
    job.source = {"e", size_bytes, 1, ""};
    jobs.push_back(job);
  }
  return jobs;
}

// Ticks when it is told to. Never goes back, but one host's may differ from another's.
class TickedClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return now_; }
  WallTime WallNow() const override { return WallTime(now_.time_since_epoch()); }
  bool SleepFor(std::chrono::milliseconds, std::stop_token) override { return true; }
  void Advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  SteadyTime now_{std::chrono::hours(1000)};
};

class SimulatedTerm final : public Term {
 public:
  static constexpr std::chrono::milliseconds kLease{10'000};

  SimulatedTerm(FakeTables& tables, const TickedClock& clock)
      : tables_(tables), clock_(clock), id_(tables.NewWorker(kLease)), until_(Until()) {}

  std::int64_t worker_id() const override { return id_; }
  bool Trusted() const override { return !lost_ && clock_.SteadyNow() < until_; }
  // As WorkerLease does; the answer may be lost on the way.
  void Renew(bool answered) {
    const SteadyTime next = Until();
    if (!Trusted()) return;
    const bool held = tables_.Renew(id_, kLease);
    if (!answered) return;
    if (held) until_ = next;
    lost_ = !held;
  }

 private:
  SteadyTime Until() const { return clock_.SteadyNow() + kLease - kLease / 6; }

  FakeTables& tables_;
  const TickedClock& clock_;
  const std::int64_t id_;
  SteadyTime until_;
  bool lost_ = false;
};

// Carries items out when the scheduler says so.
class SimulatedLanes final : public Lanes {
 public:
  void Start(WorkItem item) override { running.push_back(std::move(item)); }
  std::vector<WorkResult> Reap() override { return std::exchange(results, {}); }
  bool Wait(std::chrono::milliseconds) override { return false; }
  void Wake() override {}
  void Stop() override {
    for (WorkItem& item : running) {
      WorkResult result;
      result.item = std::move(item);
      result.error = Error(ErrorKind::kStopped, "stopped");
      results.push_back(std::move(result));
    }
    running.clear();
  }

  std::vector<WorkItem> running;
  std::vector<WorkResult> results;
};

class Silence final : public RunObserver, public StoreFigures {
 public:
  void OnDone(const std::string&, const Key&, const DoneJob&) override {}
  void OnRetry(const std::string&, const Key&, const std::string&) override {}
  void OnDead(const std::string&, const Key&, const std::string&) override {}
  void OnVerdict(const std::string&, const Key&, const JobVerdict&) override {}
  void OnRunGivenUp(const std::string&, std::int64_t, const std::string&, bool) override {
    given_up += 1;
  }
  void OnTick(WorkQueue&) override {}
  RequestCounters& Counters(const std::string&) override { return counters_; }
  bool HaveAnswered(const std::string&) override { return have_answered; }

  int given_up = 0;
  bool have_answered = true;

 private:
  RequestCounters counters_;
};

}  // namespace ferry::test
