// Sizes and times as the configuration writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry {

// "16MiB": digits and one of B KiB MiB GiB TiB. nullopt for all else, also for what 64 bits cannot
// hold.
std::optional<std::uint64_t> ParseSize(std::string_view text);

// "90s": digits and one of s m h d; or "0". At most 36,500 days.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// The inverse, in the largest unit that divides: "16MiB", "90s".
std::string ShowSize(std::uint64_t bytes);
std::string ShowDuration(std::chrono::milliseconds duration);

}  // namespace ferry
