#include "batch/store/congestion_control.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "batch/base/log.h"

namespace ferry {
namespace {

bool Choose(int socket, const std::string& algorithm) {
  return setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, algorithm.data(),
                    static_cast<socklen_t>(algorithm.size())) == 0;
}

// "reno cubic"
std::string Available() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::string names;
  std::getline(file, names);
  return names;
}

std::string Reason(const std::string& algorithm, int error) {
  switch (error) {
    case ENOENT:
      return "this kernel has no " + algorithm + ", but " + Available() +
             "; if it is a module of it: modprobe tcp_" + algorithm;
    case EPERM:
      return "this process may not use " + algorithm +
             ": add it to net.ipv4.tcp_allowed_congestion_control";
    default: return "the kernel refuses " + algorithm + ": " + std::strerror(error);
  }
}

}  // namespace

std::optional<std::string> WhyNoCongestionControl(const std::string& algorithm) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return std::string("no socket: ") + std::strerror(errno);
  std::optional<std::string> reason;
  if (!Choose(probe, algorithm)) reason = Reason(algorithm, errno);
  close(probe);
  return reason;
}

bool CongestionControl::Apply(int socket) {
  if (algorithm_.empty() || refused_) return true;
  const std::optional<std::chrono::microseconds> round_trip = RoundTrip(socket);
  if (!round_trip) return false;
  if (*round_trip < long_way_ || Choose(socket, algorithm_)) return true;
  const std::string reason = Reason(algorithm_, errno);
  if (refused_.exchange(true)) return true;
  log::Warn("what is sent on long lossy ways will be slow",
            {{"round_trip_ms", round_trip->count() / 1000}, {"why", reason}});
  return true;
}

}  // namespace ferry
