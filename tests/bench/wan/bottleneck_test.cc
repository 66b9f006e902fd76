#include "bench/wan/bottleneck.h"

#include <gtest/gtest.h>

#include <vector>

namespace ferry::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// 8 Mbit/s: a byte takes a microsecond.
LinkOptions SlowLink() {
  LinkOptions options;
  options.delay = milliseconds(100);
  options.bits_per_second = 8'000'000;
  options.queue_bytes = 10'000;
  return options;
}

TEST(Bottleneck, APacketTakesItsTimeOnTheWireAndTheDelay) {
  Bottleneck link(SlowLink());
  EXPECT_EQ(link.Pass(seconds(7), 1000), seconds(7) + milliseconds(1 + 100));
}

TEST(Bottleneck, PacketsThatComeAtOnceLeaveAtTheRate) {
  Bottleneck link(SlowLink());
  EXPECT_EQ(link.Pass(seconds(7), 1000), seconds(7) + milliseconds(101));
  EXPECT_EQ(link.Pass(seconds(7), 500), seconds(7) + milliseconds(101) + Nanoseconds(500'000));
  EXPECT_EQ(link.Pass(seconds(7), 1000), seconds(7) + milliseconds(102) + Nanoseconds(500'000));
}

TEST(Bottleneck, WhatWasNotSentInAQuietTimeIsNotSentFasterLater) {
  Bottleneck link(SlowLink());
  link.Pass(seconds(0), 1000);
  EXPECT_EQ(link.Pass(seconds(60), 1000), seconds(60) + milliseconds(101));
  EXPECT_EQ(link.Pass(seconds(60), 1000), seconds(60) + milliseconds(102));
}

TEST(Bottleneck, KeepsARateThatIsNoWholeNumberOfNanosecondsAPacket) {
  LinkOptions options = SlowLink();
  options.bits_per_second = 7'000'000'000;
  options.queue_bytes = 2'000'000'000;
  Bottleneck link(options);
  Nanoseconds last{0};
  for (int i = 0; i < 1'000'000; ++i) last = link.Pass(seconds(1), 100).value();
  const double wire_seconds = 1e6 * 100 * 8 / 7e9;
  EXPECT_NEAR(std::chrono::duration<double>(last - seconds(1) - options.delay).count(),
              wire_seconds, 1e-6);
}

TEST(Bottleneck, WhatFindsTheQueueFullIsDroppedAndTakesNoTime) {
  Bottleneck link(SlowLink());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(link.Pass(seconds(1), 1000)) << i;
  EXPECT_FALSE(link.Pass(seconds(1), 1000));
  EXPECT_FALSE(link.Pass(seconds(1), 1));
  // A millisecond later one of them has left.
  EXPECT_EQ(link.Pass(seconds(1) + milliseconds(1), 1000), seconds(1) + milliseconds(111));
  EXPECT_FALSE(link.Pass(seconds(1) + milliseconds(1), 1));
  EXPECT_EQ(link.counts().packets, 11U);
  EXPECT_EQ(link.counts().bytes, 11'000U);
  EXPECT_EQ(link.counts().dropped, 3U);
  EXPECT_EQ(link.counts().lost, 0U);
}

// Which of many packets come through, all of them with room enough.
std::vector<bool> Survivors(double loss, std::uint64_t seed, Bottleneck::Counts& counts) {
  LinkOptions options = SlowLink();
  options.loss = loss;
  options.seed = seed;
  Bottleneck link(options);
  std::vector<bool> came_through;
  for (int i = 0; i < 200'000; ++i) came_through.push_back(link.Pass(seconds(i), 1000).has_value());
  counts = link.counts();
  return came_through;
}

TEST(Bottleneck, LosesTheShareOfPacketsThatWasAskedFor) {
  Bottleneck::Counts counts;
  Survivors(0.005, 1, counts);
  EXPECT_NEAR(static_cast<double>(counts.lost), 1000, 130);  // four times the deviation
  EXPECT_EQ(counts.lost + counts.packets, 200'000U);
  Survivors(0, 1, counts);
  EXPECT_EQ(counts.lost, 0U);
}

TEST(Bottleneck, TheSameSeedLosesTheSamePacketsAndAnotherOneOthers) {
  Bottleneck::Counts counts;
  const std::vector<bool> first = Survivors(0.005, 1, counts);
  EXPECT_EQ(Survivors(0.005, 1, counts), first);
  EXPECT_NE(Survivors(0.005, 2, counts), first);
}

TEST(Bottleneck, WhatIsLostTakesNoTimeOnTheWire) {
  LinkOptions options = SlowLink();
  options.loss = 0.5;
  Bottleneck link(options);
  int through = 0;
  while (link.counts().lost < 3 || through < 2) {
    const auto out = link.Pass(seconds(1), 1000);
    if (!out) continue;
    ++through;
    EXPECT_EQ(*out, seconds(1) + milliseconds(100 + through));
  }
}

}  // namespace
}  // namespace ferry::bench
