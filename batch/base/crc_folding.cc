#include "batch/base/crc_folding.h"

#include "batch/base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ferry {

#if defined(__x86_64__)

// Compiled for these instructions, and called only where the processor has them.
#define FERRY_FOLDING __attribute__((target("sse2,pclmul")))

namespace {

using Block = __m128i;

FERRY_FOLDING Block Load(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(bytes));
}

FERRY_FOLDING Block Pair(const FoldingPair& pair) {
  return _mm_set_epi64x(static_cast<long long>(pair.second), static_cast<long long>(pair.first));
}

// `block` as it is worth where `onto` stands, and that.
FERRY_FOLDING Block FoldOnto(Block block, Block pair, Block onto) {
  const Block first = _mm_clmulepi64_si128(block, pair, 0x00);
  const Block second = _mm_clmulepi64_si128(block, pair, 0x11);
  return _mm_xor_si128(onto, _mm_xor_si128(first, second));
}

}  // namespace

bool CanFold() { return __builtin_cpu_supports("pclmul") != 0; }

// Four blocks at a time: a multiplication takes several cycles, and the next need not wait for it.
FERRY_FOLDING std::array<char, 16> Fold(std::string_view& bytes, std::uint64_t state,
                                        const FoldingConstants& constants) {
  FERRY_CHECK(bytes.size() >= kFoldingBytesMin);
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  const Block far = Pair(constants.four_blocks);
  const Block near = Pair(constants.one_block);
  Block a = _mm_xor_si128(Load(at), _mm_cvtsi64_si128(static_cast<long long>(state)));
  Block b = Load(at + 16);
  Block c = Load(at + 32);
  Block d = Load(at + 48);
  for (at += 64; end - at >= 64; at += 64) {
    a = FoldOnto(a, far, Load(at));
    b = FoldOnto(b, far, Load(at + 16));
    c = FoldOnto(c, far, Load(at + 32));
    d = FoldOnto(d, far, Load(at + 48));
  }
  Block all = FoldOnto(FoldOnto(FoldOnto(a, near, b), near, c), near, d);
  for (; end - at >= 16; at += 16) all = FoldOnto(all, near, Load(at));
  bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()));
  std::array<char, 16> rest;
  _mm_storeu_si128(reinterpret_cast<Block*>(rest.data()), all);
  return rest;
}

#undef FERRY_FOLDING

#else

bool CanFold() { return false; }

std::array<char, 16> Fold(std::string_view&, std::uint64_t, const FoldingConstants&) {
  FERRY_CHECK(CanFold());
  return {};
}

#endif

}  // namespace ferry
