// Signals: SIGTERM and SIGINT as a stop request.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

namespace ferry {

// A second one ends the program at once with kExitStopped: everything recorded stays, and the next
// run goes on from there. SIGUSR1 and SIGPIPE do nothing. Made before any other thread, which then
// leaves these signals alone; one a process.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void Wait();

  sigset_t set_{};
  std::stop_source source_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace ferry
