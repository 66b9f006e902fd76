#include "batch/store/trailer_body.h"

#include <gtest/gtest.h>

#include <string>

#include "batch/base/digest.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

using Supply = BodySource::Supply;

class TrailerBodyTest : public testing::Test {
 protected:
  static constexpr std::size_t kRing = std::size_t{1} << 20;

  // With a trailer of the CRC-32C of all that passed.
  TrailerBody Body(std::uint64_t bytes) {
    return {ring_, bytes, {"x-amz-checksum-crc32c", 8, [this] {
                             asked_ += 1;
                             return ToBase64(digest_.Finish().front().bytes);
                           }}};
  }
  // At most `size` at a time, until there is nothing for now.
  Supply Take(TrailerBody& body, std::size_t size) {
    std::string piece(size, '\0');
    for (int pulls = 0; pulls < 1'000'000; ++pulls) {
      const BodySource::Piece got = body.Pull(piece.data(), size);
      if (got.state != Supply::kSome) return got.state;
      taken_.append(piece, 0, got.bytes);
    }
    return Supply::kSome;
  }

  BodyDigest digest_{{DigestKind::kCrc32c}};
  Ring ring_{kRing, [this](std::string_view bytes) { digest_.Update(bytes); }};
  std::string taken_;
  int asked_ = 0;
};

// Amazon's example (sigv4-streaming-trailers): 65 KB of the letter a, in chunks of 64 KB and 1 KB,
// and its CRC-32C; without signatures of the chunks.
TEST_F(TrailerBodyTest, IsFramedAsAmazonDocumentsIt) {
  const std::string expected = "10000\r\n" + std::string(65536, 'a') + "\r\n400\r\n" +
                               std::string(1024, 'a') +
                               "\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
  ring_.Push(std::string(66560, 'a'));
  ring_.Close();
  TrailerBody body = Body(66560);
  EXPECT_EQ(body.encoded_bytes(), expected.size());
  EXPECT_EQ(Take(body, 1 << 16), Supply::kEnd);
  EXPECT_EQ(taken_, expected);
  EXPECT_EQ(Take(body, 1 << 16), Supply::kEnd);
  EXPECT_EQ(asked_, 1);
}

TEST_F(TrailerBodyTest, IsTheSameInPiecesOfAnySize) {
  const std::string bytes(2 * TrailerBody::kChunkBytes, 'b');
  std::string first;
  for (const std::size_t size : {1U, 2U, 7U, 65535U, 65536U, 65537U, 1U << 20}) {
    Ring ring(kRing, [](std::string_view) {});
    ring.Push(bytes);
    ring.Close();
    TrailerBody body(ring, bytes.size(), {"x", 1, [] { return std::string("1"); }});
    taken_.clear();
    EXPECT_EQ(Take(body, size), Supply::kEnd) << size;
    EXPECT_EQ(taken_.size(), body.encoded_bytes()) << size;
    if (first.empty()) first = taken_;
    EXPECT_TRUE(taken_ == first) << size;
  }
}

TEST_F(TrailerBodyTest, ItsLengthIsKnownUpFrontForAnyBody) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 65535U, 65536U, 65537U, 131071U, 131072U}) {
    Ring ring(kRing, [](std::string_view) {});
    if (size > 0) ring.Push(std::string(size, 'c'));
    ring.Close();
    TrailerBody body(ring, size, {"x", 1, [] { return std::string("1"); }});
    taken_.clear();
    EXPECT_EQ(Take(body, 1000), Supply::kEnd) << size;
    EXPECT_EQ(taken_.size(), body.encoded_bytes()) << size;
  }
}

TEST_F(TrailerBodyTest, TheDigestIsAskedForOnlyWhenTheSourceHasEnded) {
  bool woken = false;
  TrailerBody body = Body(9);
  body.WakeReaderBy([&] { woken = true; });
  EXPECT_EQ(Take(body, 100), Supply::kLater);
  ring_.Push("12345");
  EXPECT_TRUE(std::exchange(woken, false));
  EXPECT_EQ(Take(body, 100), Supply::kLater);
  ring_.Push("6789");
  EXPECT_TRUE(std::exchange(woken, false));
  EXPECT_EQ(Take(body, 100), Supply::kLater);
  EXPECT_EQ(taken_, "9\r\n123456789\r\n");
  EXPECT_EQ(asked_, 0);
  ring_.Close();
  EXPECT_TRUE(woken);
  EXPECT_EQ(Take(body, 100), Supply::kEnd);
  EXPECT_EQ(taken_, "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n");
}

TEST_F(TrailerBodyTest, FailsWithItsSourceAlsoBehindTheLastByte) {
  TrailerBody body = Body(9);
  ring_.Push("123456789");
  EXPECT_EQ(Take(body, 100), Supply::kLater);
  ring_.Fail();
  EXPECT_EQ(Take(body, 100), Supply::kFailed);
  EXPECT_EQ(asked_, 0);
}

TEST_F(TrailerBodyTest, ASourceWithMoreBytesThanAnnouncedFails) {
  TrailerBody body = Body(9);
  ring_.Push("1234567890");
  ring_.Close();
  EXPECT_EQ(Take(body, 100), Supply::kFailed);
  EXPECT_EQ(Take(body, 100), Supply::kFailed);
  EXPECT_EQ(asked_, 0);
}

TEST_F(TrailerBodyTest, ASourceWithFewerBytesThanAnnouncedEndsEarly) {
  TrailerBody body = Body(9);
  ring_.Push("12345");
  ring_.Close();
  EXPECT_EQ(Take(body, 100), Supply::kEnd);
  EXPECT_LT(taken_.size(), body.encoded_bytes());
  EXPECT_EQ(asked_, 0);
}

}  // namespace
}  // namespace ferry
