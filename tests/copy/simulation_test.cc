// Workers, leases and the queue under a seeded scheduler and a ticked clock: no threads, no
// sockets, no sleeping. Every seed is one history of pauses longer than the lease, deaths, lost
// answers of the database, clocks that jump, and stores that fail; each must end with everything
// brought over, and with nothing claimed that is not so. A failing seed is its own reproduction:
//
//   BUCKETFERRY_TEST_SEED=N ferry_unit_tests --gtest_filter=Simulation.*
//   BUCKETFERRY_TEST_SEEDS=COUNT ...                more of them
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/worker.h"
#include "tests/support/fake_queue.h"
#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using test::SimulatedLanes;
using test::SimulatedTerm;
using test::TickedClock;

constexpr milliseconds kLease = SimulatedTerm::kLease;
constexpr std::uint64_t kPartBytes = 2 << 20;
constexpr int kAttemptsMax = 5;

// What the destination holds, and what is open there.
struct Destination {
  std::map<Key, std::string> objects;  // ETags
  struct Upload {
    Key key;
    std::map<std::uint32_t, std::string> parts;
  };
  std::map<std::string, Upload> uploads;
  int created = 0;
};

std::string IdOf(const WorkItem& item) {
  if (item.kind != WorkItem::Kind::kPart) return std::to_string(item.job.job_id);
  return std::to_string(item.part.job_id) + "/" + std::to_string(item.part.part.number);
}

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed), jumps_(Chance(50)) {
    tables_.interfere = [this](std::string_view, bool after) { Interfere(after); };
    std::vector<Job> jobs;
    const int count = 3 + Pick(12);
    for (int id = 1; id <= count; ++id) {
      Job job;
      job.job_id = id;
      job.key = Key("k" + std::to_string(id));
      job.source = {"e" + std::to_string(id), Chance(30) ? 5 * kPartBytes / 2 : 100, 1, ""};
      jobs.push_back(job);
    }
    run_id_ = tables_.AddRun("media", jobs);
    hosts_.resize(static_cast<std::size_t>(2 + Pick(3)));
    for (Host& host : hosts_) Begin(host);
    until_.tasks = {"media"};
    until_.accepts = [](const OpenRun&) { return true; };
    until_.more_may_come = [] { return false; };
    until_.enough = [] { return false; };
  }

  // Trouble, then peace; empty when all is well.
  std::string Run() {
    for (int step = 0; step < 600 && IsOpen() && problem_.empty(); ++step) Disturb();
    peace_ = true;
    for (Host& host : hosts_) host.paused = false;
    for (int step = 0; step < 6000 && IsOpen() && problem_.empty(); ++step) GoOn();
    if (problem_.empty()) CheckEnd();
    return problem_;
  }

 private:
  struct Host {
    TickedClock clock;
    std::unique_ptr<SimulatedTerm> term;
    std::unique_ptr<SimulatedLanes> lanes;
    std::unique_ptr<Worker> worker;
    bool paused = false;
    bool drained = false;
  };

  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint32_t>(below)); }
  bool Chance(int percent) { return Pick(100) < percent; }
  bool IsOpen() { return tables_.run(run_id_).state == "copying"; }

  void Interfere(bool after) {
    if (peace_ || !Chance(2)) return;
    throw Error(after ? ErrorKind::kInDoubt : ErrorKind::kUnavailable, "connection lost");
  }

  void Begin(Host& host) {
    if (host.lanes) {
      // What was in flight may still land, whoever looks.
      for (WorkItem& item : host.lanes->running) stray_.push_back(std::move(item));
    }
    host.worker.reset();
    host.term = std::make_unique<SimulatedTerm>(tables_, host.clock);
    host.lanes = std::make_unique<SimulatedLanes>();
    WorkerOptions options;
    options.concurrency = 4;
    options.memory_bytes = 1 << 30;
    options.part_bytes = kPartBytes;
    options.multipart_threshold = kPartBytes;
    options.attempts_max = kAttemptsMax;
    options.outage_patience = std::chrono::hours(10);
    const std::int64_t id = host.term->worker_id();
    const auto open_queue = [this, id] {
      return std::make_unique<test::FakeQueue>(tables_, id, kAttemptsMax);
    };
    host.worker = std::make_unique<Worker>(
        Worker::Parts{open_queue, *host.term, *host.lanes, host.clock, silence_, silence_},
        options);
    host.drained = false;
  }

  void Disturb() {
    Host& host = hosts_[static_cast<std::size_t>(Pick(static_cast<int>(hosts_.size())))];
    switch (Pick(60)) {
      case 0: Begin(host); return;  // killed, and started again
      case 1: host.paused = !host.paused; return;
      case 2: Advance(kLease * 3 / 2); return;
      case 3:
        if (jumps_) database_clock_.Advance(kLease * 2);
        return;
      case 4:
        if (jumps_) host.clock.Advance(kLease);
        return;
      case 5:
        if (!stray_.empty()) {
          Execute(stray_.back());
          stray_.pop_back();
        }
        return;
      default: GoOn();
    }
  }

  void GoOn() {
    Host& host = hosts_[static_cast<std::size_t>(Pick(static_cast<int>(hosts_.size())))];
    switch (Pick(10)) {
      case 0: Advance(milliseconds(Pick(2000))); return;
      case 1:
        if (!host.paused) host.term->Renew(peace_ || Chance(90));
        return;
      case 2:
      case 3:
      case 4:
      case 5: Finish(host); return;
      default: Step(host);
    }
  }

  void Advance(milliseconds by) {
    database_clock_.Advance(by);
    for (Host& host : hosts_) {
      host.clock.Advance(by);
      // A process that runs renews in time.
      if (!host.paused && by < kLease / 4 && Chance(80)) host.term->Renew(/*answered=*/true);
    }
  }

  void Step(Host& host) {
    if (host.paused || host.drained) return;
    const std::size_t before = host.lanes->running.size();
    const auto end = host.worker->Step(until_, /*stop=*/false);
    for (std::size_t i = before; i < host.lanes->running.size(); ++i) {
      CheckNobodyElseDoes(host, host.lanes->running[i]);
    }
    if (end == Worker::End::kLeaseLost) Begin(host);
    if (end == Worker::End::kDrained) {
      host.drained = true;
      if (IsOpen()) problem_ = "a worker found nothing to do while the run was open";
    }
  }

  // As long as the clocks tell the truth, of those that trust their lease one has a row in hand.
  void CheckNobodyElseDoes(const Host& host, const WorkItem& item) {
    if (jumps_) return;
    for (const Host& other : hosts_) {
      if (&other == &host || !other.term->Trusted()) continue;
      for (const WorkItem& theirs : other.lanes->running) {
        if (IdOf(theirs) == IdOf(item)) problem_ = "two workers did " + IdOf(item) + " at once";
      }
    }
  }

  // One of what this host has in flight ends: well, badly before its effect, or badly after it.
  void Finish(Host& host) {
    std::vector<WorkItem>& running = host.lanes->running;
    if (host.paused || running.empty()) return;
    const auto at = running.begin() + Pick(static_cast<int>(running.size()));
    WorkItem item = std::move(*at);
    running.erase(at);
    WorkResult result;
    const bool fails = !peace_ && Chance(8);
    const bool before = Chance(50);
    if (!fails || !before) result = Execute(item);
    result.item = item;
    if (fails) {
      const bool corrupt = Chance(30);
      result.error = Error(corrupt ? ErrorKind::kCorrupt : ErrorKind::kUnavailable, "trouble");
      result.failed_side = Side::kDestination;
      const auto job = item.kind == WorkItem::Kind::kPart ? item.part.job_id : item.job.job_id;
      failures_[job] += 1;
    }
    host.lanes->results.push_back(std::move(result));
  }

  // What the copy code does for an item, in short.
  WorkResult Execute(const WorkItem& item) {
    WorkResult result;
    result.item = item;
    const Key& key = item.object.destination_key;
    const std::string& etag = item.object.source.etag;
    const auto fail = [&](const char* code) {
      result.error = Error(ErrorKind::kNotFound, code, code);
      result.failed_side = Side::kDestination;
      const auto job = item.kind == WorkItem::Kind::kPart ? item.part.job_id : item.job.job_id;
      failures_[job] += 1;
    };
    switch (item.kind) {
      case WorkItem::Kind::kWhole: destination_.objects[key] = etag; break;
      case WorkItem::Kind::kCompare:
      case WorkItem::Kind::kDelete: break;
      case WorkItem::Kind::kSplit: Open(item, result); break;
      case WorkItem::Kind::kPart: {
        const auto upload = destination_.uploads.find(item.part.upload_id);
        if (upload == destination_.uploads.end()) {
          fail("NoSuchUpload");
          break;
        }
        const std::uint32_t number = item.part.part.number;
        result.part = {number, item.part.upload_id + "-" + std::to_string(number),
                       Digest{DigestKind::kMd5, std::string(16, 'm')}};
        upload->second.parts[number] = result.part.etag;
        break;
      }
      case WorkItem::Kind::kComplete: {
        const auto upload = destination_.uploads.find(item.open->upload_id);
        if (upload == destination_.uploads.end()) {
          if (destination_.objects[key] != etag) fail("NoSuchUpload");
          break;
        }
        const auto missing = std::any_of(
            item.open->parts.begin(), item.open->parts.end(), [&](const DonePart& part) {
              const auto stored = upload->second.parts.find(part.number);
              return stored == upload->second.parts.end() || stored->second != part.etag;
            });
        if (missing || item.open->parts.size() != 3) {
          destination_.uploads.erase(upload);
          fail("InvalidPart");
          break;
        }
        destination_.objects[key] = etag;
        destination_.uploads.erase(upload);
        break;
      }
    }
    result.copied = {item.object.source, etag, "etag_md5"};
    return result;
  }

  void Open(const WorkItem& item, WorkResult& result) {
    result.upload.part_bytes = item.part_bytes;
    result.upload.source = item.object.source;
    if (item.open) {
      const auto upload = destination_.uploads.find(item.open->upload_id);
      if (upload != destination_.uploads.end()) {
        result.upload = *item.open;
        std::erase_if(result.upload.parts, [&](const DonePart& part) {
          return upload->second.parts[part.number] != part.etag;
        });
        return;
      }
    }
    result.upload.nonce = item.nonce;
    result.upload.upload_id = "u" + std::to_string(++destination_.created);
    destination_.uploads[result.upload.upload_id].key = item.object.destination_key;
  }

  void CheckEnd() {
    const test::FakeTables::RunRow& run = tables_.run(run_id_);
    if (IsOpen()) {
      problem_ = "the run never ended";
      return;
    }
    if (run.closings != 1) problem_ = "the run was closed more than once";
    bool dead = false;
    for (const auto& [id, row] : run.jobs) {
      const std::string name = "job " + std::to_string(id);
      if (row.state == "done" && destination_.objects[row.job.key] != row.job.source.etag) {
        problem_ = name + " is done and not at the destination";
      }
      if (row.state == "dead" && failures_[id] < kAttemptsMax) {
        problem_ = name + " is dead after " + std::to_string(failures_[id]) + " failures";
      }
      if (row.state != "done" && row.state != "dead") problem_ = name + " is " + row.state;
      dead = dead || row.state == "dead";
    }
    if (dead != (run.state == "incomplete")) problem_ = "the run says " + run.state;
  }

  std::mt19937 random_;
  const bool jumps_;  // whether clocks may jump
  TickedClock database_clock_;
  test::FakeTables tables_{database_clock_};
  Destination destination_;
  test::Silence silence_;
  Worker::Until until_;
  std::vector<Host> hosts_;
  std::vector<WorkItem> stray_;
  std::map<std::int64_t, int> failures_;
  std::int64_t run_id_ = 0;
  bool peace_ = false;
  std::string problem_;
};

TEST(Simulation, WhateverDiesWheneverEverythingIsBroughtOverOnce) {
  log::Configure(log::Format::kText, log::Level::kError);
  std::uint32_t first = 1, count = 2000;
  if (const char* one = std::getenv("BUCKETFERRY_TEST_SEED")) {
    first = static_cast<std::uint32_t>(std::atoi(one));
    count = 1;
  }
  if (const char* many = std::getenv("BUCKETFERRY_TEST_SEEDS")) {
    count = static_cast<std::uint32_t>(std::atoi(many));
  }
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    const std::string problem = World(seed).Run();
    ASSERT_EQ(problem, "") << "seed " << seed;
  }
  log::Configure(log::Format::kText, log::Level::kInfo);
}

}  // namespace
}  // namespace ferry
