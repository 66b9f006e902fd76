#include "batch/store/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using test::KindOf;

class EventLoopTest : public testing::Test {
 protected:
  Task<bool> Nap(milliseconds delay) { co_return co_await runner_.loop().Sleep(delay); }

  test::LoopRunner runner_;
};

TEST_F(EventLoopTest, PostedWorkRunsInOrderOnTheLoopsThread) {
  std::vector<int> order;
  std::promise<std::thread::id> last;
  for (int i = 0; i < 100; ++i) runner_.loop().Post([&order, i] { order.push_back(i); });
  runner_.loop().Post([&] { last.set_value(std::this_thread::get_id()); });
  EXPECT_NE(last.get_future().get(), std::this_thread::get_id());
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(EventLoopTest, WorkFromManyThreadsAllRuns) {
  std::atomic<int> ran = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) runner_.loop().Post([&] { ran += 1; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  runner_.Await([&] { return Nap(milliseconds(0)); });
  EXPECT_EQ(ran, 2000);
}

TEST_F(EventLoopTest, ATaskHandsItsValueOrItsErrorOver) {
  const auto value = [&]() -> Task<int> {
    co_await runner_.loop().Sleep(milliseconds(1));
    co_return 7;
  };
  const auto failure = [&]() -> Task<int> {
    co_await runner_.loop().Sleep(milliseconds(1));
    throw Error(ErrorKind::kDenied, "no");
  };
  EXPECT_EQ(runner_.Await(value), 7);
  EXPECT_EQ(KindOf([&] { runner_.Await(failure); }), "denied");
}

TEST_F(EventLoopTest, SleepersWakeInTheOrderOfTheirTimesAndNotBefore) {
  std::vector<int> order;
  const SteadyTime began = runner_.clock().SteadyNow();
  const auto sleeper = [&](int number, int ms) -> Task<Unit> {
    co_await runner_.loop().Sleep(milliseconds(ms));
    order.push_back(number);
    co_return Unit{};
  };
  auto slow = runner_.Start([&] { return sleeper(2, 60); });
  auto fast = runner_.Start([&] { return sleeper(1, 20); });
  slow.get();
  fast.get();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_GE(runner_.clock().SteadyNow() - began, milliseconds(60));
}

TEST_F(EventLoopTest, StopWakesSleepersEarlyAndSaysSo) {
  auto sleeping = runner_.Start([&] { return Nap(milliseconds(3'600'000)); });
  runner_.Await([&] { return Nap(milliseconds(5)); });
  runner_.Stop();
  EXPECT_FALSE(sleeping.get());
}

TEST_F(EventLoopTest, WhatSleepsAgainWhileStoppingStillEnds) {
  const auto stubborn = [&]() -> Task<int> {
    int interrupted = 0;
    for (int i = 0; i < 5; ++i) {
      const bool slept = co_await runner_.loop().Sleep(milliseconds(3'600'000));
      interrupted += slept ? 0 : 1;
    }
    co_return interrupted;
  };
  auto future = runner_.Start(stubborn);
  runner_.Await([&] { return Nap(milliseconds(5)); });
  runner_.Stop();
  EXPECT_EQ(future.get(), 5);
}

TEST_F(EventLoopTest, WorkPostedBeforeTheStopIsNotLost) {
  std::atomic<int> ran = 0;
  for (int i = 0; i < 50; ++i) runner_.loop().Post([&] { ran += 1; });
  runner_.loop().Post([&] { runner_.loop().Post([&] { ran += 1; }); });
  runner_.Stop();
  EXPECT_EQ(ran, 51);
}

}  // namespace
}  // namespace ferry
