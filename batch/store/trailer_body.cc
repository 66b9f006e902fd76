#include "batch/store/trailer_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "batch/base/check.h"

namespace ferry {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n";

std::string ChunkHead(std::uint64_t bytes) { return fmt::format("{:x}\r\n", bytes); }

std::uint64_t FramedBytes(std::uint64_t bytes) {
  return ChunkHead(bytes).size() + bytes + kLineEnd.size();
}

}  // namespace

TrailerBody::TrailerBody(BodySource& inner, std::uint64_t bytes, Trailer trailer)
    : inner_(inner), bytes_(bytes), trailer_(std::move(trailer)), bytes_left_(bytes) {}

std::uint64_t TrailerBody::EncodedBytes(std::uint64_t bytes, const Trailer& trailer) {
  const std::uint64_t rest = bytes % kChunkBytes;
  const std::uint64_t line = trailer.name.size() + 1 + trailer.value_bytes + kLineEnd.size();
  return bytes / kChunkBytes * FramedBytes(kChunkBytes) + (rest > 0 ? FramedBytes(rest) : 0) +
         kLastChunk.size() + line + kLineEnd.size();
}

std::size_t TrailerBody::TakeText(char* to, std::size_t size) {
  const std::size_t taken = std::min(size, text_.size() - text_sent_);
  std::memcpy(to, text_.data() + text_sent_, taken);
  text_sent_ += taken;
  return taken;
}

bool TrailerBody::Advance() {
  text_sent_ = 0;
  text_.clear();
  if (std::exchange(in_chunk_, false)) text_ = kLineEnd;
  if (bytes_left_ > 0) {
    chunk_left_ = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_left_, kChunkBytes));
    bytes_left_ -= chunk_left_;
    in_chunk_ = true;
    text_ += ChunkHead(chunk_left_);
    return true;
  }
  if (!text_.empty()) return true;
  if (state_ == Supply::kFailed) return false;
  // Only then the digest is known to be that of all bytes, and the source not to have failed.
  char more = 0;
  state_ = inner_.Pull(&more, 1).state;
  if (state_ == Supply::kSome) state_ = Supply::kFailed;
  if (state_ != Supply::kEnd) return false;
  const std::string value = trailer_.make();
  FERRY_CHECK(value.size() == trailer_.value_bytes);
  text_ = std::string(kLastChunk) + trailer_.name + ":" + value + "\r\n\r\n";
  done_ = true;
  return true;
}

BodySource::Piece TrailerBody::Pull(char* to, std::size_t size) {
  std::size_t moved = 0;
  while (moved < size) {
    Piece piece{Supply::kEnd, 0};
    if (text_sent_ < text_.size()) {
      piece = {Supply::kSome, TakeText(to + moved, size - moved)};
    } else if (chunk_left_ > 0) {
      piece = inner_.Pull(to + moved, std::min(size - moved, chunk_left_));
      if (piece.state == Supply::kSome) chunk_left_ -= piece.bytes;
    } else if (!done_) {
      if (Advance()) continue;
      piece.state = state_;
    }
    if (piece.state != Supply::kSome) {
      // Asked again, `inner` says the same, or has more by then.
      if (moved > 0) break;
      return piece;
    }
    moved += piece.bytes;
  }
  return {Supply::kSome, moved};
}

}  // namespace ferry
