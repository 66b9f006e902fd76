#include "batch/app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "batch/app/status_text.h"
#include "batch/base/human.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

constexpr std::chrono::seconds kLogEvery{10};

}  // namespace

Progress::Progress(Clock& clock)
    : clock_(clock),
      terminal_(isatty(STDERR_FILENO) == 1),
      next_log_(clock.SteadyNow() + kLogEvery) {}

Progress::~Progress() { log::SetStatus(""); }

void Progress::Watch(const std::string& task, std::int64_t run_id) {
  MutexLock lock(mutex_);
  const auto [place, is_new] = watched_.try_emplace(run_id);
  if (!is_new) return;
  Watched& watched = place->second;
  watched.task = task;
  watched.when_before = clock_.SteadyNow();
}

void Progress::OnDone(const std::string& task, const Key& key, const DoneJob& job) {
  log::Debug("object done", {{"task", task},
                             {"job", job.job_id},
                             {"key", key},
                             {"bytes", job.source.size_bytes},
                             {"proof", job.proof}});
}

void Progress::OnRetry(const std::string& task, const Key& key, const std::string& error) {
  log::Debug("attempt failed", {{"task", task}, {"key", key}, {"error", error}});
}

void Progress::OnDead(const std::string& task, const Key& key, const std::string& error) {
  log::Info("object dead", {{"task", task}, {"key", key}, {"error", error}});
}

void Progress::OnVerdict(const std::string& task, const Key& key, const JobVerdict& verdict) {
  log::Debug("object " + verdict.state, {{"task", task}, {"key", key}});
}

void Progress::OnRunGivenUp(const std::string& task, std::int64_t run_id, const std::string& error,
                            bool closed) {
  MutexLock lock(mutex_);
  given_up_ = fmt::format("task {}: run {} {}: {}", task, run_id,
                          closed ? "failed" : "cannot go on here, others work on it", error);
}

std::optional<std::string> Progress::given_up() {
  MutexLock lock(mutex_);
  return given_up_;
}

void Progress::OnTick(WorkQueue& queue) {
  const bool log_now = !terminal_ && clock_.SteadyNow() >= next_log_;
  if (!terminal_ && !log_now) return;
  next_log_ = clock_.SteadyNow() + kLogEvery;
  MutexLock lock(mutex_);
  std::string lines;
  for (auto it = watched_.begin(); it != watched_.end();) {
    const RunState run = queue.ReadRun(it->first);
    if (IsClosed(run.state)) {
      it = watched_.erase(it);
      continue;
    }
    const std::string line = Line(it->second, run);
    if (terminal_) {
      lines += (lines.empty() ? "" : "\n") + line;
    } else {
      log::Info("progress", {{"task", it->second.task},
                             {"run", run.run_id},
                             {"state", run.state},
                             {"objects", run.totals.done},
                             {"deleted", run.totals.deleted},
                             {"planned", run.totals.planned},
                             {"bytes", run.totals.bytes_done},
                             {"bytes_planned", run.totals.bytes_planned},
                             {"bytes_per_second", it->second.bytes_per_second},
                             {"dead", run.totals.dead}});
    }
    ++it;
  }
  if (terminal_) log::SetStatus(lines);
}

std::string Progress::Line(Watched& watched, const RunState& run) {
  const Tally& t = run.totals;
  const SteadyTime now = clock_.SteadyNow();
  // What is written to the destination moves within large objects too.
  const double seconds = std::chrono::duration<double>(now - watched.when_before).count();
  if (seconds > 0.5) {
    const double rate = static_cast<double>(t.bytes_done - watched.bytes_before) / seconds;
    watched.bytes_per_second =
        watched.bytes_per_second == 0 ? rate : 0.7 * watched.bytes_per_second + 0.3 * rate;
    watched.bytes_before = t.bytes_done;
    watched.when_before = now;
  }
  std::string line = fmt::format(
      "{}: {} of {}{} objects, {} of {}, {}/s", watched.task, t.done + t.deleted, t.planned,
      run.state == "planning" ? "+" : "", HumanBytes(static_cast<double>(t.bytes_done)),
      HumanBytes(static_cast<double>(t.bytes_planned)), HumanBytes(watched.bytes_per_second));
  const double left = static_cast<double>(t.bytes_planned - t.bytes_done);
  if (run.state == "copying" && watched.bytes_per_second > 1 && left > 0) {
    line += ", " + HumanTime(left / watched.bytes_per_second) + " left";
  }
  if (t.dead > 0) line += fmt::format(", {} dead", t.dead);
  if (t.retry_wait > 0) line += fmt::format(", {} waiting", t.retry_wait);
  return line;
}

}  // namespace ferry
