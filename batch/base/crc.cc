#include "batch/base/crc.h"

#include <array>
#include <bit>
#include <cstring>

#include "batch/base/crc_folding.h"

namespace ferry {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

// In all of this file polynomials are reflected: the highest power is the lowest bit.
struct Model {
  std::uint64_t polynomial;  // without its highest power
  int bits;

  std::uint64_t ones() const { return ~std::uint64_t{0} >> (64 - bits); }
  std::uint64_t one() const { return std::uint64_t{1} << (bits - 1); }
  std::uint64_t TimesX(std::uint64_t a) const { return (a >> 1) ^ ((a & 1) != 0 ? polynomial : 0); }
};

Model ModelOf(CrcKind kind) {
  switch (kind) {
    case CrcKind::kCrc32: return {0xEDB88320, 32};
    case CrcKind::kCrc32c: return {0x82F63B78, 32};
    case CrcKind::kCrc64Ecma: return {0xC96C5795D7870F42, 64};
    case CrcKind::kCrc64Nvme: return {0x9A6C9329AC4BC9B5, 64};
  }
  return {};
}

// The product of two remainders, as a remainder.
std::uint64_t Multiply(const Model& model, std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (std::uint64_t bit = model.one(); bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = model.TimesX(b);
  }
  return product;
}

std::uint64_t Power(const Model& model, std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t power = model.one();
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = Multiply(model, power, base);
    base = Multiply(model, base, base);
  }
  return power;
}

std::uint64_t PowerOfX(const Model& model, std::uint64_t exponent) {
  return Power(model, model.TimesX(model.one()), exponent);
}

// What 128 bits that stand `distance_bits` before others are worth where those stand: their first
// half times `first`, and their second times `second`. A product of reflected words lies one bit
// too low, hence the powers.
FoldingPair FoldOver(const Model& model, std::uint64_t distance_bits) {
  const int unused = 64 - model.bits;
  return {PowerOfX(model, distance_bits + 64 - 1) << unused, PowerOfX(model, distance_bits - 1)
                                                                 << unused};
}

// What is computed once for each kind.
struct Prepared {
  explicit Prepared(const Model& of)
      : model(of), one_block(FoldOver(of, 128)), four_blocks(FoldOver(of, 512)) {
    for (std::uint64_t byte = 0; byte < 256; ++byte) {
      std::uint64_t state = byte;
      for (int bit = 0; bit < 8; ++bit) state = of.TimesX(state);
      tables[0][byte] = state;
    }
    for (std::size_t behind = 1; behind < tables.size(); ++behind) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const std::uint64_t state = tables[behind - 1][byte];
        tables[behind][byte] = (state >> 8) ^ tables[0][state & 0xFF];
      }
    }
  }

  Model model;
  FoldingPair one_block;
  FoldingPair four_blocks;
  // What a byte is worth once so many bytes have come behind it.
  std::array<std::array<std::uint64_t, 256>, 8> tables;
};

const Prepared& PreparedFor(CrcKind kind) {
  static const std::array<Prepared, 4> kAll = {
      Prepared(ModelOf(CrcKind::kCrc32)), Prepared(ModelOf(CrcKind::kCrc32c)),
      Prepared(ModelOf(CrcKind::kCrc64Ecma)), Prepared(ModelOf(CrcKind::kCrc64Nvme))};
  return kAll[static_cast<std::size_t>(kind)];
}

std::uint64_t ByTables(const Prepared& prepared, std::uint64_t state, std::string_view bytes) {
  const auto& tables = prepared.tables;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    word ^= state;
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= tables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (const char byte : bytes) {
    state = (state >> 8) ^ tables[0][(state ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return state;
}

std::uint64_t ByFolding(const Prepared& prepared, std::uint64_t state, std::string_view bytes) {
  if (bytes.size() < kFoldingBytesMin) return ByTables(prepared, state, bytes);
  const std::array<char, 16> rest = Fold(bytes, state, {prepared.one_block, prepared.four_blocks});
  state = ByTables(prepared, 0, std::string_view(rest.data(), rest.size()));
  return ByTables(prepared, state, bytes);
}

}  // namespace

std::size_t CrcBytes(CrcKind kind) { return static_cast<std::size_t>(ModelOf(kind).bits) / 8; }

CrcWay FastestCrcWay() {
  static const CrcWay kFastest = CanFold() ? CrcWay::kFolding : CrcWay::kTables;
  return kFastest;
}

Crc::Crc(CrcKind kind, CrcWay way) : kind_(kind), way_(way), state_(ModelOf(kind).ones()) {}

void Crc::Update(std::string_view bytes) {
  const Prepared& prepared = PreparedFor(kind_);
  state_ = way_ == CrcWay::kFolding ? ByFolding(prepared, state_, bytes)
                                    : ByTables(prepared, state_, bytes);
}

std::uint64_t Crc::value() const { return state_ ^ ModelOf(kind_).ones(); }

std::uint64_t Crc::Of(CrcKind kind, std::string_view bytes) {
  Crc crc(kind);
  crc.Update(bytes);
  return crc.value();
}

// The inversions at the end of the first and at the beginning of the second undo each other.
std::uint64_t CombineCrcs(CrcKind kind, std::uint64_t first, std::uint64_t second,
                          std::uint64_t second_bytes) {
  const Model model = ModelOf(kind);
  return Multiply(model, first, Power(model, PowerOfX(model, 8), second_bytes)) ^ second;
}

}  // namespace ferry
