#include "exporter/stop_signal.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "batch/base/check.h"

namespace ferry::exporter {
namespace {

int g_arrived = -1;  // set once, before the handlers are

extern "C" void OnStopSignal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  const ssize_t written = write(g_arrived, &one, sizeof(one));
  static_cast<void>(written);  // it fails only when it was written often enough
  errno = saved;
}

}  // namespace

StopSignal::StopSignal() {
  FERRY_CHECK(g_arrived < 0);
  g_arrived = eventfd(0, EFD_CLOEXEC);
  FERRY_CHECK(g_arrived >= 0);
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

void StopSignal::Wait() const {
  std::uint64_t count = 0;
  while (read(g_arrived, &count, sizeof(count)) < 0 && errno == EINTR) {
  }
}

}  // namespace ferry::exporter
