// The ledger: what the destination is known to hold, per object; and standing verdicts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/pg/session.h"
#include "batch/plan/object.h"

namespace ferry {

// Keys here are whole source keys.
struct LedgerRow {
  Key key;
  SourceIdentity source;
  std::string destination_etag;  // with `proof`, or
  std::string proof;
  std::optional<Verdict> verdict;  // instead of both
};

std::string_view ToString(Verdict verdict);

// A page in key order, after `after`; shorter than `limit` at the end. One short statement: the
// planner holds no long transaction.
std::vector<LedgerEntry> ReadLedger(pg::Session& session, std::int64_t task_id, const Key& after,
                                    std::int64_t limit);

std::optional<LedgerEntry> ReadLedgerRow(pg::Session& session, std::int64_t task_id,
                                         const Key& key);

// Of those of `keys` that it knows, in any order.
std::vector<LedgerEntry> ReadLedgerRows(pg::Session& session, std::int64_t task_id,
                                        const std::vector<Key>& keys);

// How many objects the destination is known to hold; `limit` where they are as many or more.
std::int64_t CountLedgered(pg::Session& session, std::int64_t task_id, std::int64_t limit);

// How many archived objects of the task a run looked at within a week whose restoring was asked
// for: one that was deleted since, or is no longer looked at, counts no more.
std::int64_t CountBeingRestored(pg::Session& session, std::int64_t task_id);

void WriteLedger(pg::Transaction& tx, std::int64_t task_id, std::int64_t run_id,
                 const std::vector<LedgerRow>& rows);

}  // namespace ferry
