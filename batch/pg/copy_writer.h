// CopyWriter: many rows into one table, by COPY, inside a transaction.
//
//   pg::CopyWriter jobs(tx, "job", {"run_id", "key", "size_bytes", "listed_at"});
//   for (...) jobs.Add(run, key, size, pg::Timestamp{micros});
//   jobs.Finish();
//
// Nothing else may be executed on the transaction before Finish(). A writer that goes out of scope
// without it cancels the copy, and the transaction can then only be rolled back.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "batch/pg/session.h"

namespace ferry::pg {

class CopyWriter {
 public:
  // `table` without schema: the session's is meant.
  CopyWriter(Transaction& tx, std::string_view table,
             std::initializer_list<std::string_view> columns);
  ~CopyWriter();
  CopyWriter(const CopyWriter&) = delete;
  CopyWriter& operator=(const CopyWriter&) = delete;

  // One row, in the order of `columns`. Throws Error when the connection is lost; what the server
  // has against a row may show only in Finish().
  template <typename... Values>
  void Add(const Values&... values) {
    (AddField(Encode(values)), ...);
    EndRow();
  }

  // Returns the number of rows. Throws Error; the transaction is then lost.
  std::int64_t Finish();

 private:
  void AddField(const Encoded& field);
  void EndRow();
  void Flush();

  Transaction& tx_;
  const std::string table_;
  const std::size_t column_count_;
  std::size_t fields_in_row_ = 0;
  std::string buffer_;
  bool open_ = false;
};

}  // namespace ferry::pg
