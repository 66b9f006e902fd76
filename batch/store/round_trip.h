// RoundTrip: how far away the other end of a TCP connection is, as the kernel has measured it.
#pragma once

#include <chrono>
#include <optional>

namespace ferry {

// From here on a connection is on a long way: what is a round trip less, or a packet lost, matters.
inline constexpr std::chrono::microseconds kLongWay{3000};

// nullopt: not connected yet. 0 of what is no TCP socket.
std::optional<std::chrono::microseconds> RoundTrip(int socket);

}  // namespace ferry
