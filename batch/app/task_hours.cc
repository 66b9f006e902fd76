#include "batch/app/task_hours.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

// What is under way at once comes over within so long, if it is what uses up the bandwidth: so
// parts end one after the other, and a stop finds few of them half-way.
constexpr double kBodiesSeconds = 30;
// Where bodies do not use it up, because each comes slowly, there may be more of them, step by
// step.
constexpr double kWiderStep = 1.25;
constexpr double kWiderMax = 64;
constexpr std::chrono::seconds kWiderEvery{1};
constexpr std::chrono::seconds kForgottenAfter{5};  // nobody asked: nothing was to be started

std::vector<WeekHours> HoursOf(const std::vector<BandwidthLimit>& limits) {
  std::vector<WeekHours> hours;
  hours.reserve(limits.size());
  for (const BandwidthLimit& limit : limits) hours.push_back(limit.hours);
  return hours;
}

}  // namespace

void CheckTimeZones(const Config& config, Database& database) {
  std::set<std::string> zones;
  for (const TaskConfig& task : config.tasks) zones.insert(task.timezone);
  zones.erase("UTC");
  if (zones.empty()) return;
  const auto unknown = FindUnknownZones(*database.Connect(), {zones.begin(), zones.end()});
  for (const TaskConfig& task : config.tasks) {
    if (std::find(unknown.begin(), unknown.end(), task.timezone) == unknown.end()) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: task {}: timezone: the database knows no time zone \"{}\" (known "
                            "are the names in its pg_timezone_names, such as Asia/Shanghai)",
                            config.file.string(), task.name, task.timezone));
  }
}

struct TaskHours::Hours {
  explicit Hours(const TaskConfig& task)
      : name(task.name),
        zone(task.timezone),
        limits(task.bandwidth),
        bandwidth(HoursOf(task.bandwidth)) {
    if (!task.window.empty()) window.emplace(task.window);
    for (const BandwidthLimit& limit : limits) {
      smallest_limit = std::min(smallest_limit, limit.bytes_per_second);
    }
  }

  const std::string name;
  const std::string zone;
  const std::vector<BandwidthLimit> limits;
  const Timetable bandwidth;  // of `limits`
  std::uint64_t smallest_limit = std::numeric_limits<std::uint64_t>::max();
  std::optional<Timetable> window;  // none: always open
  std::unique_ptr<TokenBucket> bucket;
  // By how much more than kBodiesSeconds may be under way.
  double wider = 1;
  SteadyTime widened_at{};
};

TaskHours::TaskHours(const Config& config, const Clock& clock) : clock_(clock) {
  for (const TaskConfig& task : config.tasks) {
    if (task.bandwidth.empty() && task.window.empty()) continue;
    const auto& hours = tasks_.emplace(task.name, std::make_unique<Hours>(task)).first->second;
    if (task.bandwidth.empty()) continue;
    hours->bucket = std::make_unique<TokenBucket>(
        [this, one = hours.get()](SteadyTime now) { return RateOf(*one, now); });
  }
}

TaskHours::~TaskHours() = default;

void TaskHours::Ask(pg::Session& session, std::int64_t worker_id) {
  if (tasks_.empty()) return;
  std::map<std::string, std::string> zones;
  for (const auto& [name, hours] : tasks_) zones[name] = hours->zone;
  Learn(ReadTaskClocks(session, zones, worker_id));
}

void TaskHours::Learn(const std::map<std::string, TaskClock>& told) {
  const SteadyTime now = clock_.SteadyNow();
  const MutexLock lock(mutex_);
  for (const auto& [task, clock] : told) told_[task] = {clock, now};
}

std::optional<int> TaskHours::MinuteOf(const std::string& task, SteadyTime now) const {
  const auto told = told_.find(task);
  if (told == told_.end()) return std::nullopt;
  const auto shows = told->second.clock.of_week + (now - told->second.at);
  return static_cast<int>(std::chrono::floor<std::chrono::minutes>(shows).count() % kWeekMinutes);
}

TokenBucket* TaskHours::BucketOf(const std::string& task) {
  const auto known = tasks_.find(task);
  return known == tasks_.end() ? nullptr : known->second->bucket.get();
}

std::optional<double> TaskHours::RateOf(const Hours& hours, SteadyTime now) const {
  const MutexLock lock(mutex_);
  const auto minute = MinuteOf(hours.name, now);
  if (!minute) return static_cast<double>(hours.smallest_limit);
  const auto entry = hours.bandwidth.At(*minute);
  if (!entry) return std::nullopt;
  const auto limit = static_cast<double>(hours.limits[*entry].bytes_per_second);
  return std::max(limit / std::max(1, told_.at(hours.name).clock.workers), kBytesPerSecondMin);
}

std::string TaskHours::Closed(const std::string& task) {
  const auto known = tasks_.find(task);
  if (known == tasks_.end() || !known->second->window) return {};
  const Hours& hours = *known->second;
  std::optional<int> minute;
  {
    const MutexLock lock(mutex_);
    minute = MinuteOf(task, clock_.SteadyNow());
  }
  if (!minute) return "the database has not said yet what time it is";
  if (hours.window->At(*minute)) return {};
  const int opens = (*minute + hours.window->MinutesToChange(*minute).value_or(0)) % kWeekMinutes;
  const int day = opens / kDayMinutes;
  return fmt::format("outside its window until {}{:02}:{:02} ({})",
                     day == *minute / kDayMinutes
                         ? ""
                         : fmt::format("{} ", kDays.at(static_cast<std::size_t>(day))),
                     opens % kDayMinutes / 60, opens % 60, hours.zone);
}

double TaskHours::WiderNow(Hours& hours) {
  const SteadyTime now = clock_.SteadyNow();
  const bool spare = hours.bucket->HasSpare(now);  // which asks for the rate, and takes the lock
  const MutexLock lock(mutex_);
  const auto since = now - hours.widened_at;
  if (since < kWiderEvery) return hours.wider;
  hours.widened_at = now;
  const double next = spare ? hours.wider * kWiderStep : hours.wider / kWiderStep;
  hours.wider = since > kForgottenAfter ? 1 : std::clamp(next, 1.0, kWiderMax);
  return hours.wider;
}

std::uint64_t TaskHours::BodyBytesMax(const std::string& task) {
  const auto known = tasks_.find(task);
  if (known == tasks_.end() || known->second->limits.empty()) return TaskLimits::BodyBytesMax(task);
  const auto rate = RateOf(*known->second, clock_.SteadyNow());
  if (!rate) return TaskLimits::BodyBytesMax(task);
  return static_cast<std::uint64_t>(*rate * kBodiesSeconds * WiderNow(*known->second));
}

}  // namespace ferry
