// Keys that are renewed before they end: when, by how many, and what happens while that fails.
#include "batch/credentials/fresh_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <set>

#include "tests/support/hand_clock.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;
using test::ErrorOf;
using testing::HasSubstr;

// What a test says, or the last of it again. Each fetch waits for its permission.
class ScriptedKeys final : public KeysSource {
 public:
  std::string Name() const override { return "script"; }
  AccessKeys Fetch(const std::stop_token& stop) override {
    const std::stop_callback wake(stop, [this] { changed_.notify_all(); });
    std::unique_lock lock(mutex_);
    begun_ += 1;
    changed_.notify_all();
    changed_.wait(lock, [&] { return permitted_ > 0 || stop.stop_requested(); });
    if (stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    permitted_ -= 1;
    if (!says_.empty()) {
      last_ = std::move(says_.front());
      says_.pop_front();
    }
    return last_();
  }
  bool IsRenewedElsewhere() const override { return elsewhere; }
  bool HasChanged() override { return changed.exchange(false); }

  void Say(std::function<AccessKeys()> what) {
    const std::lock_guard lock(mutex_);
    says_.push_back(std::move(what));
  }
  void Permit(int fetches) {
    const std::lock_guard lock(mutex_);
    permitted_ += fetches;
    changed_.notify_all();
  }
  // False: ten seconds were not enough.
  bool WaitUntilBegun(int fetches) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return begun_ >= fetches; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  std::atomic<bool> elsewhere{false};
  std::atomic<bool> changed{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<AccessKeys()>> says_;
  std::function<AccessKeys()> last_;
  int permitted_ = 0;
  int begun_ = 0;
};

class FreshCredentialsTest : public testing::Test {
 protected:
  FreshCredentialsTest() { Make(clock_, {}); }

  void Make(Clock& clock, FreshOptions options) {
    auto source = std::make_unique<ScriptedKeys>();
    source_ = source.get();
    fresh_ = std::make_unique<FreshCredentials>("store far", std::move(source), clock, options);
  }
  // Keys that end so long after they are fetched.
  void Say(const std::string& id, std::optional<std::chrono::milliseconds> life) {
    source_->Say([this, id, life] {
      AccessKeys keys{id, Secret("s"), Secret("t")};
      if (life) keys.expires_at_ms = NowMs() + life->count();
      return keys;
    });
  }
  void SayFailure(ErrorKind kind, const std::string& what) {
    source_->Say([kind, what]() -> AccessKeys { throw Error(kind, what); });
  }
  std::int64_t NowMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               clock_.WallNow().time_since_epoch())
        .count();
  }
  std::string Id() { return fresh_->Get()->access_key_id; }
  std::string Failure() {
    const auto error = ErrorOf([&] { fresh_->Get(); });
    return error ? std::string(ToString(error->kind())) + ": " + error->what() : "none";
  }
  // Asks again and again, for ten seconds at most.
  template <typename Condition>
  bool Until(Condition condition) {
    const SteadyTime end = real_.SteadyNow() + 10s;
    while (!condition()) {
      if (real_.SteadyNow() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // The first keys are there.
  void Begin(const std::string& id, std::optional<std::chrono::milliseconds> life) {
    Say(id, life);
    source_->Permit(1);
    ASSERT_EQ(Id(), id);
  }

  test::HandMovedClock clock_;
  SystemClock real_;
  ScriptedKeys* source_ = nullptr;
  std::unique_ptr<FreshCredentials> fresh_;
};

TEST_F(FreshCredentialsTest, TheFirstKeysAreWaitedForAndThenKept) {
  Say("one", 1h);
  auto first = std::async(std::launch::async, [&] { return Id(); });
  ASSERT_TRUE(source_->WaitUntilBegun(1));
  source_->Permit(1);
  EXPECT_EQ(first.get(), "one");
  clock_.Advance(48min);
  EXPECT_EQ(Id(), "one");
  EXPECT_EQ(source_->begun(), 1);
  EXPECT_EQ(fresh_->Explain().source, "script");
  EXPECT_EQ(fresh_->Explain().expires_at_ms, NowMs() + 720'000);
}

TEST_F(FreshCredentialsTest, NothingIsFetchedBeforeSomebodyAsksOrSaysThatItWillAsk) {
  EXPECT_EQ(fresh_->Explain().source, "script");
  EXPECT_EQ(source_->begun(), 0);
  fresh_->Prepare();
  ASSERT_TRUE(source_->WaitUntilBegun(1));
  fresh_->Prepare();
  Say("one", 1h);
  source_->Permit(1);
  EXPECT_EQ(Id(), "one");
  EXPECT_EQ(source_->begun(), 1);
}

TEST_F(FreshCredentialsTest, TenMinutesBeforeTheEndOthersAreFetchedAndNobodyWaits) {
  Begin("one", 1h);
  Say("two", 1h);
  clock_.Advance(50min + 1s);
  EXPECT_EQ(Id(), "one");
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  EXPECT_EQ(Id(), "one");  // while the others are on their way
  source_->Permit(1);
  EXPECT_TRUE(Until([&] { return Id() == "two"; }));
  clock_.Advance(48min);
  EXPECT_EQ(Id(), "two");
  EXPECT_EQ(source_->begun(), 2);
}

TEST_F(FreshCredentialsTest, KeysOfShortLifeAreRenewedAtHalfOfIt) {
  Begin("one", 4min);
  Say("two", 4min);
  clock_.Advance(1min + 40s);
  EXPECT_EQ(Id(), "one");
  EXPECT_EQ(source_->begun(), 1);
  clock_.Advance(21s);
  source_->Permit(1);
  EXPECT_TRUE(Until([&] { return Id() == "two"; }));
}

TEST_F(FreshCredentialsTest, WhereTheSameKeysComeAgainTheyAreAskedForAMinuteLater) {
  AccessKeys same{"one", Secret("s"), Secret()};
  same.expires_at_ms = NowMs() + 3'600'000;
  source_->Say([same] { return same; });
  source_->Permit(2);
  EXPECT_EQ(Id(), "one");
  clock_.Advance(51min);
  Id();
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  Say("two", 6h);
  ASSERT_TRUE(Until([&] {  // the second fetch is over once the third can become due
    clock_.Advance(1s);
    Id();
    return source_->begun() == 3;
  }));
  EXPECT_LE(NowMs() - 1'000'000, (51 + 4) * 60'000);
  source_->Permit(1);
  EXPECT_TRUE(Until([&] { return Id() == "two"; }));
}

TEST_F(FreshCredentialsTest, KeysThatSayNoEndAreFetchedAnewEachHour) {
  Begin("one", std::nullopt);
  Say("two", std::nullopt);
  clock_.Advance(59min);
  EXPECT_EQ(Id(), "one");
  EXPECT_EQ(source_->begun(), 1);
  clock_.Advance(1min);
  source_->Permit(1);
  EXPECT_TRUE(Until([&] { return Id() == "two"; }));
}

TEST_F(FreshCredentialsTest, OldKeysAreUsedToTheirEndWhileOthersAreNotToBeHad) {
  Begin("one", 1h);
  SayFailure(ErrorKind::kUnavailable, "STS: HTTP 500");
  source_->Permit(1000);
  clock_.Advance(51min);
  EXPECT_EQ(Id(), "one");
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  ASSERT_TRUE(Until([&] {  // it is tried again meanwhile
    if (NowMs() < 1'000'000 + 58 * 60'000) clock_.Advance(1ms);
    return Id() == "one" && source_->begun() >= 3;
  }));
  while (NowMs() < 1'000'000 + 3'599'000) clock_.Advance(100ms);
  EXPECT_EQ(Id(), "one");
  clock_.Advance(1s);
  ASSERT_TRUE(Until([&] {
    clock_.Advance(2min);
    return Failure() == "unavailable: store far: STS: HTTP 500; the last keys have ended";
  }));
  Say("two", 1h);
  EXPECT_TRUE(Until([&] {
    clock_.Advance(2min);
    return Failure() == "none";
  }));
  EXPECT_EQ(Id(), "two");
}

TEST_F(FreshCredentialsTest, ThirtyTwoThreadsHaveThemFetchedOnce) {
  Say("one", 1h);
  const auto all_get = [&](const std::string& id) {
    std::vector<std::future<std::string>> threads;
    for (int i = 0; i < 32; ++i) {
      threads.push_back(std::async(std::launch::async, [&] { return Id(); }));
    }
    for (auto& one : threads) EXPECT_EQ(one.get(), id);
  };
  auto first = std::async(std::launch::async, [&] { all_get("one"); });
  ASSERT_TRUE(source_->WaitUntilBegun(1));
  source_->Permit(1);
  first.get();
  EXPECT_EQ(source_->begun(), 1);
  Say("two", 1h);
  clock_.Advance(51min);
  all_get("one");
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  all_get("one");
  source_->Permit(1);
  ASSERT_TRUE(Until([&] { return Id() == "two"; }));
  all_get("two");
  EXPECT_EQ(source_->begun(), 2);
}

TEST_F(FreshCredentialsTest, KeysThatAStoreRefusesAreFetchedAnewOnce) {
  Begin("one", 1h);
  Say("two", 1h);
  EXPECT_TRUE(fresh_->Refused());
  EXPECT_TRUE(fresh_->Refused());  // by another request
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  EXPECT_EQ(Id(), "one");
  source_->Permit(1);
  ASSERT_TRUE(Until([&] { return Id() == "two"; }));
  EXPECT_EQ(source_->begun(), 2);
}

TEST_F(FreshCredentialsTest, TheSameKeysThatAreRefusedAgainAreRefusedForGood) {
  AccessKeys same{"one", Secret("s"), Secret()};
  same.expires_at_ms = NowMs() + 3'600'000;
  source_->Say([same] { return same; });
  source_->Permit(2);
  Id();
  EXPECT_TRUE(fresh_->Refused());
  EXPECT_TRUE(Until([&] { return !fresh_->Refused(); }));
  EXPECT_EQ(source_->begun(), 2);
  EXPECT_EQ(Id(), "one");  // it is the store's to say why
  clock_.Advance(1min);
  EXPECT_TRUE(fresh_->Refused());
}

TEST_F(FreshCredentialsTest, RefusedKeysWithoutOthersAreNotUsedAgain) {
  Begin("one", 1h);
  SayFailure(ErrorKind::kCredentials, "STS: HTTP 403: AccessDenied");
  source_->Permit(3);
  EXPECT_TRUE(fresh_->Refused());
  // The first failures may be a file that is half written.
  EXPECT_TRUE(Until([&] {
    clock_.Advance(2s);
    return Failure().starts_with("credentials");
  }));
  EXPECT_EQ(Failure(),
            "credentials: store far: STS: HTTP 403: AccessDenied; the last keys were refused by "
            "the store");
}

TEST_F(FreshCredentialsTest, KeysThatThePlatformStandsByAfterARefusalAreUsedUntilTheyEnd) {
  Begin("one", std::chrono::hours(24 * 365));  // longer than this test makes of the clock
  source_->Permit(1);
  EXPECT_TRUE(fresh_->Refused());
  ASSERT_TRUE(source_->WaitUntilBegun(2));
  SayFailure(ErrorKind::kCredentials, "IMDS: no answer");
  source_->Permit(3);
  std::set<std::string> told;
  ASSERT_TRUE(Until([&] {
    clock_.Advance(30s);
    told.insert(Failure());
    return source_->begun() >= 5;
  }));
  EXPECT_EQ(told, std::set<std::string>{"none"});
}

TEST_F(FreshCredentialsTest, AnEndThatIsCenturiesAwayIsNone) {
  Begin("one", std::chrono::hours(24 * 365 * 8000));
  EXPECT_EQ(Failure(), "none");
  clock_.Advance(1h);
  EXPECT_EQ(Failure(), "none");
  EXPECT_EQ(source_->begun(), 1);
}

TEST_F(FreshCredentialsTest, AFirstFailureForGoodIsToldAtOnceAndTriedAgainLater) {
  SayFailure(ErrorKind::kCredentials, "file /k.json lacks access_key_id");
  source_->Permit(1);
  EXPECT_EQ(Failure(), "credentials: store far: file /k.json lacks access_key_id");
  EXPECT_FALSE(fresh_->Refused());
  Say("one", 1h);
  source_->Permit(1);
  EXPECT_TRUE(Until([&] {
    clock_.Advance(2s);
    return Failure() == "none";
  }));
}

TEST_F(FreshCredentialsTest, AFirstFailureThatMayPassIsTriedThreeTimes) {
  Make(real_, {.backoff = {1ms, 2ms}});
  SayFailure(ErrorKind::kThrottled, "STS: HTTP 429");
  source_->Permit(2);
  auto waiting = std::async(std::launch::async, [&] { return Failure(); });
  ASSERT_TRUE(source_->WaitUntilBegun(3));
  source_->Permit(1);
  EXPECT_EQ(waiting.get(), "throttled: store far: STS: HTTP 429");
}

TEST_F(FreshCredentialsTest, KeysThatHaveEndedAlreadyAreNoKeys) {
  Say("one", -1s);
  source_->Permit(1);
  EXPECT_EQ(
      Failure(),
      "credentials: store far: script: the keys ended already, at 1970-01-01 00:16:39Z: check "
      "this host's clock, and what renews them");
}

TEST_F(FreshCredentialsTest, WhatIsRenewedElsewhereIsReadWhenItChangesAndNotByItsEnd) {
  Make(real_, {.look_every = 1ms});
  source_->elsewhere = true;
  source_->Say([] {
    return AccessKeys{"one", Secret("s"), Secret(), /*expires_at_ms=*/1000};  // long ago
  });
  source_->Permit(1);
  EXPECT_EQ(Id(), "one");
  EXPECT_EQ(fresh_->Explain().expires_at_ms, 1000);
  Say("two", std::nullopt);
  source_->Permit(1);
  EXPECT_EQ(source_->begun(), 1);
  source_->changed = true;
  EXPECT_TRUE(Until([&] { return Id() == "two"; }));
  EXPECT_FALSE(fresh_->Refused());  // there are no others
  source_->changed = true;
  EXPECT_TRUE(source_->WaitUntilBegun(3));
}

TEST_F(FreshCredentialsTest, WhoeverWaitsIsLetGoAtTheEnd) {
  Say("one", 1h);
  auto waiting = std::async(std::launch::async, [&] { return Failure(); });
  ASSERT_TRUE(source_->WaitUntilBegun(1));
  // Nobody may ask an object that is being destroyed: it is the thread's fetch that is given up.
  source_->Permit(1);
  EXPECT_EQ(waiting.get(), "none");
  EXPECT_TRUE(fresh_->Refused());
  ASSERT_TRUE(source_->WaitUntilBegun(2));  // and gets no permission
  fresh_.reset();
}

}  // namespace
}  // namespace ferry
