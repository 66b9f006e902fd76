#include "batch/base/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "batch/base/error.h"

namespace ferry {
namespace {

// Runs what needs no loop to its end, or until it waits.
template <typename T>
struct Ran {
  explicit Ran(Task<T> task) {
    Detach(std::move(task), [this](std::optional<T> end, std::exception_ptr failure) {
      value = std::move(end);
      error = failure;
      done = true;
    });
  }
  std::optional<T> value;
  std::exception_ptr error;
  bool done = false;
};

Task<int> Value(int value) { co_return value; }
Task<int> Throw() {
  throw Error(ErrorKind::kDenied, "no");
  co_return 0;
}
Task<int> AfterEvent(Event& event, int value) {
  co_await event;
  co_return value;
}

TEST(Task, IsLazyAndHandsItsValueOn) {
  bool ran = false;
  const auto make = [&]() -> Task<int> {
    ran = true;
    co_return co_await Value(3) + co_await Value(4);
  };
  Task<int> task = make();
  EXPECT_FALSE(ran);
  Ran<int> run(std::move(task));
  EXPECT_EQ(run.value, 7);
}

TEST(Task, AnErrorGoesThroughEveryFrameToWhoAwaits) {
  const auto middle = []() -> Task<int> { co_return co_await Throw() + 1; };
  const auto outer = [&]() -> Task<std::string> {
    try {
      co_await middle();
    } catch (const Error& error) {
      co_return std::string(error.what());
    }
    co_return "nothing";
  };
  EXPECT_EQ(Ran<std::string>(outer()).value, "no");
}

TEST(Task, AThousandMayEndAtOnceInALoop) {
  const auto loop = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 1000; ++i) sum += co_await Value(1);
    co_return sum;
  };
  EXPECT_EQ(Ran<int>(loop()).value, 1000);
}

TEST(Task, ValuesMayBeMovableOnly) {
  const auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  Ran<std::unique_ptr<int>> run(make());
  EXPECT_EQ(**run.value, 5);
}

TEST(Task, OneThatIsNeverAwaitedFreesWhatItHolds) {
  auto held = std::make_shared<int>(1);
  {
    const auto make = [](std::shared_ptr<int> kept) -> Task<int> { co_return *kept; };
    const Task<int> unused = make(held);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Event, ResumesItsWaiterOnceAndLetsLaterOnesPass) {
  Event event;
  Ran<int> waiting(AfterEvent(event, 1));
  EXPECT_FALSE(waiting.done);
  event.Set();
  EXPECT_EQ(waiting.value, 1);
  event.Set();
  EXPECT_EQ(Ran<int>(AfterEvent(event, 2)).value, 2);
}

TEST(Event, AnAwaitedReferenceIsTheEventItself) {
  Started<int>* started = nullptr;
  Event event;
  const auto make = [&]() -> Task<int> {
    Started<int> inner(AfterEvent(event, 9));
    started = &inner;
    co_await inner.End();
    co_return inner.Take();
  };
  Ran<int> run(make());
  EXPECT_FALSE(run.done);
  event.Set();
  EXPECT_EQ(run.value, 9);
}

TEST(Started, RunsAtOnceBesideWhoStartedIt) {
  Event first, second;
  std::vector<std::string> log;
  const auto make = [&]() -> Task<int> {
    Started<int> a(AfterEvent(first, 1));
    Started<int> b(AfterEvent(second, 2));
    log.push_back("both run");
    co_await b.End();
    log.push_back(a.Done() ? "a done" : "a waits");
    co_await a.End();
    co_return a.Take() + b.Take();
  };
  Ran<int> run(make());
  second.Set();
  first.Set();
  EXPECT_EQ(run.value, 3);
  EXPECT_EQ(log, (std::vector<std::string>{"both run", "a waits"}));
}

TEST(Started, KeepsItsErrorUntilItIsTaken) {
  const auto make = []() -> Task<int> {
    Started<int> failing(Throw());
    co_await failing.End();
    co_return failing.Take();
  };
  Ran<int> run(make());
  EXPECT_TRUE(run.done);
  EXPECT_THROW(std::rethrow_exception(run.error), Error);
}

TEST(Error, EveryKindHasANameAndTwoAreWorthATry) {
  int retryable = 0;
  for (int i = 0; i <= static_cast<int>(ErrorKind::kStopped); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    EXPECT_NE(ToString(kind), "unknown") << i;
    retryable += IsRetryable(kind) ? 1 : 0;
  }
  EXPECT_EQ(retryable, 2);
  EXPECT_TRUE(IsRetryable(ErrorKind::kThrottled));
  EXPECT_TRUE(IsRetryable(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace ferry
