// TaskHours: the windows and bandwidths of the tasks, by the clocks on the walls of their zones.
//
// PostgreSQL says what those clocks show, with each heartbeat; in between, and while it is away,
// they go on by our own clock, and are an hour wrong until the next heartbeat after a change of
// summer time. Before anybody has asked, no window is open, and the smallest of a task's limits
// holds.
//
// A limit is divided by the live workers of the task. One that joins is known to the others with
// their next heartbeat; until then all together may read somewhat more.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/app/database.h"
#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/config/config.h"
#include "batch/copy/task_limits.h"
#include "batch/plan/timetable.h"
#include "batch/queue/task_clock.h"
#include "batch/store/token_bucket.h"

namespace ferry {

// Throws Error{kConfig} where a task names a time zone that the database does not have. Connects
// only where one names another than UTC.
void CheckTimeZones(const Config& config, Database& database);

// All functions may be called from any thread.
class TaskHours final : public TaskLimits {
 public:
  // However many workers share a limit, each may read so much: with less, servers give up.
  static constexpr double kBytesPerSecondMin = static_cast<double>(kBandwidthMin);

  // `clock` outlives this object.
  TaskHours(const Config& config, const Clock& clock);
  ~TaskHours() override;

  // Asks the database, where any task has limits. `worker_id`: see ReadTaskClocks. Throws Error.
  void Ask(pg::Session& session, std::int64_t worker_id);
  // What it said.
  void Learn(const std::map<std::string, TaskClock>& told);

  // What paces the bodies of a task; null: it has no bandwidth. As long-lived as this object.
  TokenBucket* BucketOf(const std::string& task);

  std::string Closed(const std::string& task) override;
  std::uint64_t BodyBytesMax(const std::string& task) override;

 private:
  struct Hours;
  struct Told {
    TaskClock clock;
    SteadyTime at{};
  };

  // What the clock on the wall of its zone shows; nullopt: nobody has said yet.
  std::optional<int> MinuteOf(const std::string& task, SteadyTime now) const FERRY_REQUIRES(mutex_);
  std::optional<double> RateOf(const Hours& hours, SteadyTime now) const;
  double WiderNow(Hours& hours);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Told> told_ FERRY_GUARDED_BY(mutex_);  // by task
  // Of the tasks that have limits; stays as it is.
  std::map<std::string, std::unique_ptr<Hours>> tasks_;
};

}  // namespace ferry
