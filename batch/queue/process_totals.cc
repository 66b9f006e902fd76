#include "batch/queue/process_totals.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "batch/base/nonce.h"

namespace ferry {
namespace {

constexpr std::chrono::milliseconds kHeartbeatTimeout{500};

// What `sums` has and `written` has not, or otherwise.
template <typename Key, typename Value>
std::map<Key, Value> Changed(const std::map<Key, Value>& sums,
                             const std::map<Key, Value>& written) {
  std::map<Key, Value> changed;
  for (const auto& [key, value] : sums) {
    const auto before = written.find(key);
    if (before == written.end() || before->second != value) changed.emplace(key, value);
  }
  return changed;
}

std::int64_t Less(std::int64_t sum, std::int64_t base) { return sum - base; }

RequestSum Less(RequestSum sum, const RequestSum& base) {
  sum.requests -= base.requests;
  sum.errors -= base.errors;
  sum.microseconds -= base.microseconds;
  std::ranges::transform(sum.buckets, base.buckets, sum.buckets.begin(), std::minus<>());
  return sum;
}

template <typename Key, typename Value>
std::map<Key, Value> Without(std::map<Key, Value> sums, const std::map<Key, Value>& base) {
  for (auto& [key, value] : sums) {
    if (const auto known = base.find(key); known != base.end()) value = Less(value, known->second);
  }
  return sums;
}

// As the text of an array: arrays of arrays do not unnest into arrays.
std::string ArrayText(const std::vector<std::int64_t>& numbers) {
  std::string text = "{";
  for (const std::int64_t number : numbers) {
    if (text.size() > 1) text += ',';
    text += std::to_string(number);
  }
  return text + "}";
}

void WriteRequests(pg::Transaction& tx, const std::string& process,
                   const std::map<RequestKey, RequestSum>& rows) {
  if (rows.empty()) return;
  std::vector<std::string> tasks, sides, operations, buckets;
  std::vector<std::int64_t> requests, errors, microseconds;
  for (const auto& [key, sum] : rows) {
    tasks.push_back(key.task);
    sides.push_back(key.side);
    operations.push_back(key.operation);
    requests.push_back(sum.requests);
    errors.push_back(sum.errors);
    microseconds.push_back(sum.microseconds);
    buckets.push_back(ArrayText(sum.buckets));
  }
  tx.Execute("queries/write_request_totals", process, tasks, sides, operations, requests, errors,
             microseconds, buckets);
}

void WriteRetries(pg::Transaction& tx, const std::string& process,
                  const std::map<RetryKey, std::int64_t>& rows) {
  if (rows.empty()) return;
  std::vector<std::string> tasks, reasons;
  std::vector<std::int64_t> retries;
  for (const auto& [key, count] : rows) {
    tasks.push_back(key.task);
    reasons.push_back(key.reason);
    retries.push_back(count);
  }
  tx.Execute("queries/write_retry_totals", process, tasks, reasons, retries);
}

}  // namespace

ProcessTotals::ProcessTotals(Clock& clock)
    : clock_(clock), process_(NewNonce()), written_at_(clock.SteadyNow()) {}

void ProcessTotals::Write(pg::Session& session, const ProcessSums& sums) {
  WriteChanged(session, sums, {.statement_timeout = kHeartbeatTimeout});
}

void ProcessTotals::WriteChanged(pg::Session& session, const ProcessSums& sums,
                                 pg::TransactionOptions options) {
  const SteadyTime now = clock_.SteadyNow();
  if (now - written_at_ > kSilenceOfOneProcess) {
    process_ = NewNonce();
    base_ = written_;
    written_at_ = now;
  }
  const ProcessSums changed{Changed(sums.requests, written_.requests),
                            Changed(sums.retries, written_.retries)};
  if (changed.requests.empty() && changed.retries.empty()) return;
  session.Transact(
      [&](pg::Transaction& tx) {
        WriteRequests(tx, process_, Without(changed.requests, base_.requests));
        WriteRetries(tx, process_, Without(changed.retries, base_.retries));
      },
      options);
  written_ = sums;
  written_at_ = now;
}

void ProcessTotals::End(pg::Session& session, const ProcessSums& sums) {
  // Once it may have been added up, writing it again would count it twice.
  if (!all_written_) WriteChanged(session, sums, {});
  all_written_ = true;
  session.Transact([&](pg::Transaction& tx) { FoldProcess(tx, process_); });
}

std::vector<std::string> FindSilentProcesses(pg::Transaction& tx) {
  std::vector<std::string> processes;
  constexpr std::chrono::milliseconds kSilence = ProcessTotals::kSilenceMax;
  for (const pg::Row row : tx.Execute("queries/find_silent_processes", kSilence.count())) {
    processes.push_back(row.Get<std::string>("process"));
  }
  return processes;
}

void FoldProcess(pg::Transaction& tx, const std::string& process) {
  tx.Execute("queries/fold_request_totals", process);
  tx.Execute("queries/fold_retry_totals", process);
}

}  // namespace ferry
