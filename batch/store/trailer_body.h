// TrailerBody: a body that flows in chunks, with a header behind it: what is known of the bytes
// only once they have passed.
//
//   10000\r\n <65536 bytes> \r\n
//   400\r\n <1024 bytes> \r\n
//   0\r\n
//   x-amz-checksum-crc32c:BASE64\r\n
//   \r\n
//
// That is Amazon's aws-chunked coding with an unsigned payload (sig-v4-header-based-auth, "Transfer
// payload in multiple chunks", STREAMING-UNSIGNED-PAYLOAD-TRAILER; sigv4-streaming-trailers). It is
// no HTTP transfer coding: the whole has a Content-Length, and proxies do not touch it. All chunks
// but the last are of one size, so that this length is known up front and nothing is held here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "batch/store/body.h"

namespace ferry {

// On the loop's thread.
class TrailerBody final : public BodySource {
 public:
  static constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

  struct Trailer {
    std::string name;  // of a header, in lower case
    // As many bytes as `make` gives, always.
    std::size_t value_bytes = 0;
    // The value; called once, when `inner` has come to its end.
    std::function<std::string()> make;
  };

  // `inner` outlives this object and has exactly `bytes`.
  TrailerBody(BodySource& inner, std::uint64_t bytes, Trailer trailer);

  // Of all that is sent.
  static std::uint64_t EncodedBytes(std::uint64_t bytes, const Trailer& trailer);
  std::uint64_t encoded_bytes() const { return EncodedBytes(bytes_, trailer_); }

  // kFailed also where `inner` has more than it should; where it has less, the body ends early.
  Piece Pull(char* to, std::size_t size) override;
  void WakeReaderBy(std::function<void()> wake) override { inner_.WakeReaderBy(std::move(wake)); }

 private:
  // What comes next of the frame, into text_; false: it cannot be known yet, see `state_`.
  bool Advance();
  std::size_t TakeText(char* to, std::size_t size);

  BodySource& inner_;
  const std::uint64_t bytes_;
  const Trailer trailer_;
  std::uint64_t bytes_left_;    // that no chunk was begun for
  std::size_t chunk_left_ = 0;  // of the chunk that was begun
  bool in_chunk_ = false;
  bool done_ = false;             // the trailer is in text_ or was sent
  Supply state_ = Supply::kSome;  // of `inner` at its end
  std::string text_;              // of the frame, to be sent
  std::size_t text_sent_ = 0;
};

}  // namespace ferry
