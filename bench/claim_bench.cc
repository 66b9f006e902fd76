// What the queue bears: one worker takes all jobs of the open runs of a task, over lanes that move
// nothing, and says how long each tenth of them took.
//
//   claim_bench --uri URI --task NAME --jobs N [--concurrency C]
//
// The worker is the real one, with its batches, its lease and its queue on PostgreSQL; only the
// copies are not. Prints a line of JSON: {"jobs": N, "tenths": [seconds, ...]}. Exit: 0 all N are
// done, 2 usage, 3 anything else.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/copy/worker.h"
#include "batch/pg/session.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/worker_lease.h"

namespace ferry::bench {
namespace {

constexpr int kTenths = 10;

// Each object is at the destination as soon as it is started: a GET and a PUT of no time. Half of
// what is in flight ends at a time: a worker of which nothing is left in flight is at its end, and
// writes down what it has at once.
class InstantLanes final : public Lanes {
 public:
  explicit InstantLanes(RequestCounters& counters) : counters_(counters) {}

  void Start(WorkItem item) override {
    WorkResult result;
    result.copied = {item.object.source, item.object.source.etag, "etag_md5"};
    result.traffic = {item.object.source.size_bytes, item.object.source.size_bytes};
    result.item = std::move(item);
    results_.push_back(std::move(result));
    counters_.source += 1;
    counters_.destination += 1;
  }
  std::vector<WorkResult> Reap() override {
    const auto count = static_cast<std::ptrdiff_t>((results_.size() + 1) / 2);
    std::vector<WorkResult> older(std::make_move_iterator(results_.begin()),
                                  std::make_move_iterator(results_.begin() + count));
    results_.erase(results_.begin(), results_.begin() + count);
    return older;
  }
  // Never longer than the work itself takes: what was started has ended.
  bool Wait(std::chrono::milliseconds) override { return false; }  // nobody wakes anybody
  void Wake() override {}
  void Stop() override {}

 private:
  RequestCounters& counters_;
  std::deque<WorkResult> results_;
};

class Figures final : public StoreFigures {
 public:
  RequestCounters& Counters(const std::string& /*task*/) override { return counters_; }
  RequestCounters& counters() { return counters_; }

 private:
  RequestCounters counters_;
};

// Looks at the clock with each tenth of the jobs.
class Stopwatch final : public RunObserver {
 public:
  Stopwatch(const Clock& clock, std::int64_t jobs)
      : clock_(clock), jobs_(jobs), last_(clock.SteadyNow()) {}

  void OnDone(const std::string&, const Key&, const DoneJob&) override {
    done_ += 1;
    if (done_ * kTenths >= jobs_ * static_cast<std::int64_t>(seconds_.size() + 1)) Lap();
  }
  void OnRetry(const std::string&, const Key&, const std::string&) override {}
  void OnDead(const std::string&, const Key&, const std::string&) override {}
  void OnVerdict(const std::string&, const Key&, const JobVerdict&) override {}
  void OnRunGivenUp(const std::string&, std::int64_t, const std::string& error, bool) override {
    std::fprintf(stderr, "claim_bench: %s\n", error.c_str());
  }
  void OnTick(WorkQueue&) override {}

  // The last tenth ends when the run is closed.
  std::vector<double> Finish() {
    const std::chrono::duration<double> rest = clock_.SteadyNow() - last_;
    if (!seconds_.empty()) seconds_.back() += rest.count();
    return seconds_;
  }
  std::int64_t done() const { return done_; }

 private:
  void Lap() {
    const SteadyTime now = clock_.SteadyNow();
    seconds_.push_back(std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }

  const Clock& clock_;
  const std::int64_t jobs_;
  SteadyTime last_;
  std::int64_t done_ = 0;
  std::vector<double> seconds_;
};

struct Arguments {
  std::string uri;
  std::string task;
  std::int64_t jobs = 0;
  int concurrency = 48;  // as `concurrency: auto` has where objects take no time
};

std::vector<double> Drain(const Arguments& arguments) {
  SystemClock clock;
  const auto connect = [&] {
    pg::ConnectOptions options;
    options.uri = arguments.uri;
    return std::make_unique<pg::Session>(std::move(options));
  };
  WorkerLease lease(connect, clock, {});
  Figures figures;
  InstantLanes lanes(figures.counters());
  Stopwatch stopwatch(clock, arguments.jobs);
  WorkerOptions options;
  options.concurrency = arguments.concurrency;
  options.memory_bytes = std::uint64_t{256} << 20;
  options.part_bytes = std::uint64_t{16} << 20;
  options.multipart_threshold = std::uint64_t{64} << 20;
  options.outage_patience = std::chrono::seconds(10);
  const auto open_queue = [&]() -> std::unique_ptr<WorkQueue> {
    return std::make_unique<JobQueue>(connect(), lease.worker_id(), options.attempts_max);
  };
  Worker worker({open_queue, lease, lanes, clock, stopwatch, figures}, options);
  Worker::Until until;
  until.tasks = {arguments.task};
  until.accepts = [](const OpenRun&) { return true; };
  until.more_may_come = [] { return false; };
  until.enough = [] { return false; };
  const Worker::End end = worker.Run(until, {});
  if (end != Worker::End::kDrained || stopwatch.done() != arguments.jobs) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} of {} jobs are done", stopwatch.done(), arguments.jobs));
  }
  return stopwatch.Finish();
}

bool Read(int argc, char** argv, Arguments& arguments) {
  std::map<std::string_view, std::string> values;
  for (int i = 1; i + 1 < argc; i += 2) values[argv[i]] = argv[i + 1];
  const auto number = [&](std::string_view name, auto& value) {
    const auto found = values.find(name);
    if (found == values.end()) return true;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value > 0;
  };
  arguments.uri = values["--uri"];
  arguments.task = values["--task"];
  return argc % 2 == 1 && number("--jobs", arguments.jobs) &&
         number("--concurrency", arguments.concurrency) && !arguments.uri.empty() &&
         !arguments.task.empty() && arguments.jobs >= kTenths;
}

int Main(int argc, char** argv) try {
  Arguments arguments;
  if (!Read(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: claim_bench --uri URI --task NAME --jobs N [--concurrency C]\n");
    return 2;
  }
  const std::vector<double> tenths = Drain(arguments);
  fmt::print("{{\"jobs\": {}, \"tenths\": [{:.6f}]}}\n", arguments.jobs, fmt::join(tenths, ", "));
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "claim_bench: %s\n", error.what());
  return 3;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) { return ferry::bench::Main(argc, argv); }
