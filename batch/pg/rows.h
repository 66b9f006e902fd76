// Rows: the answer of a statement, with columns by name and by C++ type.
//
//   for (const pg::Row row : tx.Execute("queries/claim_jobs", worker, 100)) {
//     jobs.push_back({row.Get<std::int64_t>("job_id"), row.Get<Key>("key"),
//                     row.Get<std::optional<std::string>>("error")});
//   }
//
// Types: bool, int, std::int64_t, std::uint64_t, double (also from numeric), std::string (any
// type but bytea), Key and Bytes (bytea), Timestamp (from a bigint of microseconds, that is
// `(extract(epoch from t) * 1e6)::bigint`), and std::optional of these.
// A column that is not there, or of another type, is a mistake between a .sql file and its caller
// and ends the program (FERRY_CHECK); NULL where no optional is asked for throws Error{kCorrupt}.
// Rows are values: copies share the answer, which lives as long as any of them, after the
// transaction too. A Row must not outlive its Rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/key.h"
#include "batch/pg/value.h"

namespace ferry::pg {

class Rows;

namespace internal {

struct Answer;  // libpqxx's result, kept out of headers

// One field as the server sent it. `column` is for messages.
struct Field {
  std::string_view text;
  bool is_null;
  unsigned type;
  std::string_view column;
};

void Decode(const Field& field, bool* value);
void Decode(const Field& field, int* value);
void Decode(const Field& field, std::int64_t* value);
void Decode(const Field& field, std::uint64_t* value);
void Decode(const Field& field, double* value);
void Decode(const Field& field, std::string* value);
void Decode(const Field& field, Key* value);
void Decode(const Field& field, Bytes* value);
void Decode(const Field& field, Timestamp* value);

template <typename T>
void Decode(const Field& field, std::optional<T>* value) {
  value->reset();
  if (!field.is_null) Decode(field, &value->emplace());
}

}  // namespace internal

class Row {
 public:
  template <typename T>
  T Get(std::string_view column) const {
    T value{};
    internal::Decode(FieldAt(column), &value);
    return value;
  }

 private:
  friend class Rows;
  Row(const Rows* rows, std::size_t index) : rows_(rows), index_(index) {}
  internal::Field FieldAt(std::string_view column) const;

  const Rows* rows_;
  std::size_t index_;
};

class Rows {
 public:
  explicit Rows(std::shared_ptr<const internal::Answer> answer);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Row operator[](std::size_t index) const { return Row(this, index); }

  // The only row. Throws Error{kCorrupt} when there are none or several.
  Row One() const;

  // Rows written by insert, update or delete.
  std::int64_t affected() const;

  bool HasColumn(std::string_view column) const;

  class Iterator {
   public:
    Row operator*() const { return (*rows_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class Rows;
    Iterator(const Rows* rows, std::size_t index) : rows_(rows), index_(index) {}
    const Rows* rows_;
    std::size_t index_;
  };
  Iterator begin() const { return Iterator(this, 0); }
  Iterator end() const { return Iterator(this, size_); }

 private:
  friend class Row;
  std::shared_ptr<const internal::Answer> answer_;
  std::size_t size_;
};

}  // namespace ferry::pg
