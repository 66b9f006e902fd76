// Planner: three sorted streams -> findings -> job rows and ledger rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/copy/ledger_stream.h"
#include "batch/listing/entry_stream.h"
#include "batch/plan/diff.h"
#include "batch/plan/object_filter.h"
#include "batch/provider/provider.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/ledger.h"
#include "batch/queue/planner_session.h"

namespace ferry {

// One key that was decided. The pointers are valid during the call.
struct Found {
  Key source_key;
  Key destination_key;
  const ListedEntry& source;
  const ListedEntry* destination;
  Finding finding;
  std::string refusal;  // with Decision::kKeyRefused
};

// One key that the destination has and the source does not. The pointers are valid during the call.
struct ExtraFound {
  Key source_key;
  Key destination_key;
  const ListedEntry& destination;
  const LedgerEntry* ledger;
};

struct CompareInput {
  EntryStream& source;
  EntryStream& destination;
  LedgerStream& ledger;
  const ObjectFilter& filter;
  AdoptPolicy adopt;
  const Provider& destination_provider;
  std::string source_prefix;
  std::string destination_prefix;
  bool destination_asked = true;  // false: what `destination` lacks may be there all the same
  // Told of each extra that passes the filter, in key order; the destination is listed to its end
  // then. Empty: nobody asks, and it is listed no further than the source.
  std::function<void(const ExtraFound&)> extra = {};
  // Called now and then while entries are looked at, also where the filter lets none through.
  std::function<void()> looked = {};
};

struct CompareCounts {
  std::uint64_t source_objects = 0;    // that pass the filter
  std::uint64_t ledgered_objects = 0;  // at the destination, of those that pass the filter
};

// Merges the three streams with bounded memory and tells `found` of each source key that passes
// the filter, in key order. Throws what the streams throw, and Error{kStopped}.
CompareCounts Compare(CompareInput input, const std::stop_token& stop,
                      const std::function<void(const Found&)>& found);

// How much one plan may hold of what is to be copied or verified, in key order; one object always.
struct PlanCaps {
  std::optional<std::int64_t> objects_max = {};
  std::optional<std::int64_t> bytes_max = {};
  // Archived objects that are being restored are planned, and so many others: their copies find
  // out whether they can be read, and ask for it. nullopt: none.
  std::optional<std::int64_t> restores_max = {};
};

// Of what the caps left over for the next run.
struct LeftOver {
  std::int64_t objects = 0;
  std::int64_t bytes = 0;
};

// Turns findings into rows, in batches of their own transactions: nothing holds a transaction for
// long, and workers begin while planning goes on. Looked() is to be called now and then meanwhile:
// it writes a batch that waits, and lets the run come forward where there is none to write.
// Finish() writes the rest.
class PlanWriter {
 public:
  // `session` and `clock` outlive this object. `planned` is called when jobs were committed, on the
  // caller's thread, and may not throw.
  PlanWriter(
      PlannerSession& session, std::int64_t run_id, std::int64_t task_id, Clock& clock,
      std::function<void()> planned = [] {}, PlanCaps caps = {});

  void Add(const Found& found);
  void Looked();
  void Finish();
  // As Finish, and `beside` in the same transaction, also where no row waits. `beside` is safe to
  // repeat after it was committed.
  void FinishWith(const std::function<void(pg::Transaction&)>& beside);

  const Tally& totals() const { return totals_; }  // of all batches so far
  const LeftOver& left_over() const { return left_over_; }
  std::int64_t next_job_id() const { return next_job_id_; }

 private:
  void AddUnlessOver(const Found& found);
  bool IsToBeRestored(const Finding& finding);
  void AddJob(const Found& found, std::string final_state, std::string error);
  void AddLedgerRow(const Found& found, std::optional<Verdict> verdict);
  void WriteBatch(const std::function<void(pg::Transaction&)>& beside = {});
  void AnalyzeWhenGrown();
  bool IsWritten(pg::Transaction& tx) const;

  PlannerSession& session_;
  const std::int64_t run_id_;
  const std::int64_t task_id_;
  Clock& clock_;
  const std::function<void()> planned_;
  const PlanCaps caps_;
  LeftOver left_over_;
  std::int64_t restores_ = 0;  // planned
  std::int64_t next_job_id_ = 1;
  std::int64_t analyze_at_ = 1000;  // planned jobs
  std::vector<NewJob> jobs_;
  std::vector<LedgerRow> ledger_;
  Tally tally_;
  Tally totals_;
  SteadyTime batch_began_{};
  SteadyTime written_at_;
};

}  // namespace ferry
