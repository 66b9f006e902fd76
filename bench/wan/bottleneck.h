// What one direction of a long link does to packets: random loss, a queue of bounded length, a
// rate, and a delay, in this order. Computes times and touches neither clocks nor packets, so that
// it runs on virtual time as well. One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ferry::bench {

using Nanoseconds = std::chrono::nanoseconds;

struct LinkOptions {
  Nanoseconds delay{0};               // from one end to the other, >= 0
  double loss = 0;                    // the share of packets that vanish, from 0 to below 1
  std::uint64_t bits_per_second = 0;  // > 0, headers of IP and above included
  std::uint64_t queue_bytes = 0;      // what may wait for the rate; what comes then is dropped
  std::uint64_t seed = 0;             // the same seed loses the same packets
};

class Bottleneck {
 public:
  struct Counts {
    std::uint64_t packets = 0;  // that came through
    std::uint64_t bytes = 0;
    std::uint64_t lost = 0;     // at random
    std::uint64_t dropped = 0;  // for want of room in the queue
  };

  explicit Bottleneck(const LinkOptions& options);

  // When a packet that arrives at `now` comes out at the far end; nullopt: never. Packets come out
  // in the order in which they came in.
  // REQUIRES: `now` is not before that of the last call
  std::optional<Nanoseconds> Pass(Nanoseconds now, std::size_t bytes);

  const Counts& counts() const { return counts_; }

 private:
  bool Loses();
  double BacklogBytes(Nanoseconds now) const;

  const LinkOptions options_;
  const double nanoseconds_a_byte_;
  std::uint64_t random_;
  // When all that was accepted so far has been sent. A fraction of a nanosecond a packet would add
  // up to a wrong rate, so it is no whole number.
  double free_at_ns_ = 0;
  Counts counts_;
};

}  // namespace ferry::bench
