#include "batch/app/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace ferry {
namespace {

// Signals are the process's: each in one of its own, which ends with 7 once a stop is requested.
[[noreturn]] void EndWhenStopped(std::initializer_list<int> numbers) {
  alarm(20);
  const Signals signals;
  for (const int number : numbers) {
    kill(getpid(), number);
    // Taken before the next one is sent: pending signals have no order.
    sigset_t pending;
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      sigpending(&pending);
    } while (sigismember(&pending, number) == 1);
  }
  while (!signals.token().stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  _exit(7);
}

TEST(SignalsDeathTest, TermIsAStopRequest) {
  EXPECT_EXIT(EndWhenStopped({SIGTERM}), testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, TermIsHeededAfterAUser1ThatSomebodySent) {
  EXPECT_EXIT(EndWhenStopped({SIGUSR1, SIGTERM}), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace ferry
