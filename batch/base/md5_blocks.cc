#include "batch/base/md5_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "batch/base/check.h"

namespace ferry {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

using Word = std::uint32_t;

// The sines of RFC 1321: floor(2^32 * |sin(i + 1)|).
constexpr Word kSines[64] = {
    0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE, 0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501,
    0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE, 0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
    0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA, 0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8,
    0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED, 0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
    0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C, 0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70,
    0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05, 0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
    0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039, 0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1,
    0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1, 0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391};
constexpr int kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

template <std::size_t kWidth>
struct Vector {
  typedef Word Type __attribute__((vector_size(kWidth * sizeof(Word))));
};
template <>
struct Vector<1> {
  using Type = Word;
};

// Everything below is inlined into functions that are compiled for certain instructions, and what
// takes or gives a vector by value would have another calling convention there.
#define FERRY_INLINE [[gnu::always_inline]] inline

// A step of RFC 1321 and, with it, its round; all that depends on `kStep` is known when compiling.
template <int kStep, typename V>
FERRY_INLINE void Step(V& a, const V& b, const V& c, const V& d, const V* words) {
  constexpr int kRound = kStep / 16;
  constexpr int kFactor[] = {1, 5, 3, 7};
  constexpr int kOffset[] = {0, 1, 5, 0};
  constexpr int kWord = (kFactor[kRound] * kStep + kOffset[kRound]) % 16;
  constexpr int kRotation = kRotations[kRound][kStep % 4];
  // What does not wait for the step before comes first.
  a += words[kWord] + kSines[kStep];
  if constexpr (kRound == 0) a += ((c ^ d) & b) ^ d;
  if constexpr (kRound == 1) a += ((b ^ c) & d) ^ c;
  if constexpr (kRound == 2) a += b ^ c ^ d;
  if constexpr (kRound == 3) a += c ^ (b | ~d);
  a = ((a << kRotation) | (a >> (32 - kRotation))) + b;
}

template <int kStep = 0, typename V>
FERRY_INLINE void Steps(V& a, V& b, V& c, V& d, const V* words) {
  Step<kStep>(a, b, c, d, words);
  Step<kStep + 1>(d, a, b, c, words);
  Step<kStep + 2>(c, d, a, b, words);
  Step<kStep + 3>(b, c, d, a, words);
  if constexpr (kStep + 4 < 64) Steps<kStep + 4>(a, b, c, d, words);
}

// What is done for each of so many, one after the other, without a loop: vectors that are reached
// by an index that is not known when compiling lie in memory.
template <typename Body, std::size_t... kIndices>
FERRY_INLINE void ForEach(std::index_sequence<kIndices...>, Body body) {
  (body(std::integral_constant<std::size_t, kIndices>()), ...);
}

// a0 b0 a1 b1 ..., from the place `kFrom` of both on.
template <std::size_t kFrom, typename V, std::size_t... kPlaces>
FERRY_INLINE void Interleave(const V& a, const V& b, V& mixed, std::index_sequence<kPlaces...>) {
  mixed =
      __builtin_shufflevector(a, b, (kFrom + kPlaces / 2 + kPlaces % 2 * sizeof...(kPlaces))...);
}

// `rows` of `kWidth` words each become columns: as many perfect shuffles as the width has bits.
template <std::size_t kWidth, std::size_t kRound = 1, typename V>
FERRY_INLINE void Transpose(V* rows) {
  constexpr std::size_t kHalf = kWidth / 2;
  constexpr auto kPlaces = std::make_index_sequence<kWidth>();
  V mixed[kWidth];
  ForEach(
      std::make_index_sequence<kHalf>(), [&](auto i) __attribute__((always_inline)) {
        Interleave<0>(rows[i], rows[i + kHalf], mixed[2 * i], kPlaces);
        Interleave<kHalf>(rows[i], rows[i + kHalf], mixed[2 * i + 1], kPlaces);
      });
  ForEach(
      kPlaces, [&](auto i) __attribute__((always_inline)) { rows[i] = mixed[i]; });
  if constexpr (kRound * 2 < kWidth) Transpose<kWidth, kRound * 2>(rows);
}

// Word by word what stands in the block of each message.
template <std::size_t kWidth, typename V>
FERRY_INLINE void LoadWords(const char* const* messages, std::size_t at, V* words) {
  ForEach(
      std::make_index_sequence<16 / kWidth>(), [&](auto group) __attribute__((always_inline)) {
        V* const rows = words + group * kWidth;
        ForEach(
            std::make_index_sequence<kWidth>(), [&](auto i) __attribute__((always_inline)) {
              std::memcpy(&rows[i], messages[i] + at + group * sizeof(V), sizeof(V));
            });
        if constexpr (kWidth > 1) Transpose<kWidth>(rows);
      });
}

template <std::size_t kWidth>
FERRY_INLINE void Take(std::span<const Md5Stretch> messages, std::size_t blocks) {
  using V = typename Vector<kWidth>::Type;
  // Where there are fewer messages the first one stands in the places that are left, for nothing.
  const char* bytes[kWidth];
  Word columns[4][kWidth];
  for (std::size_t i = 0; i < kWidth; ++i) {
    const Md5Stretch& message = messages[i < messages.size() ? i : 0];
    bytes[i] = message.bytes;
    for (std::size_t k = 0; k < 4; ++k) columns[k][i] = (*message.state)[k];
  }
  V state[4];
  std::memcpy(state, columns, sizeof state);
  for (std::size_t block = 0; block < blocks; ++block) {
    V words[16];
    LoadWords<kWidth>(bytes, block * kMd5BlockBytes, words);
    V a = state[0];
    V b = state[1];
    V c = state[2];
    V d = state[3];
    Steps(a, b, c, d, words);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
  std::memcpy(columns, state, sizeof state);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    for (std::size_t k = 0; k < 4; ++k) (*messages[i].state)[k] = columns[k][i];
  }
}

void TakeOne(std::span<const Md5Stretch> messages, std::size_t blocks) {
  Take<1>(messages, blocks);
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) void TakeEight(std::span<const Md5Stretch> messages,
                                               std::size_t blocks) {
  Take<8>(messages, blocks);
}

__attribute__((target("avx512f,avx512vl"))) void TakeSixteen(std::span<const Md5Stretch> messages,
                                                             std::size_t blocks) {
  Take<16>(messages, blocks);
}

std::size_t WidthOfThisProcessor() {
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0) return 16;
  return __builtin_cpu_supports("avx2") != 0 ? 8 : 1;
}

#else

void TakeEight(std::span<const Md5Stretch>, std::size_t) {}
void TakeSixteen(std::span<const Md5Stretch>, std::size_t) {}
std::size_t WidthOfThisProcessor() { return 1; }

#endif

}  // namespace

std::size_t Md5Width() {
  static const std::size_t width = WidthOfThisProcessor();
  return width;
}

std::size_t Md5WidthWorthwhile(std::size_t width) {
  switch (width) {
    case 16: return 3;
    case 8: return 4;
    default: return std::numeric_limits<std::size_t>::max();
  }
}

void TakeMd5Blocks(std::span<const Md5Stretch> messages, std::size_t blocks, std::size_t width) {
  FERRY_CHECK(width <= Md5Width() && (width == 1 || width == 8 || width == 16));
  while (!messages.empty()) {
    const bool together = messages.size() >= Md5WidthWorthwhile(width);
    const std::size_t count = together ? std::min(messages.size(), width) : 1;
    const auto first = messages.first(count);
    if (count == 1) {
      TakeOne(first, blocks);
    } else if (width == 16) {
      TakeSixteen(first, blocks);
    } else {
      TakeEight(first, blocks);
    }
    messages = messages.subspan(count);
  }
}

}  // namespace ferry
