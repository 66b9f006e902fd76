#include "batch/base/key.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <optional>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

constexpr unsigned kNoHexDigit = 0x80;

// Millions of keys and ETags pass here.
constexpr std::array<unsigned char, 256> kHexValues = [] {
  std::array<unsigned char, 256> values{};
  values.fill(kNoHexDigit);
  for (unsigned char digit = 0; digit < 10; ++digit) values.at('0' + digit) = digit;
  for (unsigned char digit = 10; digit < 16; ++digit) {
    values.at('a' - 10 + digit) = values.at('A' - 10 + digit) = digit;
  }
  return values;
}();

std::optional<unsigned char> HexByte(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const unsigned high = kHexValues[static_cast<unsigned char>(text[0])];
  const unsigned low = kHexValues[static_cast<unsigned char>(text[1])];
  if (((high | low) & kNoHexDigit) != 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
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
    } else if (const auto byte = HexByte(text.substr(std::min(i + 2, text.size())));
               text.substr(i + 1, 1) == "x" && byte) {
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
  std::string hex(bytes.size() * 2, '\0');
  char* to = hex.data();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = kHexDigits[byte >> 4];
    *to++ = kHexDigits[byte & 15];
  }
  return hex;
}

std::string FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw Error(ErrorKind::kCorrupt, "odd number of hex digits");
  std::string bytes(hex.size() / 2, '\0');
  unsigned others = 0;  // stays 0 while all are digits
  const char* from = hex.data();
  for (char& byte : bytes) {
    const unsigned high = kHexValues[static_cast<unsigned char>(*from++)];
    const unsigned low = kHexValues[static_cast<unsigned char>(*from++)];
    others |= (high | low) & kNoHexDigit;
    byte = static_cast<char>(high * 16 + low);
  }
  if (others != 0) throw Error(ErrorKind::kCorrupt, "not a hex digit");
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

std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes(3 * (text.size() / 4) + 1, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  // The length counts what stands for the padding.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  if (ToBase64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace ferry
