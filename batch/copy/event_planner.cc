#include "batch/copy/event_planner.h"

#include <algorithm>
#include <set>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/provider/key_refusal.h"
#include "batch/queue/ledger.h"

namespace ferry {
namespace {

// In one transaction, and between two looks at whether to go on.
constexpr std::int64_t kBatchKeysMax = 250;
// Keys of this run under way; more wait as rows.
constexpr std::size_t kJobsMax = 20'000;
constexpr std::size_t kAskedMax = 5'000;  // jobs, in one statement
// S3 takes no longer ones (the user guide of Amazon S3, "Naming objects").
constexpr std::size_t kKeyBytesMax = 1024;

Error AsError(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return known;
  } catch (const std::exception& other) {
    return Error(ErrorKind::kCorrupt, other.what());
  }
}

// Whoever asks again is told the same.
bool IsFinal(const Error& error) {
  return error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kDenied ||
         error.kind() == ErrorKind::kCorrupt;
}

}  // namespace

struct EventPlanner::Look {
  const WaitingEvent* event;
  KeyToLookAt key;
  std::string refusal;  // why the destination cannot hold it
  SeenKey seen;
  const LedgerEntry* ledger = nullptr;
};

EventPlanner::EventPlanner(Parts parts, Rules rules, BegunRun run)
    : parts_(std::move(parts)),
      rules_(std::move(rules)),
      run_(run),
      writer_(parts_.session, run.run_id, run.task_id, parts_.clock, parts_.planned,
              {.restores_max = rules_.caps.restores_max}),
      deletes_(parts_.session, run, rules_.deletes) {}

bool EventPlanner::full() const {
  const Tally& totals = writer_.totals();
  const PlanCaps& caps = rules_.caps;
  return (caps.objects_max && totals.planned >= *caps.objects_max) ||
         (caps.bytes_max && totals.bytes_planned >= *caps.bytes_max) || deletes_.full();
}

std::int64_t EventPlanner::BatchMax() const {
  if (!rules_.caps.objects_max) return kBatchKeysMax;
  return std::clamp<std::int64_t>(*rules_.caps.objects_max - writer_.totals().planned, 1,
                                  kBatchKeysMax);
}

void EventPlanner::LetGoOfFinished() {
  std::vector<std::int64_t> ids;
  std::set<std::int64_t> unfinished;
  const auto ask = [&] {
    const auto left = parts_.session.Read(
        [&](pg::Session& database) { return FindUnfinishedJobs(database, run_.run_id, ids); });
    unfinished.insert(left.begin(), left.end());
    ids.clear();
  };
  for (const auto& [key, job_id] : jobs_) {
    ids.push_back(job_id);
    if (ids.size() == kAskedMax) ask();
  }
  if (!ids.empty()) ask();
  std::erase_if(jobs_, [&](const auto& job) { return !unfinished.contains(job.second); });
}

EventPlanner::Pass EventPlanner::LookAtEvents(const std::function<bool()>& may_go_on) {
  Pass pass;
  LetGoOfFinished();
  std::int64_t above = 0;
  while (may_go_on() && !pass.away && !full() && jobs_.size() < kJobsMax) {
    const std::int64_t limit = BatchMax();
    std::vector<WaitingEvent> events = parts_.session.Read(
        [&](pg::Session& database) { return ReadEvents(database, rules_.task, limit, above); });
    if (events.empty()) break;
    const bool last = std::ssize(events) < limit;
    above = events.back().number;
    pass.held_back += static_cast<std::int64_t>(
        std::erase_if(events, [&](const WaitingEvent& one) { return jobs_.contains(one.key); }));
    if (!events.empty()) TakeBatch(events, pass);
    if (last) break;
  }
  if (jobs_.size() >= kJobsMax) pass.held_back = std::max<std::int64_t>(pass.held_back, 1);
  return pass;
}

// Of a task whose prefix is another by now, or that does not want it, nothing is asked.
bool EventPlanner::IsOurs(const Key& key) const {
  if (key.empty() || key.bytes().size() > kKeyBytesMax) return false;
  if (!key.StartsWith(rules_.source_prefix)) return false;
  const std::string_view rest = std::string_view(key.bytes()).substr(rules_.source_prefix.size());
  return parts_.filter.MatchesKey(rest) && !(rules_.destination_prefix.empty() && rest.empty());
}

void EventPlanner::TakeBatch(const std::vector<WaitingEvent>& events, Pass& pass) {
  std::vector<Look> looks;
  std::vector<WaitingEvent> settled;
  std::vector<KeyToLookAt> keys;
  std::vector<Key> whole;
  for (const WaitingEvent& event : events) {
    if (!IsOurs(event.key)) {
      settled.push_back(event);
      continue;
    }
    const std::string rest = event.key.bytes().substr(rules_.source_prefix.size());
    const auto refusal =
        KeyRefusal(parts_.destination_provider, Key(rules_.destination_prefix + rest));
    looks.push_back({&event, {rest, refusal.has_value()}, refusal.value_or(""), {}});
    keys.push_back(looks.back().key);
    whole.push_back(event.key);
  }
  std::vector<SeenKey> seen = parts_.look.LookAt(keys);
  // After both sides: what is brought meanwhile is held back, so nobody else writes these rows.
  std::map<Key, LedgerEntry> ledger;
  for (LedgerEntry& entry : parts_.session.Read(
           [&](pg::Session& database) { return ReadLedgerRows(database, run_.task_id, whole); })) {
    const Key key = entry.key;
    ledger.emplace(key, std::move(entry));
  }
  const bool some_answered =
      std::any_of(seen.begin(), seen.end(), [](const SeenKey& one) { return !one.error; });
  pass.away = !some_answered && !looks.empty();
  for (std::size_t i = 0; i < looks.size(); ++i) {
    Look& look = looks[i];
    look.seen = std::move(seen[i]);
    if (look.seen.error) {
      const Error error = AsError(look.seen.error);
      if (error.kind() == ErrorKind::kStopped) throw error;
      // Asked again it would be refused again, and others are not.
      if (IsFinal(error) && some_answered) {
        log::Warn("a key cannot be looked at; the next scheduled run decides on it",
                  {{"task", rules_.task},
                   {"key", Escape(look.event->key)},
                   {"error", EscapeBytes(error.what())}});
        settled.push_back(*look.event);
        continue;
      }
      pass.failed += 1;
      if (!pass.error) pass.error = error;
      continue;
    }
    const auto known = ledger.find(look.event->key);
    if (known != ledger.end()) look.ledger = &known->second;
    Decide(look);
    settled.push_back(*look.event);
  }
  if (settled.empty()) return;
  writer_.FinishWith([&](pg::Transaction& tx) {
    deletes_.Write(tx);
    ForgetEvents(tx, rules_.task, settled);
  });
  deletes_.Written();
  pass.seen += std::ssize(settled);
}

void EventPlanner::Decide(Look& look) {
  const Key& source_key = look.event->key;
  const Key destination_key(rules_.destination_prefix + look.key.rest);
  if (!look.seen.source && look.seen.destination) {
    deletes_.Take({source_key, destination_key, *look.seen.destination, look.ledger});
    return;
  }
  deletes_.TakeNone(source_key);
  if (look.seen.source && parts_.filter.Matches(*look.seen.source)) {
    DecideSource(look, source_key, destination_key);
  }
}

void EventPlanner::DecideSource(const Look& look, const Key& source_key,
                                const Key& destination_key) {
  Sides sides;
  sides.source = &*look.seen.source;
  if (look.seen.destination) sides.destination = &*look.seen.destination;
  sides.ledger = look.ledger;
  sides.key_allowed = look.refusal.empty();
  Found found{source_key,
              destination_key,
              *look.seen.source,
              sides.destination,
              ferry::Decide(sides, rules_.adopt),
              look.refusal};
  const std::int64_t next_job_id = writer_.next_job_id();
  writer_.Add(found);
  if (writer_.next_job_id() > next_job_id) jobs_[source_key] = next_job_id;
}

EventDeletes::Result EventPlanner::PlanDeletes(const std::function<bool()>& source_has_some) {
  return deletes_.Finish(writer_.next_job_id(), source_has_some);
}

}  // namespace ferry
