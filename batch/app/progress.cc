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
constexpr std::chrono::minutes kLogWaitingEvery{10};
constexpr double kSecondsMin = 0.5;  // between two looks that say something
constexpr double kWeight = 0.3;      // of the latest look

// With what has come over of large objects that are not done.
std::int64_t BytesOver(const RunState& run) { return run.totals.bytes_done + run.bytes_under_way; }

}  // namespace

void Pace::Look(SteadyTime now, std::int64_t bytes) {
  if (looked_at_) {
    const double seconds = std::chrono::duration<double>(now - *looked_at_).count();
    if (seconds < kSecondsMin) return;
    const double latest = static_cast<double>(bytes - bytes_) / seconds;
    const double before = bytes_per_second_.value_or(latest);
    bytes_per_second_ = (1 - kWeight) * before + kWeight * latest;
  }
  looked_at_ = now;
  bytes_ = bytes;
}

std::string ProgressLine(const std::string& task, const RunState& run, double bytes_per_second,
                         std::string_view closed) {
  const Tally& t = run.totals;
  const std::int64_t over = BytesOver(run);
  std::string line =
      fmt::format("{}: {} of {}{} objects, {} of {}, {}/s", task, t.done + t.deleted, t.planned,
                  run.state == "planning" ? "+" : "", HumanBytes(static_cast<double>(over)),
                  HumanBytes(static_cast<double>(t.bytes_planned)), HumanBytes(bytes_per_second));
  const double left = static_cast<double>(t.bytes_planned - over);
  if (!closed.empty()) {
    line.append(", ").append(closed);
  } else if (run.state == "copying" && bytes_per_second > 1 && left > 0) {
    line += ", " + HumanTime(left / bytes_per_second) + " left";
  }
  if (t.dead > 0) line += fmt::format(", {} dead", t.dead);
  if (t.retry_wait > 0) line += fmt::format(", {} waiting", t.retry_wait);
  return line;
}

Progress::Progress(Clock& clock, std::function<std::string(const std::string& task)> closed)
    : clock_(clock),
      closed_(std::move(closed)),
      terminal_(isatty(STDERR_FILENO) == 1),
      next_log_(clock.SteadyNow() + kLogEvery) {}

Progress::~Progress() { log::SetStatus(""); }

void Progress::Watch(const std::string& task, std::int64_t run_id) {
  MutexLock lock(mutex_);
  const auto [place, is_new] = watched_.try_emplace(run_id);
  if (!is_new) return;
  place->second.task = task;
  new_ones_ = true;
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

// Of a run that waits for hours there is little to say.
void Progress::Log(Watched& watched, const RunState& run, const std::string& closed) {
  if (!closed.empty() && run.state == "copying") {
    const SteadyTime now = clock_.SteadyNow();
    if (now < watched.next_waiting_line) return;
    watched.next_waiting_line = now + kLogWaitingEvery;
    log::Info("waiting: " + closed, {{"task", watched.task},
                                     {"run", run.run_id},
                                     {"objects", run.totals.done},
                                     {"planned", run.totals.planned}});
    return;
  }
  log::Info("progress", {{"task", watched.task},
                         {"run", run.run_id},
                         {"state", run.state},
                         {"objects", run.totals.done},
                         {"deleted", run.totals.deleted},
                         {"planned", run.totals.planned},
                         {"bytes", BytesOver(run)},
                         {"bytes_planned", run.totals.bytes_planned},
                         {"bytes_per_second", watched.pace.bytes_per_second()},
                         {"dead", run.totals.dead}});
}

void Progress::OnTick(WorkQueue& queue) {
  const SteadyTime now = clock_.SteadyNow();
  const bool log_now = !terminal_ && now >= next_log_;
  MutexLock lock(mutex_);
  // A first look says from where on it is counted.
  if (!terminal_ && !log_now && !new_ones_) return;
  new_ones_ = false;
  if (log_now) next_log_ = now + kLogEvery;
  std::string lines;
  for (auto it = watched_.begin(); it != watched_.end();) {
    const RunState run = queue.ReadRun(it->first);
    if (IsClosed(run.state)) {
      it = watched_.erase(it);
      continue;
    }
    Watched& watched = it->second;
    // What is read from the source moves within large objects, and where bytes are only compared.
    watched.pace.Look(now, run.totals.source_bytes_read);
    const std::string closed = closed_(watched.task);
    if (terminal_) {
      lines += (lines.empty() ? "" : "\n") +
               ProgressLine(watched.task, run, watched.pace.bytes_per_second(), closed);
    } else if (log_now) {
      Log(watched, run, closed);
    }
    ++it;
  }
  if (terminal_) log::SetStatus(lines);
}

}  // namespace ferry
