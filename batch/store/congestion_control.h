// CongestionControl: how the kernel paces what this process sends on a long way.
//
// A loss-based algorithm (cubic, the usual default) takes every lost packet for a full link: on a
// way of 200 ms that loses one packet in 200 it sends about 1 Mbit/s a connection (Mathis et al.,
// "The macroscopic behavior of the TCP congestion avoidance algorithm", 1997). BBR measures the
// bandwidth instead. On a short way it only costs timers, so connections there are left as they
// are. The algorithm is chosen a socket (tcp(7), TCP_CONGESTION): the host stays as it is.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "batch/store/round_trip.h"

namespace ferry {

inline constexpr std::string_view kPreferredCongestionControl = "bbr";

// Why this process may not use an algorithm, as a text for people; nullopt: it may.
std::optional<std::string> WhyNoCongestionControl(const std::string& algorithm);

// Thread-safe; shared by all loops.
class CongestionControl {
 public:
  // Connections with a shorter round trip are left alone. An empty name: the host's own,
  // everywhere.
  explicit CongestionControl(std::string algorithm, std::chrono::microseconds long_way = kLongWay)
      : algorithm_(std::move(algorithm)), long_way_(long_way) {}

  // For a TCP socket, once: false, not connected yet, to be asked again. Where the kernel refuses,
  // the connection goes on as it is, and the log says so once.
  bool Apply(int socket);

 private:
  const std::string algorithm_;
  const std::chrono::microseconds long_way_;
  std::atomic<bool> refused_ = false;
};

}  // namespace ferry
