#include "exporter/shared_scrapes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/hand_clock.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;
using Answer = std::shared_ptr<const Scrape>;

constexpr auto kLong = 60s;

std::string TextOf(const Answer& answer) {
  return answer == nullptr ? "none" : answer->page->bytes();
}

// Lets as many through as it was told to, now or later.
class Gate {
 public:
  void Let(int count) {
    const std::lock_guard lock(mutex_);
    left_ += count;
    more_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return left_ > 0; });
    --left_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  int left_ = 0;
};

// Reads that begin when somebody waits, and end when the test lets them: "read 1", "read 2", ...
class SharedScrapesTest : public testing::Test {
 protected:
  ~SharedScrapesTest() override { Let(100); }

  Scrape Read() {
    const int number = ++reads_;
    begun_.Let(1);
    go_.Pass();
    return {.page = MakeBody("read " + std::to_string(number))};
  }
  std::future<Answer> Ask(std::chrono::milliseconds budget = kLong) {
    return std::async(std::launch::async, [this, budget] { return scrapes_.Get(budget); });
  }
  void AwaitBegun() { begun_.Pass(); }
  void AwaitWaiting(int count) {
    while (scrapes_.Waiting() < count) std::this_thread::yield();
  }
  void Let(int reads) { go_.Let(reads); }

  test::HandMovedClock clock_;
  std::stop_source stop_;
  std::atomic<int> reads_ = 0;
  Gate begun_;
  Gate go_;
  SharedScrapes scrapes_{clock_, [this](std::chrono::milliseconds) { return Read(); },
                         stop_.get_token()};
};

TEST_F(SharedScrapesTest, AScrapeThatComesDuringAReadGetsTheNextOne) {
  auto first = Ask();
  AwaitBegun();
  auto second = Ask();
  AwaitWaiting(1);
  Let(1);
  EXPECT_EQ(TextOf(first.get()), "read 1");
  AwaitBegun();
  Let(1);
  EXPECT_EQ(TextOf(second.get()), "read 2");
}

TEST_F(SharedScrapesTest, FiftyAtOnceAreTwoReads) {
  std::vector<std::future<Answer>> answers;
  answers.push_back(Ask());
  AwaitBegun();
  for (int i = 1; i < 50; ++i) answers.push_back(Ask());
  AwaitWaiting(49);
  Let(2);
  EXPECT_EQ(TextOf(answers.front().get()), "read 1");
  for (int i = 1; i < 50; ++i)
    EXPECT_EQ(TextOf(answers[static_cast<std::size_t>(i)].get()), "read 2");
  EXPECT_EQ(reads_, 2);
}

TEST_F(SharedScrapesTest, AReadThatTakesLongHoldsNobodyUp) {
  auto first = Ask();
  AwaitBegun();
  auto second = Ask();
  AwaitWaiting(1);
  clock_.Advance(SharedScrapes::kPatience);
  auto third = Ask();  // whoever comes makes the others look at the clock
  AwaitBegun();
  auto fourth = Ask();
  AwaitWaiting(1);
  clock_.Advance(SharedScrapes::kPatience);
  EXPECT_EQ(reads_, 2) << "there are never more than two at a time";
  Let(4);
  EXPECT_EQ(TextOf(first.get()), "read 1");
  EXPECT_EQ(TextOf(second.get()), "read 2");
  EXPECT_NE(TextOf(third.get()), "read 1");
  EXPECT_GE(TextOf(fourth.get()), "read 3");
}

TEST_F(SharedScrapesTest, NobodyWaitsLongerThanHisOwnTime) {
  auto patient = Ask();
  AwaitBegun();
  auto hasty = Ask(10s);
  AwaitWaiting(1);
  clock_.Advance(10s + 250ms);
  auto other = Ask();  // whoever comes makes the others look at the clock
  EXPECT_EQ(TextOf(hasty.get()), "none");
  Let(2);
  EXPECT_EQ(TextOf(patient.get()), "read 1");
  EXPECT_EQ(TextOf(other.get()), "read 2");
}

TEST_F(SharedScrapesTest, AStopEndsWaiting) {
  auto first = Ask();
  AwaitBegun();
  auto second = Ask();
  AwaitWaiting(1);
  stop_.request_stop();
  EXPECT_EQ(TextOf(first.get()), "none");
  EXPECT_EQ(TextOf(second.get()), "none");
}

TEST(SharedScrapes, GiveAReadTheTimeOfTheMostPatient) {
  const test::HandMovedClock clock;
  std::atomic<std::int64_t> budget_ms = 0;
  SharedScrapes scrapes(clock,
                        [&](std::chrono::milliseconds budget) {
                          budget_ms = budget.count();
                          return Scrape{.page = MakeBody("page")};
                        },
                        {});
  EXPECT_EQ(TextOf(scrapes.Get(9500ms)), "page");
  EXPECT_EQ(budget_ms, 9500);
}

TEST(SharedScrapes, OutliveAReadThatThrows) {
  const test::HandMovedClock clock;
  std::atomic<int> reads = 0;
  SharedScrapes scrapes(clock,
                        [&](std::chrono::milliseconds) -> Scrape {
                          if (++reads == 1) throw std::runtime_error("out of memory, say");
                          return {.page = MakeBody("page")};
                        },
                        {});
  EXPECT_EQ(TextOf(scrapes.Get(1s)), "none");
  EXPECT_EQ(TextOf(scrapes.Get(1s)), "page");
}

}  // namespace
}  // namespace ferry::exporter
