#include "bench/wan/bottleneck.h"

#include <algorithm>
#include <cmath>

namespace ferry::bench {

Bottleneck::Bottleneck(const LinkOptions& options)
    : options_(options),
      nanoseconds_a_byte_(8e9 / static_cast<double>(options.bits_per_second)),
      random_(options.seed) {}

std::optional<Nanoseconds> Bottleneck::Pass(Nanoseconds now, std::size_t bytes) {
  if (Loses()) {
    ++counts_.lost;
    return std::nullopt;
  }
  const auto size = static_cast<double>(bytes);
  if (BacklogBytes(now) + size > static_cast<double>(options_.queue_bytes)) {
    ++counts_.dropped;
    return std::nullopt;
  }
  ++counts_.packets;
  counts_.bytes += bytes;
  free_at_ns_ =
      std::max(free_at_ns_, static_cast<double>(now.count())) + size * nanoseconds_a_byte_;
  return Nanoseconds(std::llround(free_at_ns_)) + options_.delay;
}

// splitmix64: a generator of one addition and two multiplications, good enough for a coin.
bool Bottleneck::Loses() {
  random_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1p-53 < options_.loss;
}

double Bottleneck::BacklogBytes(Nanoseconds now) const {
  return std::max(0.0, free_at_ns_ - static_cast<double>(now.count())) / nanoseconds_a_byte_;
}

}  // namespace ferry::bench
