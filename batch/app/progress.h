// What people see while a run goes on: live lines on a terminal, else a log line every 10 s; and a
// log line for each object that died.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/mutex.h"
#include "batch/copy/worker.h"

namespace ferry {

// How quickly bytes come, over the last looks. What was there before the first look is not counted.
class Pace {
 public:
  void Look(SteadyTime now, std::int64_t bytes);
  double bytes_per_second() const { return bytes_per_second_.value_or(0); }

 private:
  std::optional<SteadyTime> looked_at_;
  std::int64_t bytes_ = 0;
  std::optional<double> bytes_per_second_;
};

// "media: 3 of 10 objects, 1.0 GiB of 2.0 GiB, 5.0 MiB/s, 3m25s left".
// `closed`: why nothing new is started; empty: it is.
std::string ProgressLine(const std::string& task, const RunState& run, double bytes_per_second,
                         std::string_view closed = {});

class Progress final : public RunObserver {
 public:
  // `closed` says of a task why nothing new of it is started; empty: it is. See TaskLimits.
  Progress(Clock& clock, std::function<std::string(const std::string& task)> closed);
  ~Progress() override;

  // From any thread: this run is to be shown.
  void Watch(const std::string& task, std::int64_t run_id);

  void OnDone(const std::string& task, const Key& key, const DoneJob& job) override;
  void OnRetry(const std::string& task, const Key& key, const std::string& error) override;
  void OnDead(const std::string& task, const Key& key, const std::string& error) override;
  void OnVerdict(const std::string& task, const Key& key, const JobVerdict& verdict) override;
  void OnRunGivenUp(const std::string& task, std::int64_t run_id, const std::string& error,
                    bool closed) override;
  void OnTick(WorkQueue& queue) override;

  // What a worker of this process said of the last run that it could not go on with. Thread-safe.
  std::optional<std::string> given_up();

 private:
  struct Watched {
    std::string task;
    Pace pace;
    SteadyTime next_waiting_line{};
  };
  void Log(Watched& watched, const RunState& run, const std::string& closed);

  Clock& clock_;
  const std::function<std::string(const std::string& task)> closed_;
  const bool terminal_;
  SteadyTime next_log_;
  Mutex mutex_;
  std::optional<std::string> given_up_ FERRY_GUARDED_BY(mutex_);
  std::map<std::int64_t, Watched> watched_ FERRY_GUARDED_BY(mutex_);
  bool new_ones_ FERRY_GUARDED_BY(mutex_) = false;  // not looked at yet
};

}  // namespace ferry
