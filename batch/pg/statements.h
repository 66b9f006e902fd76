// Statements: the embedded SQL by name, spoken to one schema.
//
// The files below sql/ name every object of ours as `bucketferry.something`. Here each such
// qualifier becomes the configured schema, quoted, so that a statement means the same whatever
// the search path is: behind a transaction pooler nobody may set one for longer than a transaction.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "batch/pg/sql_table.h"

namespace ferry::pg {

// "name" -> "\"name\"", quotes doubled.
std::string QuoteIdentifier(std::string_view name);

// `text` with `bucketferry.` replaced by `schema`, quoted. A longer word that ends in
// "bucketferry" stays as it is.
std::string ForSchema(std::string_view text, std::string_view schema);

class Statements {
 public:
  // Throws Error{kConfig} for a name that cannot be a schema of ours. The texts are copied.
  explicit Statements(std::string_view schema, std::span<const SqlText> table = SqlTable());

  // "queries/claim_jobs" -> its text. An unknown name ends the program (FERRY_CHECK).
  const std::string& Text(std::string_view name) const;

  bool Has(std::string_view name) const { return texts_.find(name) != texts_.end(); }
  const std::string& schema() const { return schema_; }

 private:
  std::string schema_;
  std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace ferry::pg
