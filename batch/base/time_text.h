// Moments as others write them. All are read as Unix milliseconds, decimals rounded down; nullopt
// for anything else, also for the 31st of February.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ferry {

// "2009-10-12T17:50:30.000Z" or "2009-10-12T19:50:30+02:00", with 0 to 9 decimals.
std::optional<std::int64_t> ParseRfc3339(std::string_view text);

// The same, in UTC: what ends in Z.
std::optional<std::int64_t> ParseIso8601(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, IMF-fixdate).
std::optional<std::int64_t> ParseHttpDate(std::string_view text);

}  // namespace ferry
