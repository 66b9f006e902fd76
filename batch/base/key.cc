#include "batch/base/key.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <optional>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

constexpr unsigned char kNoDigit = 0xFF;

// What each character stands for. Millions of keys come from the database in hex.
constexpr std::array<unsigned char, 256> HexValues() {
  std::array<unsigned char, 256> values{};
  values.fill(kNoDigit);
  for (unsigned char i = 0; i < 10; ++i) values['0' + i] = i;
  for (unsigned char i = 0; i < 6; ++i) {
    values['a' + i] = static_cast<unsigned char>(10 + i);
    values['A' + i] = static_cast<unsigned char>(10 + i);
  }
  return values;
}
constexpr std::array<unsigned char, 256> kHexValues = HexValues();

// REQUIRES: two characters at least.
std::optional<unsigned char> HexByte(std::string_view text) {
  const unsigned char high = kHexValues[static_cast<unsigned char>(text[0])];
  const unsigned char low = kHexValues[static_cast<unsigned char>(text[1])];
  if (high == kNoDigit || low == kNoDigit) return std::nullopt;
  return static_cast<unsigned char>(high << 4 | low);
}

// "xNN".
std::optional<unsigned char> EscapedByte(std::string_view text) {
  if (text.size() < 3 || text[0] != 'x') return std::nullopt;
  return HexByte(text.substr(1));
}

// The length of the well-formed UTF-8 sequence that `bytes` begins with; 0 when there is none.
// Unicode 15, table 3-7.
std::size_t Utf8SequenceLength(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (length == 0 || bytes.size() < length) return 0;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return 0;
  }
  return length;
}

bool IsControl(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  // U+0080..U+009F: terminals obey some of them.
  return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

}  // namespace

std::string EscapeBytes(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = Utf8SequenceLength(bytes);
    const std::string_view sequence = bytes.substr(0, length == 0 ? 1 : length);
    if (sequence == "\\") {
      text += "\\\\";
    } else if (length == 0 || IsControl(sequence)) {
      for (const char byte : sequence) text += "\\x" + ToHex(std::string_view(&byte, 1));
    } else {
      text += sequence;
    }
    bytes.remove_prefix(sequence.size());
  }
  return text;
}

Key UnescapeKey(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (text.substr(i + 1, 1) == "\\") {
      bytes += '\\';
      i += 1;
    } else if (const auto byte = EscapedByte(text.substr(i + 1))) {
      bytes += static_cast<char>(*byte);
      i += 3;
    } else {
      throw Error(ErrorKind::kConfig,
                  "a key on the command line writes a backslash as \\\\ and a byte as \\xNN: " +
                      std::string(text));
    }
  }
  return Key(std::move(bytes));
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = Utf8SequenceLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

std::string FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw Error(ErrorKind::kCorrupt, "odd number of hex digits");
  std::string bytes(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = HexByte(hex.substr(2 * i));
    if (!byte) throw Error(ErrorKind::kCorrupt, "not a hex digit");
    bytes[i] = static_cast<char>(*byte);
  }
  return bytes;
}

std::string ToBase64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace ferry
