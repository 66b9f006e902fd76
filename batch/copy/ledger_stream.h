// LedgerStream: what the ledger knows of a task, page by page, in key order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
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
  // kAhead: `read` is called on another thread, while the page before is looked at, and shares
  // nothing with this one.
  enum class When { kAsked, kAhead };
  LedgerStream(Read read, std::string prefix, When when = When::kAsked);

  // The row of a key without the prefix; null: there is none. Valid until the next call. Keys
  // ascend from call to call, and what lies between two of them is not read where it is much.
  // Throws what `read` throws.
  const LedgerEntry* At(const Key& key);

 private:
  void TakePage(const Key& key);

  const Read read_;
  const std::string prefix_;
  const When when_;
  std::vector<LedgerEntry> page_;
  std::size_t position_ = 0;
  Key last_;  // that was read, with the prefix
  std::int64_t asked_of_page_ = 0;
  bool at_end_ = false;
  std::future<std::vector<LedgerEntry>> next_;  // what is read ahead; waits for it at the end
};

}  // namespace ferry
