// Values on their way into a statement: one text form per C++ type.
//
// Everything travels in PostgreSQL's text format, which the server's own input functions check.
// std::string is text (valid UTF-8, no NUL); Key and Bytes are bytea and may hold any byte. A
// vector is an array, for `unnest($1::bytea[], $2::bigint[])` batches; std::optional is a value or
// NULL, in arrays too. Say the type in the SQL where it is not plain: `$1::bytea[]`.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/key.h"

namespace ferry::pg {

// A bytea that is no key: a digest, a cursor.
struct Bytes {
  std::string bytes;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// A timestamptz: microseconds since 1970 UTC.
struct Timestamp {
  std::int64_t micros = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// nullopt is NULL.
using Encoded = std::optional<std::string>;

Encoded EncodeInteger(std::int64_t value);
Encoded Encode(bool value);
Encoded Encode(double value);
Encoded Encode(std::string_view text);  // throws Error{kInvalid}: a NUL cannot be text
Encoded Encode(const Key& key);
Encoded Encode(const Bytes& bytes);
Encoded Encode(Timestamp time);
inline Encoded Encode(std::nullopt_t) { return std::nullopt; }
inline Encoded Encode(const std::string& text) { return Encode(std::string_view(text)); }
inline Encoded Encode(const char* text) { return Encode(std::string_view(text)); }

// Unsigned 64-bit numbers must fit bigint; sizes and counts here do.
template <std::integral Integer>
Encoded Encode(Integer value) {
  return EncodeInteger(static_cast<std::int64_t>(value));
}

template <typename T>
Encoded Encode(const std::vector<T>& values);

template <typename T>
Encoded Encode(const std::optional<T>& value) {
  return value ? Encode(*value) : std::nullopt;
}

// Appends one element, quoted as array literals want it; the first goes in without a comma.
void AppendElement(const Encoded& element, std::string* array);

template <typename T>
Encoded Encode(const std::vector<T>& values) {
  std::string array = "{";
  for (const auto& value : values) AppendElement(Encode(T(value)), &array);
  array.push_back('}');
  return array;
}

// One field of a COPY line in text format.
void AppendCopyField(const Encoded& field, std::string* line);

}  // namespace ferry::pg
