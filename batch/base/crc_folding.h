// Folding for CRCs: many bytes become 16 that have the same remainder, by carry-less
// multiplication. Part of crc.cc, which knows the polynomials; apart because it is written for one
// processor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ferry {

// What the two halves of 16 bytes are multiplied by to be worth as much further on.
struct FoldingPair {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

struct FoldingConstants {
  FoldingPair one_block;    // 16 bytes further on
  FoldingPair four_blocks;  // 64
};

inline constexpr std::size_t kFoldingBytesMin = 64;

// Whether this processor has the instructions.
bool CanFold();

// Takes all but the last few (less than 16) of `bytes`, of which there must be kFoldingBytesMin at
// least, and gives back what has the same remainder. `state` is what came before, 0 afterwards.
// REQUIRES: CanFold().
std::array<char, 16> Fold(std::string_view& bytes, std::uint64_t state,
                          const FoldingConstants& constants);

}  // namespace ferry
