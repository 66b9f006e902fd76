// How many requests LimitedStore lets through at a time.
#include "batch/store/limited_store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;

// Requests that take a moment each, and how many of them were under way together.
class LimitedStoreTest : public testing::Test {
 protected:
  ~LimitedStoreTest() override { runner_.Stop(); }

  // Makes `count` requests at once and says how many were under way together.
  int MostAtOnce(int limit, int count) {
    most_ = 0;
    return runner_.Await([this, limit, count] { return Storm(limit, count); });
  }

 private:
  Task<int> Storm(int limit, int count) {
    Slots slots(runner_.loop(), limit);
    std::deque<Started<Unit>> requests;
    for (int i = 0; i < count; ++i) requests.emplace_back(Request(slots));
    for (auto& request : requests) co_await request.End();
    co_return most_;
  }

  Task<Unit> Request(Slots& slots) {
    co_await slots.Free();
    const Slots::Slot slot(slots);
    most_ = std::max(most_, ++now_);
    co_await runner_.loop().Sleep(2ms);
    now_ -= 1;
    co_return Unit{};
  }

  int now_ = 0;
  int most_ = 0;
  test::LoopRunner runner_;
};

TEST_F(LimitedStoreTest, NeverLetsMoreThroughThanItsLimit) {
  EXPECT_EQ(MostAtOnce(3, 20), 3);
  EXPECT_EQ(MostAtOnce(1, 5), 1);
}

TEST_F(LimitedStoreTest, LetsAllThroughBelowItsLimit) { EXPECT_EQ(MostAtOnce(8, 5), 5); }

}  // namespace
}  // namespace ferry
