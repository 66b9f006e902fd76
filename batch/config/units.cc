#include "batch/config/units.h"

#include <charconv>
#include <span>

namespace ferry {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Ascending: Show takes the last that divides.
constexpr Unit kSizeUnits[] = {
    {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}};
constexpr Unit kTimeUnits[] = {{"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr std::uint64_t kDurationMsMax = 36'500ULL * 86'400'000;

std::optional<std::uint64_t> Parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > UINT64_MAX / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string Show(std::uint64_t amount, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0) best = &unit;
  }
  return std::to_string(amount / best->factor).append(best->name);
}

}  // namespace

std::optional<std::uint64_t> ParseSize(std::string_view text) { return Parse(text, kSizeUnits); }

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  const auto amount = Parse(text, kTimeUnits);
  if (!amount || *amount > kDurationMsMax) return std::nullopt;
  return std::chrono::milliseconds(*amount);
}

std::string ShowSize(std::uint64_t bytes) { return Show(bytes, kSizeUnits); }

std::string ShowDuration(std::chrono::milliseconds duration) {
  return Show(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}

}  // namespace ferry
