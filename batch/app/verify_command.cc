// verify: compares source and destination. Copies nothing, writes nothing.
//
// Without --deep the listings and the ledger decide (verify_judgement.h); with it every object that
// is on both sides in the same size is read on both, with its headers and tags, and what is read
// decides. Memory is bounded: two pages of each listing, one of the ledger, and the ranges that are
// being read (transfer.memory).
#include <fmt/format.h>

#include <algorithm>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/status_text.h"
#include "batch/app/stores.h"
#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"
#include "batch/app/verify_judgement.h"
#include "batch/app/verify_report.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/ledger_stream.h"
#include "batch/provider/key_refusal.h"
#include "batch/queue/ledger.h"

namespace ferry {
namespace {

constexpr std::uint64_t kRangeBytesMin = std::uint64_t{1} << 20;
constexpr std::uint64_t kRangeBytesMax = std::uint64_t{16} << 20;
constexpr std::int64_t kObjectsPerLookAtTheClock = 256;
constexpr std::chrono::seconds kAskHoursEvery{15};

// As many ranges at a time as there may be requests of a side, of a size that fits half the memory:
// one side is often ahead by all of a range, and freed buffers are not at once the system's again.
// Fewer where they would share a small bandwidth: `bodies_max` bytes.
DeepOptions DeepOptionsOf(const TransferConfig& transfer, std::uint64_t bodies_max) {
  const auto at_a_time = static_cast<std::uint64_t>(WorkerOptionsOf(transfer).concurrency);
  const auto memory = static_cast<std::uint64_t>(transfer.memory) / 2;
  DeepOptions options;
  options.range_bytes = std::clamp(memory / at_a_time, kRangeBytesMin, kRangeBytesMax);
  options.ranges_max = static_cast<int>(
      std::clamp(std::min(memory, bodies_max) / options.range_bytes, std::uint64_t{1}, at_a_time));
  options.patience = transfer.outage_patience;
  return options;
}

// What the tasks' bandwidths go by: the database's word, as a lease's heartbeat asks for it.
class HoursAsked {
 public:
  // All outlive this object; `session` may be null: then the smallest limit of each task holds.
  HoursAsked(TaskHours& hours, pg::Session* session, const Clock& clock)
      : hours_(hours), session_(session), clock_(clock) {}

  // On the thread of the session, which is in no transaction.
  void AskIfDue() {
    const SteadyTime now = clock_.SteadyNow();
    if (session_ == nullptr || (asked_ && now - *asked_ < kAskHoursEvery)) return;
    asked_ = now;
    try {
      hours_.Ask(*session_, /*worker_id=*/0);
    } catch (const Error& error) {
      log::Warn("could not ask what time it is; going on by our own clock",
                {{"error", error.what()}});
    }
  }

 private:
  TaskHours& hours_;
  pg::Session* const session_;
  const Clock& clock_;
  std::optional<SteadyTime> asked_;
};

// One task's comparison.
class Verification {
 public:
  Verification(const CommandContext& context, const TaskConfig& task, const ObjectFilter& filter,
               LanePool& lanes, Stores& stores, HoursAsked& hours)
      : context_(context),
        task_(task),
        filter_(filter),
        hours_(hours),
        report_(context, task),
        listings_(context, stores, lanes, task, Patience::kOutage, TaskListings::Sides::kBoth) {
    std::vector<Ends> ends;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      made_.push_back(stores.MakeWith(lanes.loop(i), task.name, Patience::kShort));
      ends.push_back(made_.back()->ends());
    }
    deep_.emplace(
        std::move(ends),
        DeepOptionsOf(context.config.transfer, stores.hours().BodyBytesMax(task.name)),
        DeepCompare::Listener{[this](const PairFinding& finding) { report_.Found(finding); },
                              [this] { Tick(); }});
  }

  void Run(LedgerStream& ledger);
  VerifyReport& report() { return report_; }

 private:
  void Examine(const Sides& sides);
  void SayMissing(const Sides& sides);
  void Tick() {
    if (context_.stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    if (context_.line.deep) hours_.AskIfDue();
    report_.ShowProgress(deep_->read_bytes());
  }
  Key SourceKey(const Sides& sides) const {
    return Key(task_.source.prefix + sides.source->key.bytes());
  }
  Key DestinationKey(const Sides& sides) const {
    return Key(task_.destination.prefix + sides.source->key.bytes());
  }

  const CommandContext& context_;
  const TaskConfig& task_;
  const ObjectFilter& filter_;
  HoursAsked& hours_;
  VerifyReport report_;
  TaskListings listings_;
  std::vector<std::unique_ptr<TaskEnds>> made_;  // one a lane
  std::optional<DeepCompare> deep_;              // last: waits for what uses the others
};

void Verification::Run(LedgerStream& ledger) {
  EntryStream& sources = listings_.source();
  EntryStream& destinations = listings_.destination();
  destinations.Peek();  // must answer, also where the source is empty
  std::int64_t steps = 0;
  const auto tick = [&] {
    if (++steps % kObjectsPerLookAtTheClock == 0) Tick();
  };
  while (const ListedEntry* source = sources.Peek()) {
    tick();
    const ListedEntry* destination = destinations.Peek();
    while (destination != nullptr && destination->key < source->key) {
      tick();
      report_.counts.only_at_destination += 1;
      destinations.Next();
      destination = destinations.Peek();
    }
    Sides sides;
    sides.source = source;
    if (destination != nullptr && destination->key == source->key) sides.destination = destination;
    sides.ledger = ledger.At(source->key);
    if (filter_.Matches(*source)) {
      Examine(sides);
    } else {
      report_.counts.excluded += 1;
    }
    if (sides.destination != nullptr) destinations.Next();
    sources.Next();
  }
  while (destinations.Peek() != nullptr) {
    tick();
    report_.counts.only_at_destination += 1;
    destinations.Next();
  }
  deep_->Finish();
}

void Verification::Examine(const Sides& sides) {
  VerifyCounts& counts = report_.counts;
  counts.objects += 1;
  const ListedEntry& source = *sides.source;
  const Judgement judgement = Judge(sides);
  switch (judgement) {
    case Judgement::kMissing: return SayMissing(sides);
    case Judgement::kSizeDiffers:
      return report_.Difference(
          fmt::format("size differs ({} at the source, {} at the destination)", source.size_bytes,
                      sides.destination->size_bytes),
          SourceKey(sides));
    case Judgement::kArchived: counts.archived += 1; return;
    case Judgement::kEqualByEtag:
    case Judgement::kEqualByLedger:
    case Judgement::kEtagDiffers:
    case Judgement::kCannotTell: break;
  }
  if (context_.line.deep && !source.archived && !sides.destination->archived) {
    return deep_->Add({SourceKey(sides), DestinationKey(sides), source.etag,
                       sides.destination->etag, source.size_bytes});
  }
  if (judgement == Judgement::kEqualByEtag) counts.by_etag += 1;
  if (judgement == Judgement::kEqualByLedger) counts.by_ledger += 1;
  if (judgement == Judgement::kCannotTell) counts.cannot_tell += 1;
  if (judgement != Judgement::kEtagDiffers) return;
  report_.Difference(fmt::format("ETag differs ({} at the source, {} at the destination)",
                                 source.etag, sides.destination->etag),
                     SourceKey(sides));
}

void Verification::SayMissing(const Sides& sides) {
  const auto refusal =
      KeyRefusal(made_.front()->ends().destination_provider, DestinationKey(sides));
  report_.Difference(
      refusal ? "missing (the destination cannot hold it: " + *refusal + ")" : "missing",
      SourceKey(sides));
}

LedgerStream::Read LedgerOf(pg::Session* session, const TaskConfig& task) {
  if (session == nullptr) return {};
  const auto task_id = FindTask(*session, PlaceOf(task));
  if (!task_id) return {};
  return [session, id = *task_id](const Key& after, std::int64_t limit) {
    try {
      return ReadLedger(*session, id, after, limit);
    } catch (const Error& error) {
      if (!IsRetryable(error.kind())) throw;
    }
    session->Reset();  // idle for long while bodies were read
    return ReadLedger(*session, id, after, limit);
  };
}

int VerifyTask(const CommandContext& context, const TaskConfig& task, Verification& verification,
               LedgerStream& ledger) {
  try {
    verification.Run(ledger);
    return verification.report().Conclude(/*stopped=*/false);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConfig) throw;
    if (error.kind() == ErrorKind::kStopped || context.stop.stop_requested()) {
      return verification.report().Conclude(/*stopped=*/true);
    }
    FlushLines();
    log::Error("could not verify", {{"task", task.name}, {"error", error.what()}});
    return kExitFailed;
  }
}

}  // namespace

int Verify(const CommandContext& context) {
  std::vector<ObjectFilter> filters;
  for (const TaskConfig* task : context.tasks) {
    filters.push_back(FilterOf(*task, context.clock.WallNow()));
    CheckListFile(*task);
  }
  const auto database = Database::OpenExisting(context.config);
  const auto session = database ? database->Connect() : nullptr;
  if (database && context.line.deep) CheckTimeZones(context.config, *database);
  Stores stores(context.config, context.environment, context.clock);
  HoursAsked hours(stores.hours(), session.get(), context.clock);
  if (context.line.deep) hours.AskIfDue();
  // Listing needs no more than one thread.
  LanePool lanes(context.line.deep ? LaneCount() : 1, kWholeBytesMax, stores, context.clock);
  const std::stop_callback on_stop(context.stop, [&lanes] { lanes.Stop(); });
  std::vector<int> codes;
  for (std::size_t i = 0; i < context.tasks.size(); ++i) {
    if (context.stop.stop_requested()) {
      codes.push_back(kExitStopped);
      break;
    }
    const TaskConfig& task = *context.tasks[i];
    LedgerStream ledger(LedgerOf(session.get(), task), task.source.prefix);
    Verification verification(context, task, filters[i], lanes, stores, hours);
    codes.push_back(VerifyTask(context, task, verification, ledger));
  }
  FlushLines();
  return CombineExitCodes(codes);
}

}  // namespace ferry
