// LedgerStream: what the ledger knows of a task, page by page, in key order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batch/plan/object.h"

namespace ferry {

// The ledger rows of a task; keys without the source prefix.
class LedgerStream {
 public:
  // `read` gives the rows after a whole key, at most `limit`; fewer at the end. An empty function:
  // there is no ledger yet.
  using Read = std::function<std::vector<LedgerEntry>(const Key& after, std::int64_t limit)>;
  LedgerStream(Read read, std::string prefix);

  const LedgerEntry* Peek();
  void Next() { position_ += 1; }

 private:
  const Read read_;
  const std::string prefix_;
  std::vector<LedgerEntry> page_;
  std::size_t position_ = 0;
  Key last_;
  bool at_end_ = false;
};

}  // namespace ferry
