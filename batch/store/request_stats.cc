#include "batch/store/request_stats.h"

#include <algorithm>

#include "batch/store/classify.h"

namespace ferry {

bool IsFailure(Operation operation, const Error& error) {
  if (error.code() == kBrokenOff) return false;
  const bool asks_bucket = operation == Operation::kList || operation == Operation::kListVersions ||
                           operation == Operation::kListUploads;
  switch (error.kind()) {
    case ErrorKind::kStopped:
    case ErrorKind::kConflict:
    case ErrorKind::kArchived: return false;
    case ErrorKind::kNotFound: return asks_bucket || error.code() == "NoSuchBucket";
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable:
    case ErrorKind::kDenied:
    case ErrorKind::kCredentials:
    case ErrorKind::kCorrupt:
    case ErrorKind::kInDoubt:
    case ErrorKind::kInvalid:
    case ErrorKind::kConfig: return true;
  }
  return true;
}

std::optional<std::chrono::microseconds> RequestStats::Fastest() const {
  const std::int64_t us = fastest_us_.load(std::memory_order_relaxed);
  if (us == kNoneYet) return std::nullopt;
  return std::chrono::microseconds(us);
}

void RequestStats::Add(Operation operation, std::chrono::nanoseconds took, const Error* error) {
  Counts& counts = counts_[static_cast<std::size_t>(operation)];
  const double seconds = std::chrono::duration<double>(took).count();
  // The first bound that is not below: le is "less or equal".
  const auto bucket = static_cast<std::size_t>(
      std::ranges::lower_bound(kRequestSecondsBounds, seconds) - kRequestSecondsBounds.begin());
  counts.microseconds.fetch_add(std::chrono::duration_cast<std::chrono::microseconds>(took).count(),
                                std::memory_order_relaxed);
  counts.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  // Last, and read first: nobody sees more errors than requests.
  if (error != nullptr && IsFailure(operation, *error)) {
    counts.errors.fetch_add(1, std::memory_order_release);
  }
  if (error == nullptr) {
    const std::int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    std::int64_t fastest = fastest_us_.load(std::memory_order_relaxed);
    while (us < fastest && !fastest_us_.compare_exchange_weak(fastest, us)) continue;
    word_.store(CredentialsWord::kAccepted, std::memory_order_relaxed);
  } else if (error->kind() == ErrorKind::kCredentials) {
    word_.store(CredentialsWord::kRefused, std::memory_order_relaxed);
  }
}

RequestStats::Figures RequestStats::Read(Operation operation) const {
  const Counts& counts = counts_[static_cast<std::size_t>(operation)];
  Figures figures;
  figures.errors = counts.errors.load(std::memory_order_acquire);
  figures.microseconds = counts.microseconds.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < figures.buckets.size(); ++i) {
    figures.buckets[i] = counts.buckets[i].load(std::memory_order_relaxed);
    figures.requests += figures.buckets[i];
  }
  return figures;
}

}  // namespace ferry
