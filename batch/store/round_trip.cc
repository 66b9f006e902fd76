#include "batch/store/round_trip.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace ferry {

std::optional<std::chrono::microseconds> RoundTrip(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::chrono::microseconds(0);
  if (info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_CLOSE) return std::nullopt;
  return std::chrono::microseconds(info.tcpi_rtt);
}

}  // namespace ferry
