// That bodies together flow at the rate and no faster, by a clock that a test moves.
#include "batch/store/token_bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace ferry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kPiece = 16 << 10;
constexpr double kMiB = 1 << 20;

class TokenBucketTest : public testing::Test {
 protected:
  // Bodies that all want to move pieces for so long, looking as often as they are told to.
  struct Body {
    std::optional<std::uint64_t> place;
    SteadyTime look{};
    std::uint64_t moved = 0;
  };
  // What they moved, together.
  std::uint64_t Flow(std::vector<Body>& bodies, milliseconds time, std::uint64_t piece = kPiece) {
    std::uint64_t moved = 0;
    for (const SteadyTime end = now_ + time; now_ < end; now_ += milliseconds(1)) {
      for (Body& body : bodies) moved += Move(body, piece);
    }
    return moved;
  }
  std::uint64_t Flow(milliseconds time) {
    std::vector<Body> bodies(1);
    return Flow(bodies, time);
  }
  double Within(milliseconds time) const {
    return rate_.value_or(0) * std::chrono::duration<double>(time).count();
  }

  std::optional<double> rate_ = 10 * kMiB;
  SteadyTime now_{std::chrono::hours(1000)};
  TokenBucket bucket_{[this](SteadyTime) { return rate_; }};

 private:
  std::uint64_t Move(Body& body, std::uint64_t piece) {
    std::uint64_t moved = 0;
    while (body.look <= now_) {
      if (!body.place) body.place = bucket_.TakePlace(piece, now_);
      const milliseconds wait = bucket_.Wait(*body.place, now_);
      EXPECT_LE(wait, TokenBucket::kLookAgain);
      if (wait.count() > 0) {
        body.look = now_ + wait;
        break;
      }
      body.place.reset();
      body.moved += piece;
      moved += piece;
      if (!rate_ && moved > 100 * kPiece) break;  // nothing holds it back
    }
    return moved;
  }
};

TEST_F(TokenBucketTest, BodiesTogetherFlowAtTheRateAndEachGetsItsShare) {
  std::vector<Body> bodies(7);
  const auto moved = static_cast<double>(Flow(bodies, seconds(20)));
  EXPECT_LE(moved, Within(seconds(20)) + kPiece);
  EXPECT_GE(moved, Within(seconds(20)) * 0.99);
  for (const Body& body : bodies) {
    EXPECT_NEAR(static_cast<double>(body.moved), moved / 7, 2 * kPiece);
  }
}

TEST_F(TokenBucketTest, AWholePieceMayBeLargerThanASecondOfTheRate) {
  rate_ = 1024;
  EXPECT_EQ(Flow(seconds(160)), 10 * kPiece);  // one in 16 s
}

TEST_F(TokenBucketTest, APauseSavesNoMoreThanAQuarterOfASecond) {
  Flow(seconds(1));
  now_ += std::chrono::hours(5);
  const auto moved = static_cast<double>(Flow(milliseconds(100)));
  EXPECT_LE(moved, Within(milliseconds(350)) + 2 * kPiece);
}

TEST_F(TokenBucketTest, AnotherRateHoldsAtOnceAlsoForThoseWhoWait) {
  rate_ = 1024;
  std::vector<Body> bodies(20);  // 320 s until the last one's turn
  Flow(bodies, seconds(1));
  rate_ = 10 * kMiB;
  EXPECT_GE(static_cast<double>(Flow(bodies, seconds(1))), Within(milliseconds(700)));
  rate_ = 1024;
  EXPECT_LE(Flow(bodies, seconds(8)), kPiece);
}

TEST_F(TokenBucketTest, WithoutALimitNothingWaits) {
  rate_.reset();
  EXPECT_GT(Flow(milliseconds(10)), 900 * kPiece);
  EXPECT_GT(bucket_.PieceBytes(now_), std::size_t{1} << 30);
  // And what flowed then is not owed.
  rate_ = 10 * kMiB;
  const auto moved = static_cast<double>(Flow(seconds(1)));
  EXPECT_GE(moved, Within(seconds(1)) * 0.95);
  EXPECT_LE(moved, Within(seconds(1)) + 2 * kPiece);
}

TEST_F(TokenBucketTest, AtALowRatePiecesAreSmallSoThatTheyComeOften) {
  rate_ = 64 * 1024;
  EXPECT_EQ(bucket_.PieceBytes(now_), kPiece);
  rate_ = 8 * 1024;
  EXPECT_EQ(bucket_.PieceBytes(now_), 2048U);
  rate_ = 1024;
  EXPECT_EQ(bucket_.PieceBytes(now_), 1024U);
}

TEST_F(TokenBucketTest, ManyThreadsTakeNoMoreThanOne) {
  std::atomic<std::int64_t> granted = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        const std::uint64_t place = bucket_.TakePlace(kPiece, now_);
        granted += bucket_.Wait(place, now_).count() == 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1);  // no time has passed
}

}  // namespace
}  // namespace ferry
