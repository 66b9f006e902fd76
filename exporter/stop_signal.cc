#include "exporter/stop_signal.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "batch/base/check.h"

namespace ferry::exporter {
namespace {

// One counter for all: each has 20 bits, and no process gets a million signals between two reads.
constexpr int kBits = 20;
constexpr std::uint64_t kTermination = 1;
constexpr std::uint64_t kInterrupt = kTermination << kBits;
constexpr std::uint64_t kWake = kInterrupt << kBits;

int g_arrived = -1;  // set once, before the handlers are

void Add(std::uint64_t what) {
  const ssize_t written = write(g_arrived, &what, sizeof(what));
  static_cast<void>(written);  // it fails only when it was written often enough
}

extern "C" void OnStopSignal(int number) {
  const int saved = errno;
  Add(number == SIGINT ? kInterrupt : kTermination);
  errno = saved;
}

int Count(std::uint64_t sum, std::uint64_t what) {
  return static_cast<int>((sum / what) % (std::uint64_t{1} << kBits));
}

}  // namespace

StopSignal::StopSignal() {
  FERRY_CHECK(g_arrived < 0);
  g_arrived = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  FERRY_CHECK(g_arrived >= 0);
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

StopSignal::Arrived StopSignal::Wait(std::optional<std::chrono::milliseconds> patience) const {
  const auto longest = static_cast<std::chrono::milliseconds::rep>(INT_MAX);
  const int timeout = patience ? static_cast<int>(std::min(patience->count(), longest)) : -1;
  pollfd arrived{g_arrived, POLLIN, 0};
  poll(&arrived, 1, timeout);  // may end early: the caller looks again anyway
  std::uint64_t sum = 0;
  if (read(g_arrived, &sum, sizeof(sum)) < 0) return {};
  return {.terminations = Count(sum, kTermination), .interrupts = Count(sum, kInterrupt)};
}

void StopSignal::Wake() { Add(kWake); }

}  // namespace ferry::exporter
