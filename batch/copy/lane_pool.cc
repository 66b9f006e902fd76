#include "batch/copy/lane_pool.h"

#include <algorithm>

#include "batch/copy/examine.h"
#include "batch/copy/restore.h"
#include "batch/copy/server_side_copy.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

// A part is tried again where it is before its object is bothered.
constexpr int kPartTriesMax = 3;
constexpr std::size_t kLaneStackBytes = 1 << 20;

bool WorthTryingAgainInPlace(const Error& error) {
  return IsRetryable(error.kind()) || error.kind() == ErrorKind::kCorrupt;
}

}  // namespace

TaskEnds& LanePool::Lane::EndsOf(const std::string& task) {
  std::unique_ptr<TaskEnds>& made = ends[task];
  if (!made) made = pool.factory_.Make(loop, task);
  return *made;
}

LanePool::LanePool(int lanes, std::size_t ring_bytes, EndsFactory& factory, Clock& clock,
                   std::function<bool()> may_act)
    : ring_bytes_(ring_bytes),
      factory_(factory),
      clock_(clock),
      may_act_(std::move(may_act)),
      threads_("lanes", lanes, lanes, 60, kLaneStackBytes) {
  for (int i = 0; i < lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(*this, clock_));
    threads_.start(*lanes_.back(), "lane " + std::to_string(i));
  }
}

LanePool::~LanePool() {
  Stop();
  threads_.joinAll();
}

std::uint64_t BodyAtOnce(const WorkItem& item) {
  switch (item.kind) {
    case WorkItem::Kind::kWhole:
    case WorkItem::Kind::kCompare: return item.object.source.size_bytes;
    case WorkItem::Kind::kPart: return item.part.part.size_bytes;
    case WorkItem::Kind::kSplit:
    case WorkItem::Kind::kComplete:
    case WorkItem::Kind::kDelete: return 0;
  }
  return 0;
}

void LanePool::Stop() {
  for (const auto& lane : lanes_) lane->loop.Stop();
}

void LanePool::Start(WorkItem item) {
  Lane& lane = **std::min_element(lanes_.begin(), lanes_.end(), [](const auto& a, const auto& b) {
    return a->load.load() < b->load.load();
  });
  lane.load += 1;
  auto result = std::make_shared<WorkResult>();
  result->item = std::move(item);
  const bool posted = lane.loop.Post([&lane, result] {
    Detach(ExecuteAndAsk(lane, *result),
           [&lane, result](std::optional<Unit>, const std::exception_ptr& error) {
             if (error) {
               try {
                 std::rethrow_exception(error);
               } catch (const SideError& known) {
                 result->failed_side = known.side();
                 result->error = known;
               } catch (const Error& known) {
                 result->error = known;
               } catch (const std::exception& unknown) {
                 result->error = Error(ErrorKind::kInvalid, unknown.what());
               }
             }
             lane.load -= 1;
             lane.pool.Deliver(std::move(*result));
           });
  });
  if (!posted) {
    result->error = Error(ErrorKind::kStopped, "stopped");
    Deliver(std::move(*result));
  }
}

Task<Unit> LanePool::ExecuteAndAsk(Lane& lane, WorkResult& result) {
  std::exception_ptr problem;
  std::optional<Side> side;
  std::optional<SideError> archived;
  try {
    co_await Execute(lane, result);
  } catch (const SideError& error) {
    problem = std::current_exception();
    if (result.item.in_outage && IsRetryable(error.kind())) side = error.side();
    if (error.kind() == ErrorKind::kArchived && error.side() == Side::kSource) archived = error;
  }
  if (archived) {
    const Ends ends = lane.EndsOf(result.item.task).ends();
    // Not in one expression: g++ 12 throws what is not there yet.
    SideError said = co_await AskForRestoring(ends, result.item.object, *archived);
    throw said;
  }
  if (side) {
    const Ends ends = lane.EndsOf(result.item.task).ends();
    const ObjectToCopy& object = result.item.object;
    const Key key = *side == Side::kSource ? object.source_key : object.destination_key;
    result.side_answers = co_await Answers(ends, *side, key);
  }
  if (problem) std::rethrow_exception(problem);
  co_return Unit{};
}

Task<Unit> LanePool::Execute(Lane& lane, WorkResult& result) {
  const WorkItem& item = result.item;
  if (lane.loop.stopping()) throw Error(ErrorKind::kStopped, "stopped");
  const Ends ends = lane.EndsOf(item.task).ends();
  const std::size_t ring = lane.pool.ring_bytes_;
  switch (item.kind) {
    case WorkItem::Kind::kWhole:
      result.copied = co_await CopyWhole(ends, item.object, ring, result.traffic);
      break;
    case WorkItem::Kind::kCompare: {
      std::optional<SideError> changed;
      try {
        auto equal = co_await CompareBytes(ends, item.object, result.traffic);
        result.differs = !equal.has_value();
        if (equal) result.copied = std::move(*equal);
      } catch (const SideError& error) {
        changed = error;
      }
      if (changed) {
        // Another object by now: as a copy it is examined anew.
        co_await LookAgain(ends, item.object, *changed);
        result.differs = true;
      }
      break;
    }
    case WorkItem::Kind::kSplit: co_await Split(ends, result); break;
    case WorkItem::Kind::kPart: result.part = co_await CopyPartPatiently(lane, ends, result); break;
    case WorkItem::Kind::kComplete:
      try {
        result.copied = co_await CompleteOrAbort(ends, item.object, *item.open, result.traffic);
      } catch (const LostParts& lost) {
        result.lost_parts = lost.numbers();
        throw;
      }
      break;
    case WorkItem::Kind::kDelete: {
      ObjectToDelete object;
      object.source_key = item.object.source_key;
      object.destination_key = item.object.destination_key;
      object.target = item.target;
      object.may_act = lane.pool.may_act_;
      result.deletion = co_await DeleteExtra(ends, object);
      break;
    }
  }
  co_return Unit{};
}

// By the store in one piece where it can, else an upload is made ready for parts.
Task<Unit> LanePool::Split(Ends ends, WorkResult& result) {
  const WorkItem& item = result.item;
  ByStore<Copied> by_store;
  // An upload that was begun, or may have been, is seen to first.
  if (!item.open && item.intents.empty()) {
    result.settlement.settled.push_back(item.nonce);  // no Create was sent for it
    try {
      by_store = co_await CopyByStore(ends, item.object);
    } catch (const SideError& error) {
      // Another object by now: what it is, opening an upload looks at.
      if (error.kind() != ErrorKind::kConflict && error.kind() != ErrorKind::kNotFound) throw;
    }
    result.copied_by_store = by_store.done.has_value();
    if (by_store.done) {
      result.copied = std::move(*by_store.done);
      co_return Unit{};
    }
    result.settlement = {};
  }
  SplitOptions options;
  options.part_bytes = item.part_bytes;
  options.open = item.open;
  options.nonce = item.nonce;
  options.intents = item.intents;
  options.recorded_ids = item.recorded_ids;
  result.upload = co_await OpenOrResume(ends, item.object, options, result.settlement);
  // The source was examined: nothing is wrong with it but that it was not copied.
  if (by_store.failed) {
    ends.server_side->Failed(ServerSideCopies::Step::kObject, *by_store.failed);
  }
  co_return Unit{};
}

Task<DonePart> LanePool::CopyPartPatiently(Lane& lane, Ends ends, WorkResult& result) {
  PartToCopy part;
  part.upload_id = result.item.part.upload_id;
  part.part = result.item.part.part;
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await CopyPart(ends, result.item.object, part, lane.pool.ring_bytes_,
                                  result.traffic);
    } catch (const SideError& error) {
      if (!WorthTryingAgainInPlace(error) || attempt == kPartTriesMax) throw;
      TaskEnds& both = lane.EndsOf(result.item.task);
      if (IsRetryable(error.kind()) && !both.MayRetry(error.side())) throw;
      lane.pool.factory_.Counters(result.item.task).Retry(error);
    }
    // Spread by where the part lies: parts that failed together do not come back together.
    const auto spread = static_cast<std::uint32_t>(part.part.number * 2654435761U);
    if (!co_await lane.loop.Sleep(Backoff(attempt, spread))) {
      throw Error(ErrorKind::kStopped, "stopped");
    }
  }
}

void LanePool::Deliver(WorkResult result) {
  MutexLock lock(mutex_);
  results_.push_back(std::move(result));
  if (results_.size() == 1) arrived_.NotifyOne();
}

std::vector<WorkResult> LanePool::Reap() {
  MutexLock lock(mutex_);
  std::vector<WorkResult> reaped(std::make_move_iterator(results_.begin()),
                                 std::make_move_iterator(results_.end()));
  results_.clear();
  return reaped;
}

bool LanePool::Wait(std::chrono::milliseconds patience) {
  MutexLock lock(mutex_);
  if (results_.empty() && !woken_) arrived_.WaitFor(mutex_, patience);
  return std::exchange(woken_, false);
}

void LanePool::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  arrived_.NotifyOne();
}

}  // namespace ferry
