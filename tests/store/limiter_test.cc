// How many requests a Limiter lets through, and how it learns that from answers.
#include "batch/store/limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <optional>

#include "batch/store/s3_values.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Its time is what a test says.
class HandClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return now; }
  WallTime WallNow() const override { return {}; }
  bool SleepFor(milliseconds, std::stop_token) override { return true; }

  SteadyTime now{seconds(1000)};
};

constexpr int kCeiling = 48;

// Answers come in waves: all that may be under way is sent, and answered a moment later.
class LimiterTest : public testing::Test {
 protected:
  using Answer = std::function<void(int number, Limiter::Slot& slot)>;

  // Sends all that fits, and answers them one after another, 10 ms later. Returns how many.
  int Wave(const Answer& answer) {
    std::deque<Limiter::Slot> slots;
    while (limiter_.TryTake(clock_.now)) slots.emplace_back(limiter_, clock_);
    const int sent = static_cast<int>(slots.size());
    clock_.now += milliseconds(10);
    for (int number = 0; !slots.empty(); ++number) {
      answer(number, slots.front());
      slots.pop_front();
    }
    return sent;
  }
  void PassPause() { clock_.now += limiter_.level(clock_.now).pause; }
  int Max() const { return limiter_.level(clock_.now).requests_max; }

  static void Fine(int, Limiter::Slot& slot) { slot.Answered(); }
  static void SlowDown(int, Limiter::Slot& slot) { slot.Overloaded(milliseconds(0)); }

  HandClock clock_;
  Limiter limiter_{{"https://store", "bucket", "source"}, kCeiling};
};

TEST_F(LimiterTest, LetsAsMuchThroughAsItsCeilingWhileNothingThrottles) {
  for (int wave = 0; wave < 3; ++wave) EXPECT_EQ(Wave(Fine), kCeiling);
  EXPECT_EQ(limiter_.level(clock_.now).decreases, 0);
}

TEST_F(LimiterTest, ManyRefusalsOfOneBurstCountOnce) {
  EXPECT_EQ(Wave(SlowDown), kCeiling);
  EXPECT_EQ(limiter_.level(clock_.now).decreases, 1);
  EXPECT_EQ(Max(), 33);  // 48 * 0.7
}

TEST_F(LimiterTest, ANewBurstThatIsRefusedCountsAgainDownToOneRequestAtATime) {
  for (int wave = 1; wave <= 30; ++wave) {
    PassPause();
    EXPECT_GE(Wave(SlowDown), 1);
    EXPECT_EQ(limiter_.level(clock_.now).decreases, wave);
  }
  PassPause();
  EXPECT_EQ(Wave(Fine), 1);
}

TEST_F(LimiterTest, PausesGrowWhileNothingIsAnsweredAndAreBounded) {
  milliseconds last{0};
  for (int wave = 1; wave <= 12; ++wave) {
    PassPause();
    Wave(SlowDown);
    const milliseconds pause = limiter_.level(clock_.now).pause;
    EXPECT_TRUE(pause > last || pause == Limiter::kPauseMax) << pause.count();
    EXPECT_LE(pause, Limiter::kPauseMax);
    last = pause;
  }
  EXPECT_EQ(last, Limiter::kPauseMax);
  PassPause();
  Wave(Fine);
  Wave(SlowDown);
  EXPECT_EQ(limiter_.level(clock_.now).pause, Limiter::kPauseFirst);
}

TEST_F(LimiterTest, NothingIsSentBeforeRetryAfterIsOver) {
  Wave([](int, Limiter::Slot& slot) { slot.Overloaded(seconds(20)); });
  clock_.now += seconds(19);
  EXPECT_FALSE(limiter_.TryTake(clock_.now));
  clock_.now += seconds(1);
  EXPECT_GT(Wave(Fine), 0);
}

TEST_F(LimiterTest, GrowsBackToItsCeilingSlowlyEnoughNotToBeRefusedEachMoment) {
  Wave(SlowDown);
  PassPause();
  const SteadyTime began = clock_.now;
  while (Max() < kCeiling && clock_.now - began < seconds(60)) Wave(Fine);
  EXPECT_EQ(Max(), kCeiling);
  const std::chrono::duration<double> took = clock_.now - began;
  EXPECT_GE(took.count() * Limiter::kGrowthPerSecond, kCeiling * (1 - Limiter::kDecrease) - 2);
}

TEST_F(LimiterTest, ALimitThatIsNotReachedIsNotRaised) {
  Wave(SlowDown);
  PassPause();
  const int before = Max();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(limiter_.TryTake(clock_.now));
    Limiter::Slot slot(limiter_, clock_);
    clock_.now += milliseconds(10);
    slot.Answered();
  }
  EXPECT_EQ(Max(), before);
}

TEST_F(LimiterTest, SettlesAroundWhatAStoreBears) {
  constexpr int kBears = 12;  // requests at a time; refuses what is beyond
  int sent = 0, refused = 0;
  for (int wave = 0; wave < 3000; ++wave) {
    PassPause();
    const int now = Wave([&](int number, Limiter::Slot& slot) {
      if (number < kBears) {
        slot.Answered();
      } else {
        slot.Overloaded(milliseconds(0));
        if (wave > 100) refused += 1;
      }
    });
    if (wave <= 100) continue;
    sent += now;
    EXPECT_LE(now, kBears + 1);
    EXPECT_GE(now, static_cast<int>(kBears * Limiter::kDecrease) - 1);
  }
  EXPECT_LT(refused * 100, sent);  // below one in a hundred
}

TEST_F(LimiterTest, WhatOtherWorkersMetBoundsItToo) {
  limiter_.Heed(5.9, milliseconds(300), clock_.now);
  EXPECT_FALSE(limiter_.TryTake(clock_.now));
  PassPause();
  EXPECT_EQ(Wave(Fine), 5);
  limiter_.Heed(0.2, milliseconds(0), clock_.now);
  EXPECT_EQ(Wave(Fine), 1);  // never none: somebody must find out when it is over
  limiter_.Heed(1e9, std::chrono::hours(10), clock_.now);
  EXPECT_LE(limiter_.level(clock_.now).pause, kRetryAfterMax);
  PassPause();
  EXPECT_EQ(Wave(Fine), kCeiling);
}

// Loops, as the threads of a process have them.
class LimiterOnLoopsTest : public testing::Test {
 protected:
  ~LimiterOnLoopsTest() override {
    one_.Stop();
    two_.Stop();
  }

  Task<Unit> Hold(test::LoopRunner& runner, std::optional<Limiter::Slot>& slot) {
    co_await limiter_.Take(runner.loop());
    slot.emplace(limiter_, runner.clock());
    co_return Unit{};
  }
  Task<Unit> Pass(test::LoopRunner& runner) {
    co_await limiter_.Take(runner.loop());
    const Limiter::Slot slot(limiter_, runner.clock());
    const int now = ++now_;
    if (now > most_) most_ = now;
    co_await runner.loop().Sleep(milliseconds(1));
    now_ -= 1;
    co_return Unit{};
  }

  test::LoopRunner one_, two_;
  std::atomic<int> now_ = 0, most_ = 0;
  Limiter limiter_{{"https://store", "bucket", "source"}, 1};
};

TEST_F(LimiterOnLoopsTest, OneSlotServesTheRequestsOfAllLoopsOneAtATime) {
  std::vector<std::future<Unit>> passes;
  for (int i = 0; i < 50; ++i) {
    passes.push_back(one_.Start([&] { return Pass(one_); }));
    passes.push_back(two_.Start([&] { return Pass(two_); }));
  }
  for (auto& pass : passes) pass.get();
  EXPECT_EQ(most_, 1);
}

TEST_F(LimiterOnLoopsTest, ALoopThatStopsLeavesTheQueueAndOthersGoOn) {
  std::optional<Limiter::Slot> held;
  one_.Await([&] { return Hold(one_, held); });
  auto stuck = two_.Start([&] { return Pass(two_); });
  auto next = one_.Start([&] { return Pass(one_); });
  two_.Stop();
  EXPECT_EQ(test::KindOf([&] { stuck.get(); }), "stopped");
  held.reset();
  next.get();
  EXPECT_EQ(most_, 1);
}

TEST_F(LimiterOnLoopsTest, AStopEndsAPauseAndGivesTheSlotBack) {
  limiter_.Heed(1, seconds(60), one_.clock().SteadyNow());
  auto paused = two_.Start([&] { return Pass(two_); });
  two_.Stop();
  EXPECT_EQ(test::KindOf([&] { paused.get(); }), "stopped");
  EXPECT_EQ(limiter_.level(one_.clock().SteadyNow() + seconds(61)).requests_max, 1);
  EXPECT_TRUE(limiter_.TryTake(one_.clock().SteadyNow() + seconds(61)));
}

}  // namespace
}  // namespace ferry
