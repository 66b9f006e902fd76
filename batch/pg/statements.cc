#include "batch/pg/statements.h"

#include <cstdio>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/base/key.h"

namespace ferry::pg {

namespace {

constexpr std::string_view kQualifier = "bucketferry.";
constexpr std::size_t kIdentifierBytesMax = 63;  // NAMEDATALEN - 1: longer names are cut

bool IsIdentifierByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '"' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

void CheckSchemaName(std::string_view schema) {
  if (schema.empty() || schema.size() > kIdentifierBytesMax || schema.starts_with("pg_") ||
      schema.find('\0') != std::string_view::npos || !IsUtf8(schema)) {
    throw Error(ErrorKind::kConfig, "database_schema: \"" + EscapeBytes(schema) +
                                        "\" cannot be used: 1 to 63 bytes, not pg_...");
  }
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string ForSchema(std::string_view text, std::string_view schema) {
  const std::string qualifier = QuoteIdentifier(schema) + ".";
  std::string result;
  result.reserve(text.size() + 64);
  std::size_t from = 0;
  while (true) {
    const std::size_t at = text.find(kQualifier, from);
    if (at == std::string_view::npos) break;
    result.append(text.substr(from, at - from));
    const bool is_word = at == 0 || !IsIdentifierByte(text[at - 1]);
    result.append(is_word ? std::string_view(qualifier) : kQualifier);
    from = at + kQualifier.size();
  }
  result.append(text.substr(from));
  return result;
}

Statements::Statements(std::string_view schema, std::span<const SqlText> table) : schema_(schema) {
  CheckSchemaName(schema);
  for (const SqlText& sql : table) texts_.emplace(sql.name, ForSchema(sql.text, schema));
}

const std::string& Statements::Text(std::string_view name) const {
  const auto found = texts_.find(name);
  if (found == texts_.end()) {
    std::fprintf(stderr, "no file sql/%.*s.sql\n", static_cast<int>(name.size()), name.data());
  }
  FERRY_CHECK(found != texts_.end());
  return found->second;
}

}  // namespace ferry::pg
