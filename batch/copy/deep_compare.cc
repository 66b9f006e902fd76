#include "batch/copy/deep_compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "batch/base/log.h"
#include "batch/copy/belongings.h"
#include "batch/copy/examine.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

// How often an object that changes under our eyes is looked at again.
constexpr int kLooksMax = 3;
constexpr int kTriesMax = 4;
constexpr BackoffOptions kPauses{std::chrono::milliseconds(500), std::chrono::milliseconds(5000)};
constexpr std::chrono::milliseconds kIdleEvery{500};

bool IsWorthAnotherTry(const Error& error) {
  return IsRetryable(error.kind()) || error.kind() == ErrorKind::kCorrupt;
}

// One side is not what it was.
bool MeansChanged(const Error& error) {
  return error.kind() == ErrorKind::kConflict ||
         (error.kind() == ErrorKind::kNotFound && error.code() != "NoSuchBucket");
}

Task<std::optional<ObjectHead>> HeadIfThere(ObjectStore& store, Side side, const Key& key) {
  try {
    co_return co_await On(side, store.Head(key));
  } catch (const SideError& error) {
    if (error.code() != "NoSuchKey") throw;
  }
  co_return std::nullopt;
}

Key KeyAt(Side side, const RangeToCompare& range) {
  return side == Side::kSource ? range.source_key : range.destination_key;
}

// A side that may not be asked how many tags there are says none: it is asked for the tags.
Task<std::vector<std::string>> CompareBelongings(Ends ends, const RangeToCompare& range,
                                                 const RangeComparison& read) {
  std::vector<std::string> lines = CompareHeaders(HeadersThere(ends, read.source.metadata_headers),
                                                  read.destination.metadata_headers);
  // Those that all objects get, or none, are compared with nothing.
  const bool copied = ends.rules == nullptr || ends.rules->tags == WriteRules::Tags::kCopied;
  if (!copied || !ends.source_provider.tags || !ends.destination_provider.tags) co_return lines;
  if (read.source.tag_count == 0 && read.destination.tag_count == 0) co_return lines;
  const NameValues ours = co_await On(Side::kSource, ends.source.GetTags(range.source_key));
  const NameValues theirs =
      co_await On(Side::kDestination, ends.destination.GetTags(range.destination_key));
  for (std::string& line : CompareTags(ours, theirs)) lines.push_back(std::move(line));
  co_return lines;
}

}  // namespace

struct DeepCompare::Reading {
  explicit Reading(ObjectPair one) : pair(std::move(one)) {}

  bool AllHandedOut() const { return handed_out && next_byte == pair.size_bytes; }

  ObjectPair pair;
  bool handed_out = false;  // an empty object has one range, too
  std::uint64_t next_byte = 0;
  int under_way = 0;
  int looks = 0;
  bool look_again = false;
  bool source_changed = false;  // since it was listed
  bool unsettled = false;       // gone, or never held still
  std::optional<std::uint64_t> differs_at;
  std::vector<std::string> differences;
  std::optional<SideError> error;
};

struct DeepCompare::Answer {
  explicit Answer(Reading& of) : reading(of) {}

  Reading& reading;
  bool is_look = false;
  RangeToCompare range;
  RangeComparison comparison;
  std::vector<std::string> differences;  // of headers and tags, with the first range
  bool differed_once = false;
  std::optional<ObjectHead> source;  // a look; nothing: not there any more
  std::optional<ObjectHead> destination;
  Traffic traffic;
  std::optional<SideError> error;
};

DeepCompare::DeepCompare(std::vector<Ends> lanes, DeepOptions options, Listener listener)
    : lanes_(std::move(lanes)), options_(options), listener_(std::move(listener)) {}

DeepCompare::~DeepCompare() {
  over_ = true;
  for (; under_way_ > 0; --under_way_) Wait([] {});
}

void DeepCompare::Add(ObjectPair pair) {
  to_start_.push_back(&readings_.emplace_back(std::move(pair)));
  HandOut();
}

void DeepCompare::Finish() {
  HandOut();
  while (under_way_ > 0) {
    const std::shared_ptr<Answer> answer = Wait(listener_.idle);
    Settle(*answer);
    HandOut();
  }
}

// Until all ranges that are known are under way.
void DeepCompare::HandOut() {
  while (!to_start_.empty()) {
    if (under_way_ < options_.ranges_max) {
      StartRange(*to_start_.front());
    } else {
      const std::shared_ptr<Answer> answer = Wait(listener_.idle);
      Settle(*answer);
    }
  }
}

void DeepCompare::StartRange(Reading& reading) {
  const ObjectPair& pair = reading.pair;
  auto answer = std::make_shared<Answer>(reading);
  answer->range = {pair.source_key,
                   pair.destination_key,
                   pair.source_etag,
                   pair.destination_etag,
                   pair.size_bytes,
                   reading.next_byte,
                   std::min(options_.range_bytes, pair.size_bytes - reading.next_byte)};
  reading.next_byte += answer->range.size_bytes;
  reading.handed_out = true;
  if (reading.AllHandedOut()) to_start_.pop_front();
  Post(std::move(answer));
}

void DeepCompare::StartLook(Reading& reading) {
  reading.looks += 1;
  reading.look_again = false;
  auto answer = std::make_shared<Answer>(reading);
  answer->is_look = true;
  Post(std::move(answer));
}

void DeepCompare::Post(std::shared_ptr<Answer> answer) {
  const Ends& ends = lanes_[next_lane_];
  next_lane_ = (next_lane_ + 1) % lanes_.size();
  answer->reading.under_way += 1;
  under_way_ += 1;
  const bool posted = ends.loop.Post([this, &ends, answer] {
    Detach(Ask(ends, *answer), [this, answer](std::optional<Unit>,
                                              const std::exception_ptr& error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const SideError& known) {
        answer->error = known;
      } catch (const Error& known) {
        answer->error = SideError(Side::kDestination, known);
      } catch (const std::exception& unknown) {
        answer->error = SideError(Side::kDestination, Error(ErrorKind::kInvalid, unknown.what()));
      }
      Deliver(answer);
    });
  });
  if (posted) return;
  answer->error = SideError(Side::kSource, Error(ErrorKind::kStopped, "stopped"));
  Deliver(std::move(answer));
}

void DeepCompare::Deliver(std::shared_ptr<Answer> answer) {
  MutexLock lock(mutex_);
  answers_.push_back(std::move(answer));
  arrived_.NotifyOne();
}

std::shared_ptr<DeepCompare::Answer> DeepCompare::Wait(const std::function<void()>& idle) {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (answers_.empty()) arrived_.WaitFor(mutex_, kIdleEvery);
      if (!answers_.empty()) {
        std::shared_ptr<Answer> answer = std::move(answers_.front());
        answers_.pop_front();
        return answer;
      }
    }
    idle();
  }
}

void DeepCompare::Settle(Answer& answer) {
  Reading& reading = answer.reading;
  under_way_ -= 1;
  reading.under_way -= 1;
  if (answer.error && answer.error->kind() == ErrorKind::kStopped) throw Error(*answer.error);
  if (answer.error && !MeansChanged(*answer.error)) {
    if (!reading.error) reading.error = answer.error;
  } else if (answer.error) {
    reading.look_again = true;
  } else if (answer.is_look) {
    SettleLook(answer);
  } else {
    SettleRange(answer);
  }
  // Nothing is read that can change no answer any more.
  if (reading.error || reading.look_again || reading.differs_at) std::erase(to_start_, &reading);
  const bool waits = std::find(to_start_.begin(), to_start_.end(), &reading) != to_start_.end();
  if (reading.under_way == 0 && !waits) Conclude(reading);
}

void DeepCompare::SettleRange(Answer& answer) {
  Reading& reading = answer.reading;
  if (answer.differed_once) {
    log::Warn("bytes that differed were equal when they were read again",
              {{"key", reading.pair.source_key}, {"first_byte", answer.range.first_byte}});
  }
  for (std::string& line : answer.differences) reading.differences.push_back(std::move(line));
  const std::optional<std::uint64_t>& at = answer.comparison.differs_at;
  if (at) reading.differs_at = std::min(reading.differs_at.value_or(*at), *at);
}

// What the sides are now. What was found of what they were before counts no more.
void DeepCompare::SettleLook(Answer& answer) {
  Reading& reading = answer.reading;
  ObjectPair& pair = reading.pair;
  reading.differences.clear();
  reading.differs_at.reset();
  if (!answer.source) {
    reading.unsettled = true;
    return;
  }
  if (answer.source->etag != pair.source_etag) reading.source_changed = true;
  if (!answer.destination) {
    reading.differences.push_back("missing");
    return;
  }
  if (answer.source->size_bytes != answer.destination->size_bytes) {
    reading.differences.push_back(
        fmt::format("size differs ({} at the source, {} at the "
                    "destination)",
                    answer.source->size_bytes, answer.destination->size_bytes));
    return;
  }
  pair.source_etag = answer.source->etag;
  pair.destination_etag = answer.destination->etag;
  pair.size_bytes = answer.source->size_bytes;
  reading.handed_out = false;
  reading.next_byte = 0;
  to_start_.push_back(&reading);
}

void DeepCompare::Conclude(Reading& reading) {
  if (!reading.error && reading.look_again && reading.looks < kLooksMax) return StartLook(reading);
  if (reading.look_again) reading.unsettled = true;
  if (reading.differs_at) {
    reading.differences.insert(reading.differences.begin(),
                               fmt::format("bytes differ from byte {} of {}", *reading.differs_at,
                                           reading.pair.size_bytes));
  }
  Tell(reading);
}

void DeepCompare::Tell(Reading& reading) {
  PairFinding finding;
  finding.source_key = std::move(reading.pair.source_key);
  if (reading.error && !reading.differs_at) {
    finding.outcome = PairFinding::Outcome::kFailed;
    finding.error = std::move(reading.error);
  } else if (reading.unsettled || (reading.source_changed && !reading.differences.empty())) {
    finding.outcome = PairFinding::Outcome::kChanged;
  } else {
    finding.differences = std::move(reading.differences);
  }
  readings_.remove_if([&](const Reading& one) { return &one == &reading; });
  listener_.found(finding);
}

Task<Unit> DeepCompare::Ask(Ends ends, Answer& answer) {
  return answer.is_look ? LookAgain(ends, answer) : ReadRange(ends, answer);
}

Task<Unit> DeepCompare::LookAgain(Ends ends, Answer& answer) {
  const ObjectPair& pair = answer.reading.pair;
  answer.source = co_await HeadIfThere(ends.source, Side::kSource, pair.source_key);
  answer.destination =
      co_await HeadIfThere(ends.destination, Side::kDestination, pair.destination_key);
  co_return Unit{};
}

Task<Unit> DeepCompare::ReadRange(Ends ends, Answer& answer) {
  const SteadyTime began = ends.loop.clock().SteadyNow();
  for (int attempt = 1;; ++attempt) {
    std::optional<SideError> failure;
    try {
      answer.comparison = co_await Compare(ends, answer);
      if (answer.range.first_byte == 0) {
        answer.differences = co_await CompareBelongings(ends, answer.range, answer.comparison);
      }
      co_return Unit{};
    } catch (const SideError& error) {
      if (!IsWorthAnotherTry(error)) throw;
      failure = error;
    }
    if (attempt >= kTriesMax) {
      const bool patient = ends.loop.clock().SteadyNow() - began < options_.patience;
      const bool away =
          failure->kind() == ErrorKind::kThrottled ||
          !co_await Answers(ends, failure->side(), KeyAt(failure->side(), answer.range));
      if (!patient || !away) throw SideError(*failure);
    }
    const auto spread = static_cast<std::uint32_t>(
        (answer.range.first_byte + answer.range.object_bytes + 1) * 2654435761U);
    const bool slept = co_await ends.loop.Sleep(Backoff(attempt, spread, kPauses));
    if (!slept || over_) throw Error(ErrorKind::kStopped, "stopped");
  }
}

// Bytes must differ twice before it is said: one read may have been spoilt on its way.
Task<RangeComparison> DeepCompare::Compare(Ends ends, Answer& answer) {
  RangeComparison comparison;
  for (int reading = 1; reading <= 2; ++reading) {
    if (ends.loop.stopping() || over_) throw Error(ErrorKind::kStopped, "stopped");
    Traffic traffic;
    comparison = co_await CompareRange(ends, answer.range, traffic);
    read_bytes_ += traffic.read_bytes;
    if (!comparison.differs_at) break;
    answer.differed_once = reading == 1;
  }
  co_return comparison;
}

}  // namespace ferry
