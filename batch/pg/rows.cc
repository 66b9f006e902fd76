#include "batch/pg/rows.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/pg/connection.h"

namespace ferry::pg {

namespace {

// pg_type.oid of what is read here; these never change.
constexpr unsigned kBoolType = 16;
constexpr unsigned kByteaType = 17;
constexpr unsigned kBigintType = 20;
constexpr unsigned kSmallintType = 21;
constexpr unsigned kIntegerType = 23;
constexpr unsigned kRealType = 700;
constexpr unsigned kDoubleType = 701;
constexpr unsigned kNumericType = 1700;

using internal::Field;

// `sql/` and its caller disagree: no input can mend that.
void CheckColumn(bool good, std::string_view column, const char* problem) {
  if (!good) {
    std::fprintf(stderr, "column %.*s: %s\n", static_cast<int>(column.size()), column.data(),
                 problem);
  }
  FERRY_CHECK(good);
}

[[noreturn]] void Corrupt(const Field& field, const char* problem) {
  throw Error(ErrorKind::kCorrupt,
              "database: column " + std::string(field.column) + ": " + problem);
}

void RequireValue(const Field& field) {
  if (field.is_null) Corrupt(field, "NULL where a value must be");
}

template <typename Number>
Number ParseNumber(const Field& field) {
  Number value{};
  const char* const end = field.text.data() + field.text.size();
  const auto parsed = std::from_chars(field.text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) Corrupt(field, "number out of range");
  return value;
}

template <typename Integer>
Integer ParseInteger(const Field& field) {
  CheckColumn(
      field.type == kBigintType || field.type == kIntegerType || field.type == kSmallintType,
      field.column, "asked for an integer, is none: cast it to bigint");
  RequireValue(field);
  return ParseNumber<Integer>(field);
}

std::string ParseBytea(const Field& field) {
  CheckColumn(field.type == kByteaType, field.column, "asked for bytea, is none");
  RequireValue(field);
  if (!field.text.starts_with("\\x")) Corrupt(field, "bytea not in hex format");
  return FromHex(field.text.substr(2));
}

}  // namespace

namespace internal {

void Decode(const Field& field, bool* value) {
  CheckColumn(field.type == kBoolType, field.column, "asked for a boolean, is none");
  RequireValue(field);
  *value = field.text == "t";
}

void Decode(const Field& field, int* value) { *value = ParseInteger<int>(field); }

void Decode(const Field& field, std::int64_t* value) { *value = ParseInteger<std::int64_t>(field); }

void Decode(const Field& field, std::uint64_t* value) {
  *value = ParseInteger<std::uint64_t>(field);
}

void Decode(const Field& field, double* value) {
  CheckColumn(field.type == kDoubleType || field.type == kRealType || field.type == kNumericType ||
                  field.type == kBigintType || field.type == kIntegerType ||
                  field.type == kSmallintType,
              field.column, "asked for a number, is none");
  RequireValue(field);
  *value = ParseNumber<double>(field);
}

void Decode(const Field& field, std::string* value) {
  CheckColumn(field.type != kByteaType, field.column, "asked for text, is bytea");
  RequireValue(field);
  *value = std::string(field.text);
}

void Decode(const Field& field, Key* value) { *value = Key(ParseBytea(field)); }

void Decode(const Field& field, Bytes* value) { value->bytes = ParseBytea(field); }

void Decode(const Field& field, Timestamp* value) {
  value->micros = ParseInteger<std::int64_t>(field);
}

}  // namespace internal

namespace {

std::vector<internal::Column> ColumnsOf(const PGresult* result) {
  std::vector<internal::Column> columns;
  const int count = PQnfields(result);
  columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    columns.push_back({PQfname(result, i), PQftype(result, i)});
  }
  return columns;
}

// -1: there is none. Answers have few columns, so looking is cheaper than a map.
int FindColumn(const internal::Answer& answer, std::string_view column) {
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    if (column == answer.columns[i].name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

internal::Answer::Answer(OwnedResult answer)
    : result(std::move(answer)), columns(ColumnsOf(result.get())) {}

internal::Field Row::FieldAt(std::string_view column) const {
  const internal::Answer& answer = *rows_->answer_;
  FERRY_CHECK(index_ < rows_->size_);
  const int found = FindColumn(answer, column);
  CheckColumn(found >= 0, column, "not in the answer");
  const PGresult* const result = answer.result.get();
  const int row = static_cast<int>(index_);
  const auto size = static_cast<std::size_t>(PQgetlength(result, row, found));
  return {std::string_view(PQgetvalue(result, row, found), size),
          PQgetisnull(result, row, found) != 0,
          answer.columns[static_cast<std::size_t>(found)].type, column};
}

Rows::Rows(std::shared_ptr<const internal::Answer> answer)
    : answer_(std::move(answer)),
      size_(static_cast<std::size_t>(PQntuples(answer_->result.get()))) {}

Row Rows::One() const {
  if (size_ != 1) {
    throw Error(ErrorKind::kCorrupt,
                "database: " + std::to_string(size_) + " rows where one must be");
  }
  return Row(this, 0);
}

std::int64_t Rows::affected() const {
  return std::strtoll(PQcmdTuples(answer_->result.get()), nullptr, 10);
}

bool Rows::HasColumn(std::string_view column) const { return FindColumn(*answer_, column) >= 0; }

}  // namespace ferry::pg
