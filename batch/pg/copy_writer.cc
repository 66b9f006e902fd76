#include "batch/pg/copy_writer.h"

#include <cstdlib>
#include <memory>

#include "batch/base/check.h"
#include "batch/pg/connection.h"

namespace ferry::pg {

namespace {

// Large enough that libpq's cost a call does not show, small beside any batch.
constexpr std::size_t kBufferBytes = 64 * 1024;

}  // namespace

using internal::OwnedResult;
using internal::SqlState;

CopyWriter::CopyWriter(Transaction& tx, std::string_view table,
                       std::initializer_list<std::string_view> columns)
    : tx_(tx), table_("copy " + std::string(table)), column_count_(columns.size()) {
  FERRY_CHECK(tx.open_ && column_count_ > 0);
  std::string text =
      "copy " + QuoteIdentifier(tx.session().statements().schema()) + "." + QuoteIdentifier(table);
  const char* separator = " (";
  for (const std::string_view column : columns) {
    text.append(separator).append(QuoteIdentifier(column));
    separator = ", ";
  }
  text.append(") from stdin");

  internal::Connection& connection = tx_.connection();
  const OwnedResult result(PQexec(connection.raw, text.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
    connection.Throw(Phase::kStatement, table_, SqlState(result.get()),
                     PQerrorMessage(connection.raw));
  }
  open_ = true;
  buffer_.reserve(kBufferBytes + 4096);
}

CopyWriter::~CopyWriter() {
  if (!open_) return;
  PGconn* const raw = tx_.connection().raw;
  PQputCopyEnd(raw, "cancelled by the writer");
  while (const OwnedResult result{PQgetResult(raw)}) {
  }
}

void CopyWriter::AddField(const Encoded& field) {
  if (fields_in_row_++ > 0) buffer_.push_back('\t');
  AppendCopyField(field, &buffer_);
}

void CopyWriter::EndRow() {
  FERRY_CHECK(open_ && fields_in_row_ == column_count_);
  fields_in_row_ = 0;
  buffer_.push_back('\n');
  if (buffer_.size() >= kBufferBytes) Flush();
}

void CopyWriter::Flush() {
  internal::Connection& connection = tx_.connection();
  if (PQputCopyData(connection.raw, buffer_.data(), static_cast<int>(buffer_.size())) != 1) {
    connection.Throw(Phase::kStatement, table_, "", PQerrorMessage(connection.raw));
  }
  buffer_.clear();
}

std::int64_t CopyWriter::Finish() {
  FERRY_CHECK(open_);
  internal::Connection& connection = tx_.connection();
  if (!buffer_.empty()) Flush();
  open_ = false;
  if (PQputCopyEnd(connection.raw, nullptr) != 1) {
    connection.Throw(Phase::kStatement, table_, "", PQerrorMessage(connection.raw));
  }
  const OwnedResult result(PQgetResult(connection.raw));
  const std::string message = PQerrorMessage(connection.raw);
  while (const OwnedResult rest{PQgetResult(connection.raw)}) {
  }
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    connection.Throw(Phase::kStatement, table_, SqlState(result.get()), message);
  }
  return std::strtoll(PQcmdTuples(result.get()), nullptr, 10);
}

}  // namespace ferry::pg
