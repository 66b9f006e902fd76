#include "batch/copy/planner.h"

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/object_copy.h"
#include "batch/provider/key_refusal.h"

namespace ferry {
namespace {

constexpr std::size_t kBatchRowsMax = 2000;
// On a slow listing workers should not wait for a whole batch.
constexpr std::chrono::milliseconds kBatchAgeMax{500};
// A planner that finds nothing to write says so often that it still looks at keys.
constexpr std::chrono::seconds kAdvanceEvery{10};
constexpr int kLookEvery = 1000;

// One walk over the three streams, in key order.
class Merge {
 public:
  Merge(CompareInput& input, const std::stop_token& stop,
        const std::function<void(const Found&)>& found)
      : input_(input), stop_(stop), found_(found) {}

  CompareCounts Run() {
    // Both sides must answer, also where there is nothing to compare: an empty source says nothing
    // of a destination that is not there.
    input_.destination.Peek();
    while (const ListedEntry* source = input_.source.Peek()) {
      LookAround();
      PassExtras(&source->key);
      if (input_.filter.Matches(*source)) TakeSource(*source);
      const ListedEntry* destination = input_.destination.Peek();
      if (destination != nullptr && destination->key == source->key) input_.destination.Next();
      input_.source.Next();
    }
    if (input_.extra) PassExtras(nullptr);
    if (stop_.stop_requested()) throw Error(ErrorKind::kStopped, "stopped while planning");
    return counts_;
  }

 private:
  void LookAround() {
    if (--until_look_ > 0) return;
    if (stop_.stop_requested()) throw Error(ErrorKind::kStopped, "stopped while planning");
    if (input_.looked) input_.looked();
    until_look_ = kLookEvery;
  }

  // What the destination has before `until`; null: all that is left.
  void PassExtras(const Key* until) {
    const ListedEntry* entry = input_.destination.Peek();
    while (entry != nullptr && (until == nullptr || entry->key < *until)) {
      LookAround();
      if (input_.extra && input_.filter.MatchesKey(entry->key.bytes())) TakeExtra(*entry);
      input_.destination.Next();
      entry = input_.destination.Peek();
    }
  }

  void TakeExtra(const ListedEntry& entry) {
    const LedgerEntry* ledger = input_.ledger.At(entry.key);
    if (ledger != nullptr && !ledger->verdict) counts_.ledgered_objects += 1;
    input_.extra({Key(input_.source_prefix + entry.key.bytes()),
                  Key(input_.destination_prefix + entry.key.bytes()), entry, ledger});
  }

  void TakeSource(const ListedEntry& source) {
    const Key& key = source.key;
    Sides sides;
    sides.source = &source;
    const ListedEntry* destination = input_.destination.Peek();
    if (destination != nullptr && destination->key == key) sides.destination = destination;
    sides.ledger = input_.ledger.At(key);
    counts_.source_objects += 1;
    if (sides.destination != nullptr && sides.ledger != nullptr && !sides.ledger->verdict) {
      counts_.ledgered_objects += 1;
    }
    Found one{Key(input_.source_prefix + key.bytes()),
              Key(input_.destination_prefix + key.bytes()),
              source,
              sides.destination,
              {},
              {}};
    const auto refusal = KeyRefusal(input_.destination_provider, one.destination_key);
    sides.key_allowed = !refusal;
    sides.destination_asked = input_.destination_asked;
    if (refusal) one.refusal = *refusal;
    one.finding = Decide(sides, input_.adopt);
    found_(one);
  }

  CompareInput& input_;
  const std::stop_token& stop_;
  const std::function<void(const Found&)>& found_;
  int until_look_ = kLookEvery;
  CompareCounts counts_;
};

}  // namespace

CompareCounts Compare(CompareInput input, const std::stop_token& stop,
                      const std::function<void(const Found&)>& found) {
  return Merge(input, stop, found).Run();
}

PlanWriter::PlanWriter(PlannerSession& session, std::int64_t run_id, std::int64_t task_id,
                       Clock& clock, std::function<void()> planned, PlanCaps caps)
    : session_(session),
      run_id_(run_id),
      task_id_(task_id),
      clock_(clock),
      planned_(std::move(planned)),
      caps_(caps),
      written_at_(clock.SteadyNow()) {}

void PlanWriter::Add(const Found& found) {
  if (tally_.source_objects == 0) batch_began_ = clock_.SteadyNow();
  tally_.source_objects += 1;
  switch (found.finding.decision) {
    case Decision::kNothing: break;
    case Decision::kCopy:
    case Decision::kVerify: AddUnlessOver(found); break;
    case Decision::kAdopt:
      tally_.adopted += 1;
      AddLedgerRow(found, std::nullopt);
      break;
    case Decision::kRepairLedger: AddLedgerRow(found, std::nullopt); break;
    case Decision::kArchived:
      if (IsToBeRestored(found.finding)) {
        AddUnlessOver(found);
        break;
      }
      tally_.archived += 1;
      if (found.finding.known) break;
      AddJob(found, "archived", "the object is in an archive class and must be restored first");
      AddLedgerRow(found, Verdict::kArchived);
      break;
    case Decision::kKeyRefused:
      tally_.dead += 1;
      if (found.finding.known) break;
      AddJob(found, "dead", "the destination cannot hold this key: " + found.refusal);
      AddLedgerRow(found, Verdict::kKeyRefused);
      break;
  }
  if (jobs_.size() + ledger_.size() >= kBatchRowsMax) WriteBatch();
}

void PlanWriter::Looked() {
  const SteadyTime now = clock_.SteadyNow();
  if (tally_ != Tally{}) {
    if (now - batch_began_ >= kBatchAgeMax) WriteBatch();
  } else if (now - written_at_ >= kAdvanceEvery) {
    session_.Write(
        run_id_, [](pg::Transaction&) { return true; },
        [this](pg::Transaction& tx, std::int64_t worker_id) {
          AddTally(tx, run_id_, worker_id, {}, Advance::kInAnyCase);
        });
    written_at_ = now;
  }
}

void PlanWriter::Finish() { WriteBatch(); }

void PlanWriter::FinishWith(const std::function<void(pg::Transaction&)>& beside) {
  WriteBatch(beside);
}

// Once one was left over all are that come after it: the next run goes on from there.
void PlanWriter::AddUnlessOver(const Found& found) {
  const std::int64_t objects = totals_.planned + tally_.planned;
  const auto bytes = static_cast<std::int64_t>(found.source.size_bytes);
  const std::int64_t with_it = totals_.bytes_planned + tally_.bytes_planned + bytes;
  const bool over = left_over_.objects > 0 ||
                    (caps_.objects_max && objects >= *caps_.objects_max) ||
                    (caps_.bytes_max && objects > 0 && with_it > *caps_.bytes_max);
  if (!over) return AddJob(found, "", "");
  left_over_.objects += 1;
  left_over_.bytes += bytes;
}

bool PlanWriter::IsToBeRestored(const Finding& finding) {
  if (!caps_.restores_max) return false;
  if (finding.reason == Reason::kBeingRestored) return true;
  if (restores_ >= *caps_.restores_max) return false;
  restores_ += 1;
  return true;
}

void PlanWriter::AddJob(const Found& found, std::string final_state, std::string error) {
  NewJob job;
  job.job_id = next_job_id_++;
  job.key = found.source_key;
  job.action = found.finding.decision == Decision::kVerify ? Action::kVerify : Action::kCopy;
  job.reason = ToString(found.finding.reason);
  job.source = IdentityOf(found.source);
  job.final_state = std::move(final_state);
  job.error = std::move(error);
  if (job.final_state.empty()) {
    const auto bytes = static_cast<std::int64_t>(found.source.size_bytes);
    tally_.planned += 1;
    tally_.pending += 1;
    tally_.bytes_planned += bytes;
    tally_.bytes_pending += bytes;
  }
  jobs_.push_back(std::move(job));
}

void PlanWriter::AddLedgerRow(const Found& found, std::optional<Verdict> verdict) {
  LedgerRow row;
  row.key = found.source_key;
  row.source = IdentityOf(found.source);
  row.verdict = verdict;
  if (!verdict) {
    row.destination_etag = found.destination->etag;
    row.proof =
        found.finding.reason == Reason::kTrustedBySizeAndTime ? kProofTrusted : kProofAdopted;
  }
  ledger_.push_back(std::move(row));
}

void PlanWriter::WriteBatch(const std::function<void(pg::Transaction&)>& beside) {
  const bool empty = tally_ == Tally{};
  if (empty && !beside) return;
  session_.Write(
      run_id_, [&](pg::Transaction& tx) { return !empty && IsWritten(tx); },
      [&](pg::Transaction& tx, std::int64_t worker_id) {
        AddJobs(tx, run_id_, jobs_);
        WriteLedger(tx, task_id_, run_id_, ledger_);
        AddTally(tx, run_id_, worker_id, tally_);
        if (beside) beside(tx);
      });
  totals_.source_objects += tally_.source_objects;
  totals_.planned += tally_.planned;
  totals_.bytes_planned += tally_.bytes_planned;
  totals_.adopted += tally_.adopted;
  totals_.archived += tally_.archived;
  totals_.dead += tally_.dead;
  if (!jobs_.empty()) planned_();
  jobs_.clear();
  ledger_.clear();
  tally_ = {};
  AnalyzeWhenGrown();
  written_at_ = clock_.SteadyNow();
}

// Statistics that are a few times too small do no harm yet.
void PlanWriter::AnalyzeWhenGrown() {
  constexpr std::int64_t kGrowth = 4;
  if (totals_.planned < analyze_at_) return;
  analyze_at_ = totals_.planned * kGrowth;
  try {
    session_.Read([this](pg::Session& database) { AnalyzeJobs(database, run_id_); });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    log::Info("no statistics of the run's jobs, claims may be slow", {{"error", error.what()}});
  }
}

// Only the planner counts the objects of the source, and every batch has some that is not empty.
bool PlanWriter::IsWritten(pg::Transaction& tx) const {
  return ReadRun(tx, run_id_).totals.source_objects ==
         totals_.source_objects + tally_.source_objects;
}

}  // namespace ferry
