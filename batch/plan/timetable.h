// Timetable: which of several entries applies at which minute of the week.
//
// It knows no time zone and no date: whoever asks says what the clock on the wall shows now. Where
// that clock jumps (summer time) minutes are left out or come twice, and nothing here is the wiser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "batch/base/week_hours.h"

namespace ferry {

class Timetable {
 public:
  static constexpr std::size_t kEntriesMax = 100;

  // Of entries that overlap the first applies. Hours that go over midnight belong to the day on
  // which they begin, and those of a Sunday end on Monday. REQUIRES: at most kEntriesMax.
  explicit Timetable(const std::vector<WeekHours>& entries);

  // The index of the entry that applies; nullopt: none does. `minute` is 0 on Monday at 00:00, and
  // less than kWeekMinutes.
  std::optional<std::size_t> At(int minute) const;

  // In how many minutes something else is true than at `minute`; nullopt: it is the same all week.
  std::optional<int> MinutesToChange(int minute) const;

 private:
  std::vector<std::uint8_t> week_;  // for each minute: the entry's index + 1, or 0
};

}  // namespace ferry
