#include "batch/pg/value.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "batch/base/check.h"
#include "batch/base/error.h"

namespace ferry::pg {

namespace {

std::string HexBytea(std::string_view bytes) { return "\\x" + ToHex(bytes); }

}  // namespace

Encoded EncodeInteger(std::int64_t value) { return std::to_string(value); }

Encoded Encode(bool value) { return value ? "t" : "f"; }

// The shortest text that reads back as the same double; "nan" and "inf" are PostgreSQL's too.
Encoded Encode(double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  FERRY_CHECK(end.ec == std::errc());
  return std::string(text, end.ptr);
}

Encoded Encode(std::string_view text) {
  // libpq takes parameters as C strings: the rest would be cut off without a word.
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::kInvalid, "database: a text value with a NUL: " + EscapeBytes(text),
                "22021");
  }
  return std::string(text);
}

Encoded Encode(const Key& key) { return HexBytea(key.bytes()); }

Encoded Encode(const Bytes& bytes) { return HexBytea(bytes.bytes); }

Encoded Encode(Timestamp time) {
  using namespace std::chrono;
  const sys_time<microseconds> moment{microseconds{time.micros}};
  const sys_days day = floor<days>(moment);
  const year_month_day date{day};
  const std::int64_t micros = (moment - day).count();
  const int year = static_cast<int>(date.year());
  FERRY_CHECK(year > 0 && year < 10'000);
  const std::int64_t seconds = micros / 1'000'000;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", year,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60, micros % 1'000'000);
}

void AppendElement(const Encoded& element, std::string* array) {
  if (array->size() > 1) array->push_back(',');
  if (!element) {
    array->append("NULL");
    return;
  }
  // Always quoted: a text of NULL, an empty one or one with a comma then needs no thought.
  array->push_back('"');
  for (const char c : *element) {
    if (c == '"' || c == '\\') array->push_back('\\');
    array->push_back(c);
  }
  array->push_back('"');
}

void AppendCopyField(const Encoded& field, std::string* line) {
  if (!field) {
    line->append("\\N");
    return;
  }
  for (const char c : *field) {
    switch (c) {
      case '\\': line->append("\\\\"); break;
      case '\t': line->append("\\t"); break;
      case '\n': line->append("\\n"); break;
      case '\r': line->append("\\r"); break;
      default: line->push_back(c);
    }
  }
}

}  // namespace ferry::pg
