#include "batch/plan/timetable.h"

#include "batch/base/check.h"

namespace ferry {

Timetable::Timetable(const std::vector<WeekHours>& entries) : week_(kWeekMinutes, 0) {
  FERRY_CHECK(entries.size() <= kEntriesMax);
  for (std::size_t i = entries.size(); i-- > 0;) {  // the first is painted over all others
    const WeekHours& hours = entries[i];
    const int over_midnight = hours.to_minute <= hours.from_minute ? kDayMinutes : 0;
    for (int day = 0; day < 7; ++day) {
      if ((hours.days >> day & 1) == 0) continue;
      for (int m = hours.from_minute; m < hours.to_minute + over_midnight; ++m) {
        const int minute = (day * kDayMinutes + m) % kWeekMinutes;
        week_[static_cast<std::size_t>(minute)] = static_cast<std::uint8_t>(i + 1);
      }
    }
  }
}

std::optional<std::size_t> Timetable::At(int minute) const {
  const std::uint8_t painted = week_.at(static_cast<std::size_t>(minute));
  if (painted == 0) return std::nullopt;
  return painted - 1U;
}

std::optional<int> Timetable::MinutesToChange(int minute) const {
  const auto now = At(minute);
  for (int later = 1; later < kWeekMinutes; ++later) {
    if (At((minute + later) % kWeekMinutes) != now) return later;
  }
  return std::nullopt;
}

}  // namespace ferry
