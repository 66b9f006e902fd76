// The text of the files below sql/, embedded at build time.
#pragma once

#include <span>
#include <string_view>

namespace ferry::pg {

struct SqlText {
  std::string_view name;  // "queries/claim_jobs", "migrations/0001_initial"
  std::string_view text;
};

// Sorted by name.
std::span<const SqlText> SqlTable();

}  // namespace ferry::pg
