#include "bench/wan/packet_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace ferry::bench {
namespace {

constexpr std::size_t kMtu = 1500;

// Fills a packet with `mark`; false: the ring is full.
bool Put(PacketRing& ring, std::size_t bytes, unsigned char mark) {
  const std::span<std::byte> room = ring.Room();
  if (room.empty()) return false;
  EXPECT_EQ(room.size(), kMtu);
  std::fill_n(room.begin(), bytes, std::byte(mark));
  ring.Push(bytes, std::chrono::nanoseconds(1000 + mark));
  return true;
}

void ExpectFront(const PacketRing& ring, std::size_t bytes, unsigned char mark) {
  ASSERT_FALSE(ring.Empty());
  const PacketRing::Packet packet = ring.Front();
  EXPECT_EQ(packet.due, std::chrono::nanoseconds(1000 + mark));
  ASSERT_EQ(packet.bytes.size(), bytes);
  EXPECT_TRUE(std::all_of(packet.bytes.begin(), packet.bytes.end(),
                          [mark](std::byte byte) { return byte == std::byte(mark); }));
}

std::size_t PutAllThatFit(PacketRing& ring, std::size_t bytes) {
  std::size_t count = 0;
  while (Put(ring, bytes, static_cast<unsigned char>(count))) ++count;
  return count;
}

TEST(PacketRing, IsEmptyAtFirstAndWhenAllIsTaken) {
  PacketRing ring(10 * kMtu, kMtu);
  EXPECT_TRUE(ring.Empty());
  ASSERT_TRUE(Put(ring, 52, 1));
  EXPECT_FALSE(ring.Empty());
  ring.Pop();
  EXPECT_TRUE(ring.Empty());
}

TEST(PacketRing, HoldsItsCapacityInLargePacketsAndInAcknowledgements) {
  for (const std::size_t bytes : {kMtu, std::size_t{52}, std::size_t{40}}) {
    PacketRing ring(1'000'000, kMtu);
    EXPECT_GE(PutAllThatFit(ring, bytes) * bytes, 1'000'000U) << bytes;
  }
}

TEST(PacketRing, AFullRingHasRoomAgainWhenTheOldestHasLeft) {
  PacketRing ring(10 * kMtu, kMtu);
  const std::size_t count = PutAllThatFit(ring, kMtu);
  EXPECT_FALSE(Put(ring, 40, 99));
  ring.Pop();
  EXPECT_TRUE(Put(ring, kMtu, 77));
  for (std::size_t i = 1; i < count; ++i, ring.Pop()) {
    ExpectFront(ring, kMtu, static_cast<unsigned char>(i));
  }
  ExpectFront(ring, kMtu, 77);
}

// Sizes and turns by a fixed seed, many times around: what is at the front is what a queue has
// there.
TEST(PacketRing, PacketsOfAllSizesComeOutAsTheyWentIn) {
  struct Sent {
    std::size_t bytes;
    unsigned char mark;
  };
  std::mt19937 random(1);
  PacketRing ring(20 * kMtu, kMtu);
  std::deque<Sent> sent;
  std::size_t full = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (random() % 2 == 0) {
      const Sent next{1 + random() % kMtu, static_cast<unsigned char>(random() % 256)};
      if (Put(ring, next.bytes, next.mark)) {
        sent.push_back(next);
      } else {
        ++full;
      }
    } else if (!sent.empty()) {
      ExpectFront(ring, sent.front().bytes, sent.front().mark);
      sent.pop_front();
      ring.Pop();
    }
    ASSERT_EQ(ring.Empty(), sent.empty()) << i;
    ASSERT_FALSE(HasFailure()) << i;
  }
  EXPECT_GT(full, 100U);
}

}  // namespace
}  // namespace ferry::bench
