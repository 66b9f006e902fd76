#include "batch/base/crc.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace ferry {
namespace {

constexpr CrcKind kAllKinds[] = {CrcKind::kCrc32, CrcKind::kCrc32c, CrcKind::kCrc64Ecma,
                                 CrcKind::kCrc64Nvme};

constexpr std::size_t kBegins[] = {0, 1, 3, 7, 15};
constexpr std::size_t kPieces[] = {1, 63, 64, 65, 1000, 16'384, 100'003};

// The plainest way there is, a bit at a time: what the others are held to.
std::uint64_t BitByBit(std::uint64_t polynomial, int bits, std::string_view bytes) {
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - bits);
  std::uint64_t state = ones;
  for (const char byte : bytes) {
    state ^= static_cast<unsigned char>(byte);
    for (int i = 0; i < 8; ++i) state = (state >> 1) ^ ((state & 1) != 0 ? polynomial : 0);
  }
  return state ^ ones;
}

std::uint64_t Plainly(CrcKind kind, std::string_view bytes) {
  switch (kind) {
    case CrcKind::kCrc32: return BitByBit(0xEDB88320, 32, bytes);
    case CrcKind::kCrc32c: return BitByBit(0x82F63B78, 32, bytes);
    case CrcKind::kCrc64Ecma: return BitByBit(0xC96C5795D7870F42, 64, bytes);
    case CrcKind::kCrc64Nvme: return BitByBit(0x9A6C9329AC4BC9B5, 64, bytes);
  }
  return 0;
}

std::string Noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 7;
  for (char& c : bytes) c = static_cast<char>((x = x * 1664525U + 1013904223U) >> 24);
  return bytes;
}

std::uint64_t By(CrcWay way, CrcKind kind, std::string_view bytes) {
  Crc crc(kind, way);
  crc.Update(bytes);
  return crc.value();
}

TEST(Crc, HasTheCheckValuesOfItsKinds) {
  EXPECT_EQ(Crc::Of(CrcKind::kCrc32, "123456789"), 0xCBF43926U);
  EXPECT_EQ(Crc::Of(CrcKind::kCrc32c, "123456789"), 0xE3069283U);
  EXPECT_EQ(Crc::Of(CrcKind::kCrc64Ecma, "123456789"), 0x995DC9BBDF1939FAU);
  EXPECT_EQ(Crc::Of(CrcKind::kCrc64Nvme, "123456789"), 0xAE8B14860A799888U);
  // awslabs/aws-c-s3, tests/s3_checksums_crc64nvme_tests.c
  EXPECT_EQ(Crc::Of(CrcKind::kCrc64Nvme, "aaaaaaaaaa"), 0x0C1A80036D65C555U);
  EXPECT_EQ(Crc::Of(CrcKind::kCrc32c, std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
}

TEST(Crc, IsTheSameByEachWayAtEachLengthAndAlignment) {
  const std::string noise = Noise(320);
  for (const CrcKind kind : kAllKinds) {
    for (const std::size_t begin : kBegins) {
      for (std::size_t size = 0; size <= 300; ++size) {
        const std::string_view bytes = std::string_view(noise).substr(begin, size);
        const std::uint64_t expected = Plainly(kind, bytes);
        ASSERT_EQ(By(CrcWay::kTables, kind, bytes), expected) << begin << " " << size;
        ASSERT_EQ(By(FastestCrcWay(), kind, bytes), expected) << begin << " " << size;
      }
    }
  }
}

TEST(Crc, OfManyBytesDoesNotDependOnHowTheyCame) {
  const std::string noise = Noise(100'003);
  for (const CrcKind kind : kAllKinds) {
    const std::uint64_t expected = Plainly(kind, noise);
    for (const CrcWay way : {CrcWay::kTables, FastestCrcWay()}) {
      for (const std::size_t piece : kPieces) {
        Crc crc(kind, way);
        for (std::size_t at = 0; at < noise.size(); at += piece) {
          crc.Update(std::string_view(noise).substr(at, piece));
        }
        ASSERT_EQ(crc.value(), expected) << piece;
      }
    }
  }
}

TEST(Crc, OfAWholeIsMadeOfThoseOfItsParts) {
  const std::string noise = Noise(10'007);
  const std::string_view all = noise;
  for (const CrcKind kind : kAllKinds) {
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, all.size()}) {
      const std::uint64_t first = Crc::Of(kind, all.substr(0, cut));
      const std::uint64_t second = Crc::Of(kind, all.substr(cut));
      EXPECT_EQ(CombineCrcs(kind, first, second, all.size() - cut), Crc::Of(kind, all)) << cut;
    }
  }
}

TEST(Crc, OfAWholeOfTerabytesTakesNoLonger) {
  // To move on by half twice is to move on by the whole.
  const CrcKind kind = CrcKind::kCrc64Nvme;
  const std::uint64_t half = std::uint64_t{1} << 43;
  const std::uint64_t once = CombineCrcs(kind, 1, 0, half);
  EXPECT_EQ(CombineCrcs(kind, once, 0, half), CombineCrcs(kind, 1, 0, 2 * half));
  EXPECT_NE(once, 0U);
}

}  // namespace
}  // namespace ferry
