// The CRCs that object stores answer with: of bytes as they come, and of a whole from its parts.
//
// All are reflected, of at most 64 bits, and begin and end inverted. Where the processor multiplies
// polynomials (PCLMULQDQ), 64 bytes are folded at a time; elsewhere tables take 8 at a time. Which
// it is makes no difference to a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ferry {

enum class CrcKind {
  kCrc32,      // of zlib
  kCrc32c,     // Castagnoli
  kCrc64Ecma,  // ECMA-182 reflected, as in XZ
  kCrc64Nvme,
};

std::size_t CrcBytes(CrcKind kind);  // 4 or 8

enum class CrcWay { kTables, kFolding };
// kFolding where this processor can.
CrcWay FastestCrcWay();

class Crc {
 public:
  // REQUIRES: this processor can go that way.
  explicit Crc(CrcKind kind, CrcWay way = FastestCrcWay());

  void Update(std::string_view bytes);
  // Of all bytes so far; more may follow.
  std::uint64_t value() const;

  static std::uint64_t Of(CrcKind kind, std::string_view bytes);

 private:
  CrcKind kind_;
  CrcWay way_;
  std::uint64_t state_;
};

// The CRC of two strings of bytes, one behind the other, from the CRC of each. `second_bytes` is
// how many the second has.
std::uint64_t CombineCrcs(CrcKind kind, std::uint64_t first, std::uint64_t second,
                          std::uint64_t second_bytes);

}  // namespace ferry
