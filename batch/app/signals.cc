#include "batch/app/signals.h"

#include <pthread.h>
#include <unistd.h>

#include "batch/app/commands.h"

namespace ferry {

Signals::Signals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGUSR1);  // our own, to wake the waiting thread
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Wait(); });
}

Signals::~Signals() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void Signals::Wait() {
  while (true) {
    int number = 0;
    if (sigwait(&set_, &number) != 0 || ending_) return;
    if (number == SIGUSR1) continue;  // somebody else's
    if (source_.stop_requested()) _exit(kExitStopped);
    source_.request_stop();
  }
}

}  // namespace ferry
