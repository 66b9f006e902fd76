// Hours that come back every week, as a clock on a wall shows them. Which wall, others say.
#pragma once

#include <cstdint>

namespace ferry {

inline constexpr int kDayMinutes = 24 * 60;
inline constexpr int kWeekMinutes = 7 * kDayMinutes;

struct WeekHours {
  static constexpr std::uint8_t kEveryDay = 0x7F;

  std::uint8_t days = kEveryDay;  // on which they begin; bit 0 is Monday
  int from_minute = 0;            // of the day, 0..1439
  int to_minute = kDayMinutes;    // 1..1440; of the day after where it is not after from_minute

  friend bool operator==(const WeekHours&, const WeekHours&) = default;
};

}  // namespace ferry
