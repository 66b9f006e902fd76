#include "batch/store/body.h"

#include <gtest/gtest.h>

#include <random>

namespace ferry {
namespace {

using Demand = BodySink::Demand;
using Supply = BodySource::Supply;

std::string PullAll(Ring& ring, std::size_t most) {
  std::string taken(most, '\0');
  const BodySource::Piece piece = ring.Pull(taken.data(), most);
  return taken.substr(0, piece.bytes);
}

class RingTest : public testing::Test {
 protected:
  std::string watched_;
  Ring ring_{10, [this](std::string_view bytes) { watched_ += bytes; }};
};

TEST_F(RingTest, BytesComeOutInTheOrderTheyWentIn) {
  EXPECT_EQ(ring_.Push("abcdef"), Demand::kTaken);
  EXPECT_EQ(PullAll(ring_, 4), "abcd");
  EXPECT_EQ(ring_.Push("ghijklmn"), Demand::kTaken);  // around the end
  EXPECT_EQ(PullAll(ring_, 100), "efghijklmn");
  EXPECT_EQ(watched_, "abcdefghijklmn");
  EXPECT_EQ(ring_.pushed_bytes(), 14U);
}

TEST_F(RingTest, TakesAllOfAPieceOrNothing) {
  EXPECT_EQ(ring_.Push("1234567"), Demand::kTaken);
  EXPECT_EQ(ring_.Push("8901"), Demand::kLater);
  EXPECT_EQ(watched_, "1234567");
  EXPECT_EQ(ring_.Push("890"), Demand::kTaken);
  EXPECT_EQ(PullAll(ring_, 100), "1234567890");
}

TEST_F(RingTest, APieceThatNeverFitsIsRefused) {
  EXPECT_EQ(ring_.Push("12345678901"), Demand::kRefused);
}

TEST_F(RingTest, TheWriterIsWokenOnceWhenHalfIsFree) {
  int woken = 0;
  ring_.WakeWriterBy([&] { woken += 1; });
  ring_.Push("1234567890");
  PullAll(ring_, 9);
  EXPECT_EQ(woken, 0);  // nobody waits
  ring_.Push("12345678");
  EXPECT_EQ(ring_.Push("abc"), Demand::kLater);
  PullAll(ring_, 1);
  EXPECT_EQ(woken, 0);
  PullAll(ring_, 4);
  PullAll(ring_, 1);
  EXPECT_EQ(woken, 1);
}

TEST_F(RingTest, AWriterThatWaitsIsAlwaysWokenByTheTimeTheRingIsEmpty) {
  for (std::size_t first = 1; first <= 10; ++first) {
    for (std::size_t second = 1; second <= 10; ++second) {
      Ring ring(10, [](std::string_view) {});
      bool woken = false;
      ring.WakeWriterBy([&] { woken = true; });
      ring.Push(std::string(first, 'a'));
      if (ring.Push(std::string(second, 'b')) != Demand::kLater) continue;
      while (!PullAll(ring, 1).empty()) {
      }
      EXPECT_TRUE(woken) << first << " " << second;
      EXPECT_EQ(ring.Push(std::string(second, 'b')), Demand::kTaken);
    }
  }
}

TEST_F(RingTest, AReaderThatWaitsIsWokenByBytesAndByEveryEnd) {
  const std::pair<const char*, std::function<void(Ring&)>> events[] = {
      {"bytes", [](Ring& ring) { ring.Push("a"); }},
      {"close", [](Ring& ring) { ring.Close(); }},
      {"fail", [](Ring& ring) { ring.Fail(); }},
  };
  for (const auto& [name, happen] : events) {
    Ring ring(10, [](std::string_view) {});
    int woken = 0;
    ring.WakeReaderBy([&] { woken += 1; });
    char byte = 0;
    EXPECT_EQ(ring.Pull(&byte, 1).state, Supply::kLater) << name;
    happen(ring);
    EXPECT_EQ(woken, 1) << name;
  }
}

TEST_F(RingTest, WhatIsInsideIsReadBeforeTheEnd) {
  ring_.Push("abc");
  ring_.Close();
  EXPECT_EQ(PullAll(ring_, 10), "abc");
  char byte = 0;
  EXPECT_EQ(ring_.Pull(&byte, 1).state, Supply::kEnd);
}

TEST_F(RingTest, AFailureIsKnownBeforeWhatIsInside) {
  ring_.Push("abc");
  ring_.Fail();
  char byte = 0;
  EXPECT_EQ(ring_.Pull(&byte, 1).state, Supply::kFailed);
}

TEST_F(RingTest, AWriterIsToldThatTheReaderHasGone) {
  bool woken = false;
  ring_.WakeWriterBy([&] { woken = true; });
  ring_.Push("1234567890");
  EXPECT_EQ(ring_.Push("x"), Demand::kLater);
  ring_.Refuse();
  EXPECT_TRUE(woken);
  EXPECT_EQ(ring_.Push("x"), Demand::kRefused);
}

TEST_F(RingTest, AnyCutOfABodyComesOutWhole) {
  std::minstd_rand random(7);
  std::string sent, got;
  Ring ring(97, [](std::string_view) {});
  while (got.size() < 20'000) {
    std::string piece(1 + random() % 40, static_cast<char>('a' + random() % 26));
    if (ring.Push(piece) == Demand::kTaken) sent += piece;
    got += PullAll(ring, 1 + random() % 50);
  }
  got += PullAll(ring, 97);
  EXPECT_EQ(got, sent);
}

TEST(MemorySink, TakesAsMuchAsItMay) {
  MemorySink sink(5);
  EXPECT_EQ(sink.Push("abc"), Demand::kTaken);
  EXPECT_EQ(sink.Push("def"), Demand::kRefused);
  EXPECT_EQ(sink.Push("de"), Demand::kTaken);
  EXPECT_EQ(sink.body(), "abcde");
}

}  // namespace
}  // namespace ferry
