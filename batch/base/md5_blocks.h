// The compression function of MD5 (RFC 1321, section 3.4) over several messages at once: one in
// each place of a vector. Each of its 64 steps waits for the one before, so a single message leaves
// a core with nothing to do for most of the time; sixteen take hardly longer than two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ferry {

inline constexpr std::size_t kMd5BlockBytes = 64;
inline constexpr std::size_t kMd5WidthMax = 16;

using Md5State = std::array<std::uint32_t, 4>;
inline constexpr Md5State kMd5Start = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};

// Blocks of one message that come next.
struct Md5Stretch {
  Md5State* state = nullptr;
  const char* bytes = nullptr;
};

// How many messages this processor takes at once: 16 (AVX-512), 8 (AVX2) or 1.
std::size_t Md5Width();
// From how many on that is faster than one after the other; of a width of 1, more than there are.
std::size_t Md5WidthWorthwhile(std::size_t width = Md5Width());

// Takes `blocks` blocks of each message into its state. REQUIRES: different states; a width of 1, 8
// or 16, not more than this processor's.
void TakeMd5Blocks(std::span<const Md5Stretch> messages, std::size_t blocks,
                   std::size_t width = Md5Width());

}  // namespace ferry
