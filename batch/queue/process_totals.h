// ProcessTotals: what one process counted, as rows that outlive it.
//
// A process writes its sums since it started, as rows of its own; at its end it adds them to the
// rows that stand for all processes that are no more. Each of the two may be repeated after a
// commit of which nobody heard. Rows of a process that died are added up by pruning, once they were
// not written for kSilenceMax: a process that was silent for nearly that long goes on under another
// name, as if it had started then, so that nothing is counted twice.
//
// One thread at a time.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/pg/session.h"

namespace ferry {

struct RequestKey {
  std::string task;
  std::string side;  // "source" or "destination"
  std::string operation;
  friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

struct RequestSum {
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  std::int64_t microseconds = 0;
  std::vector<std::int64_t> buckets;  // see kRequestSecondsBounds
  friend bool operator==(const RequestSum&, const RequestSum&) = default;
};

struct RetryKey {
  std::string task;
  std::string reason;
  friend auto operator<=>(const RetryKey&, const RetryKey&) = default;
};

// Since the process started; what is zero is left out.
struct ProcessSums {
  std::map<RequestKey, RequestSum> requests;
  std::map<RetryKey, std::int64_t> retries;
};

class ProcessTotals {
 public:
  // Longer than any process waits for a database that is away (transfer.outage_patience).
  static constexpr std::chrono::hours kSilenceMax{8 * 24};
  static constexpr std::chrono::hours kSilenceOfOneProcess{kSilenceMax - std::chrono::hours(24)};

  // `clock` outlives this object.
  explicit ProcessTotals(Clock& clock);

  // Writes what has changed, in a transaction of at most two statements, which are given half a
  // second each: it goes with the heartbeat of a lease. Throws Error.
  void Write(pg::Session& session, const ProcessSums& sums);

  // The last words: writes, and adds up. To be repeated when it throws Error.
  // REQUIRES: nothing is written any more after it was called, whether it succeeded or not.
  void End(pg::Session& session, const ProcessSums& sums);

 private:
  void WriteChanged(pg::Session& session, const ProcessSums& sums, pg::TransactionOptions options);

  Clock& clock_;
  std::string process_;
  SteadyTime written_at_;
  ProcessSums written_;
  ProcessSums base_;  // written under earlier names
  bool all_written_ = false;
};

// Processes that have rows and were not heard of for kSilenceMax.
std::vector<std::string> FindSilentProcesses(pg::Transaction& tx);
// Adds the rows of a process to those of all that are no more. Twice is once.
void FoldProcess(pg::Transaction& tx, const std::string& process);

}  // namespace ferry
