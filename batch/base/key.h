// Key: the name of an object, any bytes, at most 1,024 of them in S3.
//
// Keys are ordered as bytes (unsigned), which is the order of ListObjectsV2 (UTF-8 byte order)
// and of bytea. They never become C strings or database text: both lose or refuse a NUL.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ferry {

class Key {
 public:
  Key() = default;
  explicit Key(std::string bytes) : bytes_(std::move(bytes)) {}

  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  bool StartsWith(std::string_view prefix) const { return bytes_.starts_with(prefix); }

  friend auto operator<=>(const Key&, const Key&) = default;

 private:
  std::string bytes_;
};

// For people: text as it is; control characters and invalid UTF-8 as \xNN, a backslash as \\.
std::string EscapeBytes(std::string_view bytes);
inline std::string Escape(const Key& key) { return EscapeBytes(key.bytes()); }

// The inverse. Throws Error{kConfig} for a backslash that starts no such escape.
Key UnescapeKey(std::string_view text);

// Whether `bytes` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool IsUtf8(std::string_view bytes);

std::string ToHex(std::string_view bytes);     // lower case
std::string FromHex(std::string_view hex);     // throws Error{kCorrupt}
std::string ToBase64(std::string_view bytes);  // with padding, no line breaks
// nullopt: not what ToBase64 makes.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace ferry
