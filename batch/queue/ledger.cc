#include "batch/queue/ledger.h"

namespace ferry {
namespace {

Verdict VerdictOf(std::string_view text) {
  for (const Verdict verdict : {Verdict::kArchived, Verdict::kBeingRestored}) {
    if (text == ToString(verdict)) return verdict;
  }
  return Verdict::kKeyRefused;
}

LedgerEntry ReadEntry(const pg::Row& row) {
  LedgerEntry entry;
  entry.key = row.Get<Key>("key");
  entry.source.etag = row.Get<std::string>("source_etag");
  entry.source.size_bytes = row.Get<std::uint64_t>("size_bytes");
  entry.source.modified_ms = row.Get<std::int64_t>("source_modified_ms");
  entry.source.version = row.Get<std::string>("source_version");
  entry.destination_etag = row.Get<std::string>("destination_etag");
  entry.trusted = row.Get<bool>("trusted");
  if (const auto verdict = row.Get<std::optional<std::string>>("verdict")) {
    entry.verdict = VerdictOf(*verdict);
  }
  return entry;
}

}  // namespace

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kArchived: return "archived";
    case Verdict::kBeingRestored: return "being_restored";
    case Verdict::kKeyRefused: return "key_refused";
  }
  return "";
}

std::vector<LedgerEntry> ReadLedger(pg::Session& session, std::int64_t task_id, const Key& after,
                                    std::int64_t limit) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<LedgerEntry> entries;
    tx.Execute("queries/take_rows_in_order");
    const pg::Rows rows = tx.Execute("queries/read_ledger", task_id, after, limit);
    entries.reserve(rows.size());
    for (const pg::Row row : rows) entries.push_back(ReadEntry(row));
    return entries;
  });
}

std::optional<LedgerEntry> ReadLedgerRow(pg::Session& session, std::int64_t task_id,
                                         const Key& key) {
  return session.Transact([&](pg::Transaction& tx) -> std::optional<LedgerEntry> {
    const pg::Rows rows = tx.Execute("queries/read_ledger_row", task_id, key);
    if (rows.empty()) return std::nullopt;
    return ReadEntry(rows[0]);
  });
}

std::vector<LedgerEntry> ReadLedgerRows(pg::Session& session, std::int64_t task_id,
                                        const std::vector<Key>& keys) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<LedgerEntry> entries;
    for (const pg::Row row : tx.Execute("queries/read_ledger_rows", task_id, keys)) {
      entries.push_back(ReadEntry(row));
    }
    return entries;
  });
}

std::int64_t CountLedgered(pg::Session& session, std::int64_t task_id, std::int64_t limit) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_ledgered", task_id, limit).One().Get<std::int64_t>("objects");
  });
}

std::int64_t CountBeingRestored(pg::Session& session, std::int64_t task_id) {
  return session.Transact([&](pg::Transaction& tx) {
    return tx.Execute("queries/count_being_restored", task_id)[0].Get<std::int64_t>("objects");
  });
}

void WriteLedger(pg::Transaction& tx, std::int64_t task_id, std::int64_t run_id,
                 const std::vector<LedgerRow>& rows) {
  if (rows.empty()) return;
  std::vector<Key> keys;
  std::vector<std::int64_t> sizes, times;
  std::vector<std::string> etags, versions;
  std::vector<std::optional<std::string>> destination_etags, proofs, verdicts;
  for (const LedgerRow& row : rows) {
    keys.push_back(row.key);
    sizes.push_back(static_cast<std::int64_t>(row.source.size_bytes));
    times.push_back(row.source.modified_ms);
    etags.push_back(row.source.etag);
    versions.push_back(row.source.version);
    if (row.verdict) {
      destination_etags.emplace_back();
      proofs.emplace_back();
      verdicts.emplace_back(std::string(ToString(*row.verdict)));
    } else {
      destination_etags.emplace_back(row.destination_etag);
      proofs.emplace_back(row.proof);
      verdicts.emplace_back();
    }
  }
  tx.Execute("queries/write_ledger", task_id, run_id, keys, sizes, etags, times, destination_etags,
             proofs, verdicts, versions);
}

}  // namespace ferry
