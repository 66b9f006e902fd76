// What people see while a run goes on: live lines on a terminal, else a log line every 10 s; and a
// log line for each object that died.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "batch/base/mutex.h"
#include "batch/copy/worker.h"

namespace ferry {

class Progress final : public RunObserver {
 public:
  explicit Progress(Clock& clock);
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
    std::int64_t bytes_before = 0;
    SteadyTime when_before{};
    double bytes_per_second = 0;
  };

  std::string Line(Watched& watched, const RunState& run);

  Clock& clock_;
  const bool terminal_;
  SteadyTime next_log_;
  Mutex mutex_;
  std::optional<std::string> given_up_ FERRY_GUARDED_BY(mutex_);
  std::map<std::int64_t, Watched> watched_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
