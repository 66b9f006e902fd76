// verify: compares source and destination. Copies nothing, writes nothing.
//
// Without --deep the listings and the ledger decide (verify_judgement.h); with it every object that
// is on both sides in the same size is read on both, and the bytes decide. Memory is bounded: two
// pages of each listing, one of the ledger, and a window of objects that are being read.
#include <fmt/format.h>

#include <deque>
#include <future>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/status_text.h"
#include "batch/app/stores.h"
#include "batch/app/task_parts.h"
#include "batch/app/verify_judgement.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/copy/object_stream.h"
#include "batch/plan/backoff.h"
#include "batch/queue/ledger.h"

namespace ferry {
namespace {

constexpr std::int64_t kLinesMax = 1000;
// Objects read at a time. Each holds two receive buffers, no body.
constexpr std::size_t kReadingMax = 24;
constexpr int kReadTriesMax = 4;
constexpr std::int64_t kErrorLinesMax = 20;

// How the bytes of one object compare.
struct Compared {
  bool equal = false;
  std::optional<SideError> error;
};

Task<Compared> ReadBoth(Ends ends, ObjectToCopy object) {
  for (int attempt = 1;; ++attempt) {
    Compared compared;
    Traffic traffic;
    try {
      compared.equal = (co_await CompareBytes(ends, object, traffic)).has_value();
    } catch (const SideError& error) {
      compared.error = error;
    } catch (const Error& error) {
      compared.error = SideError(Side::kDestination, error);
    }
    const bool again =
        compared.error && attempt < kReadTriesMax &&
        (IsRetryable(compared.error->kind()) || compared.error->kind() == ErrorKind::kCorrupt);
    if (!again) co_return compared;
    const auto spread = static_cast<std::uint32_t>(object.source.size_bytes * 2654435761U);
    if (!co_await ends.loop.Sleep(Backoff(attempt, spread))) {
      throw Error(ErrorKind::kStopped, "stopped");
    }
  }
}

struct Counts {
  std::int64_t objects = 0;  // at the source, within the filter
  std::int64_t excluded = 0;
  std::int64_t by_etag = 0;
  std::int64_t by_ledger = 0;
  std::int64_t by_reading = 0;
  std::int64_t differences = 0;
  std::int64_t cannot_tell = 0;
  std::int64_t archived = 0;
  std::int64_t changed = 0;  // while it was being read
  std::int64_t unreadable = 0;
  std::int64_t only_at_destination = 0;
};

// One task's comparison.
class Verification {
 public:
  Verification(const CommandContext& context, const TaskConfig& task, const KeyFilter& filter,
               LanePool& lanes, Stores& stores)
      : context_(context), task_(task), filter_(filter) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      made_.push_back(stores.MakeWith(lanes.loop(i), task.name, Patience::kShort));
    }
  }
  // Waits for what is being read: it uses the stores.
  ~Verification() {
    for (Reading& one : reading_) {
      if (one.result.valid()) one.result.wait();
    }
  }
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  void Run(LedgerStream& ledger);
  int Conclude() const;

 private:
  struct Reading {
    Key source_key;
    Key destination_key;
    std::future<Compared> result;
  };

  void Examine(const Sides& sides);
  void StartReading(const Sides& sides);
  void FinishOldest();
  void SayFailure(const Reading& one, const SideError& error);
  void SayDifference(std::string_view what, const Key& source_key);
  void StopIfAsked() const {
    if (context_.stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
  }

  const CommandContext& context_;
  const TaskConfig& task_;
  const KeyFilter& filter_;
  std::vector<std::unique_ptr<TaskEnds>> made_;  // one a lane
  std::size_t next_lane_ = 0;
  std::deque<Reading> reading_;
  Counts counts_;
};

void Verification::Run(LedgerStream& ledger) {
  const Ends ends = made_.front()->ends();
  ListingStream sources(ends.loop, ends.source, task_.source.prefix, SourceName(task_));
  ListingStream destinations(ends.loop, ends.destination, task_.destination.prefix,
                             DestinationName(task_));
  destinations.Peek();  // must answer, also where the source is empty
  while (const ListedEntry* source = sources.Peek()) {
    StopIfAsked();
    const ListedEntry* destination = destinations.Peek();
    while (destination != nullptr && destination->key < source->key) {
      StopIfAsked();
      counts_.only_at_destination += 1;
      destinations.Next();
      destination = destinations.Peek();
    }
    const LedgerEntry* row = ledger.Peek();
    while (row != nullptr && row->key < source->key) {
      ledger.Next();
      row = ledger.Peek();
    }
    Sides sides;
    sides.source = source;
    if (destination != nullptr && destination->key == source->key) sides.destination = destination;
    if (row != nullptr && row->key == source->key) sides.ledger = row;
    if (filter_.Matches(source->key.bytes())) {
      Examine(sides);
    } else {
      counts_.excluded += 1;
    }
    if (sides.destination != nullptr) destinations.Next();
    sources.Next();
  }
  while (destinations.Peek() != nullptr) {
    StopIfAsked();
    counts_.only_at_destination += 1;
    destinations.Next();
  }
  while (!reading_.empty()) FinishOldest();
}

void Verification::Examine(const Sides& sides) {
  counts_.objects += 1;
  const Judgement judgement = Judge(sides);
  const Key source_key(task_.source.prefix + sides.source->key.bytes());
  switch (judgement) {
    case Judgement::kMissing: {
      const auto refusal = KeyRefusal(made_.front()->ends().destination_provider,
                                      Key(task_.destination.prefix + sides.source->key.bytes()));
      return SayDifference(
          refusal ? "missing (the destination cannot hold it: " + *refusal + ")" : "missing",
          source_key);
    }
    case Judgement::kSizeDiffers:
      return SayDifference(fmt::format("size differs ({} at the source, {} at the destination)",
                                       sides.source->size_bytes, sides.destination->size_bytes),
                           source_key);
    case Judgement::kArchived: counts_.archived += 1; return;
    case Judgement::kEqualByEtag:
    case Judgement::kEqualByLedger:
    case Judgement::kEtagDiffers:
    case Judgement::kCannotTell: break;
  }
  if (context_.line.deep && !sides.source->archived && !sides.destination->archived) {
    return StartReading(sides);
  }
  if (judgement == Judgement::kEqualByEtag) counts_.by_etag += 1;
  if (judgement == Judgement::kEqualByLedger) counts_.by_ledger += 1;
  if (judgement == Judgement::kCannotTell) counts_.cannot_tell += 1;
  if (judgement != Judgement::kEtagDiffers) return;
  SayDifference(fmt::format("ETag differs ({} at the source, {} at the destination)",
                            sides.source->etag, sides.destination->etag),
                source_key);
}

void Verification::StartReading(const Sides& sides) {
  while (reading_.size() >= kReadingMax) FinishOldest();
  StopIfAsked();
  const Ends ends = made_[next_lane_]->ends();
  next_lane_ = (next_lane_ + 1) % made_.size();
  ObjectToCopy object;
  object.source_key = Key(task_.source.prefix + sides.source->key.bytes());
  object.destination_key = Key(task_.destination.prefix + sides.source->key.bytes());
  object.source = IdentityOf(*sides.source);
  reading_.push_back(
      {object.source_key, object.destination_key,
       ends.loop.Submit<Compared>([ends, object] { return ReadBoth(ends, object); })});
}

void Verification::FinishOldest() {
  const Compared compared = reading_.front().result.get();
  const Reading one = std::move(reading_.front());
  reading_.pop_front();
  if (compared.error) return SayFailure(one, *compared.error);
  if (compared.equal) {
    counts_.by_reading += 1;
  } else {
    SayDifference("bytes differ", one.source_key);
  }
}

void Verification::SayFailure(const Reading& one, const SideError& error) {
  switch (error.kind()) {
    case ErrorKind::kStopped: throw Error(ErrorKind::kStopped, "stopped");
    case ErrorKind::kNotFound:
      if (error.side() == Side::kDestination) return SayDifference("missing", one.source_key);
      [[fallthrough]];
    case ErrorKind::kConflict: counts_.changed += 1; return;
    default:
      counts_.unreadable += 1;
      if (counts_.unreadable > kErrorLinesMax) return;
      log::Error("could not be read",
                 {{"task", task_.name}, {"key", one.source_key}, {"error", error.what()}});
  }
}

void Verification::SayDifference(std::string_view what, const Key& source_key) {
  counts_.differences += 1;
  if (counts_.differences > kLinesMax) return;
  PrintLine(fmt::format("{}: {}: {}", task_.name, what, Escape(source_key)));
}

int Verification::Conclude() const {
  const Counts& c = counts_;
  if (c.differences > kLinesMax) {
    PrintLine(
        fmt::format("{}: ... and {} more differences", task_.name, c.differences - kLinesMax));
  }
  std::string line = fmt::format(
      "{}: {} objects compared, {} differences; equal: {} by ETag, {} by the ledger, {} by reading "
      "both",
      task_.name, c.objects, c.differences, c.by_etag, c.by_ledger, c.by_reading);
  const auto add = [&line](std::int64_t count, std::string_view what) {
    if (count > 0) line += fmt::format("; {} {}", count, what);
  };
  add(c.cannot_tell, context_.line.deep ? "cannot be told" : "cannot be told without --deep");
  add(c.archived, "archived at the source and not brought");
  add(c.changed, "changed while they were read");
  add(c.unreadable, "could not be read");
  add(c.excluded, "left out by the filter");
  add(c.only_at_destination, "only at the destination");
  PrintLine(line);
  if (c.differences > 0) return kExitIncomplete;
  return c.unreadable > 0 ? kExitFailed : kExitDone;
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

}  // namespace

int Verify(const CommandContext& context) {
  std::vector<KeyFilter> filters;
  for (const TaskConfig* task : context.tasks) filters.push_back(FilterOf(*task));
  const auto database = Database::OpenExisting(context.config);
  const auto session = database ? database->Connect() : nullptr;
  Stores stores(context.config, context.environment, context.clock);
  // Reading hashes every byte twice; listing needs no more than one thread.
  LanePool lanes(context.line.deep ? LaneCount() : 1, kWholeBytesMax, stores, context.clock);
  const std::stop_callback on_stop(context.stop, [&lanes] { lanes.Stop(); });
  std::vector<int> codes;
  for (std::size_t i = 0; i < context.tasks.size(); ++i) {
    const TaskConfig& task = *context.tasks[i];
    try {
      LedgerStream ledger(LedgerOf(session.get(), task), task.source.prefix);
      Verification verification(context, task, filters[i], lanes, stores);
      verification.Run(ledger);
      codes.push_back(verification.Conclude());
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kStopped || context.stop.stop_requested()) {
        throw Error(ErrorKind::kStopped, "stopped while verifying");
      }
      if (error.kind() == ErrorKind::kConfig) throw;
      FlushLines();
      log::Error("could not verify", {{"task", task.name}, {"error", error.what()}});
      codes.push_back(kExitFailed);
    }
  }
  FlushLines();
  return CombineExitCodes(codes);
}

}  // namespace ferry
