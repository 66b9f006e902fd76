// `timezone`, `bandwidth` and `window` of a task: when it may copy, and how fast.

#include <algorithm>
#include <array>
#include <charconv>

#include "batch/config/sections.h"
#include "batch/config/units.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kHoursEntriesMax = 100;
constexpr std::size_t kZoneBytesMax = 64;
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<std::size_t> FindDay(std::string_view name) {
  const auto found = std::find(kDays.begin(), kDays.end(), name);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

// "mon", or "fri-mon": over the end of the week.
std::uint8_t ReadDayRange(const Value& value) {
  const std::string text = value.Text();
  const std::size_t dash = text.find('-');
  const auto first = FindDay(text.substr(0, dash));
  const auto last = dash == std::string::npos ? first : FindDay(text.substr(dash + 1));
  if (!first || !last) {
    value.Fail(value.Shown() +
               " is neither a day (mon tue wed thu fri sat sun) nor a range of days (mon-fri)");
  }
  std::uint8_t days = 0;
  for (std::size_t day = *first;; day = (day + 1) % kDays.size()) {
    days = static_cast<std::uint8_t>(days | (1U << day));
    if (day == *last) return days;
  }
}

std::uint8_t ReadDays(const Value& value) {
  if (!value.IsList()) return ReadDayRange(value);
  std::uint8_t days = 0;
  for (const Value& one : value.List(kDays.size())) {
    days = static_cast<std::uint8_t>(days | ReadDayRange(one));
  }
  if (days == 0) value.Fail("is an empty list (leave it out for every day)");
  return days;
}

// "08:30" as minutes, at most 24:00.
std::optional<int> ParseMinute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto number = [&](std::size_t at) -> std::optional<int> {
    int two = 0;
    const char* const begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + 2, two);
    if (error != std::errc{} || end != begin + 2 || two < 0) return std::nullopt;
    return two;
  };
  const auto hour = number(0), minute = number(3);
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > kDayMinutes) return std::nullopt;
  return *hour * 60 + *minute;
}

void ReadClock(const Value& value, WeekHours& hours) {
  const std::string text = value.Text();
  const std::size_t dash = text.find('-');
  const auto from = ParseMinute(std::string_view(text).substr(0, dash));
  const auto to = dash == std::string::npos ? std::nullopt
                                            : ParseMinute(std::string_view(text).substr(dash + 1));
  if (!from || !to || *from == kDayMinutes || *to == 0) {
    value.Fail(value.Shown() +
               " is not hours such as \"08:00-19:00\" or \"22:00-06:00\"; the day ends at 24:00");
  }
  if (*from == *to) value.Fail(value.Shown() + " is no time at all; a whole day is 00:00-24:00");
  hours.from_minute = *from;
  hours.to_minute = *to;
}

WeekHours ReadWeekHours(const Map& keys) {
  WeekHours hours;
  if (const auto days = keys.Find("days")) hours.days = ReadDays(*days);
  if (const auto clock = keys.Find("hours")) ReadClock(*clock, hours);
  return hours;
}

std::uint64_t ReadLimit(const Value& value) {
  const std::string text = value.Text();
  if (text == "0" || ParseSize(text) == 0U) {
    value.Fail("0 would be no copying at all: say by `window` when it may run");
  }
  return value.Size({kBandwidthMin, kTiB});
}

std::vector<BandwidthLimit> ReadBandwidth(const Value& value) {
  if (!value.IsList()) return {{WeekHours{}, ReadLimit(value)}};
  std::vector<BandwidthLimit> limits;
  for (const Value& one : value.List(kHoursEntriesMax)) {
    if (!limits.empty() && limits.back().hours == WeekHours{}) {
      one.Fail("is never reached: the entry before it applies always");
    }
    const Map keys = one.Keys({"days", "hours", "limit"});
    limits.push_back({ReadWeekHours(keys), ReadLimit(keys.Need("limit"))});
  }
  if (limits.empty()) value.Fail("is an empty list (leave it out for no limit)");
  return limits;
}

std::vector<WeekHours> ReadWindow(const Value& value) {
  if (!value.IsList()) {
    WeekHours hours;
    ReadClock(value, hours);
    return {hours};
  }
  std::vector<WeekHours> window;
  for (const Value& one : value.List(kHoursEntriesMax)) {
    window.push_back(ReadWeekHours(one.Keys({"days", "hours"})));
  }
  if (window.empty()) value.Fail("is an empty list: nothing would ever be copied");
  return window;
}

}  // namespace

void ReadTaskHours(const Map& keys, TaskConfig& task) {
  if (const auto zone = keys.Find("timezone")) task.timezone = zone->Word(kZoneBytesMax, "/_+-");
  if (const auto bandwidth = keys.Find("bandwidth")) task.bandwidth = ReadBandwidth(*bandwidth);
  if (const auto window = keys.Find("window")) task.window = ReadWindow(*window);
}

}  // namespace ferry
