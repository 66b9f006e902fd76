// RequestStats: what the requests to one side of a task came to since the process began, by
// operation; and what the store said last to the credentials.
//
// Shared by the stores of all loops. Any thread; nothing waits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "batch/base/error.h"
#include "batch/base/measures.h"

namespace ferry {

enum class Operation {
  kList,
  kHead,
  kGet,
  kGetTags,
  kPut,
  kPutTags,
  kDelete,
  kCreateUpload,
  kUploadPart,
  kListParts,
  kCompleteUpload,
  kAbortUpload,
  kListUploads,
  kListVersions,
  kCopy,
  kCopyPart,
  kRestore,
};
// By their values.
inline constexpr std::array<std::string_view, 17> kOperations = {"list",
                                                                 "head",
                                                                 "get",
                                                                 "get_tags",
                                                                 "put",
                                                                 "put_tags",
                                                                 "delete",
                                                                 "create_upload",
                                                                 "upload_part",
                                                                 "list_parts",
                                                                 "complete_upload",
                                                                 "abort_upload",
                                                                 "list_uploads",
                                                                 "list_versions",
                                                                 "copy",
                                                                 "copy_part",
                                                                 "restore"};

constexpr std::string_view ToString(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}

// Whether the store failed at what was asked, or refused it. That an object, a version or an upload
// is gone, is another one by now or lies in an archive is an answer like any other: `vanished` and
// the deletes live by it. That a bucket is not there is a failure. What we stopped ourselves, or
// broke off because the other end of the copy failed, says nothing of the store.
bool IsFailure(Operation operation, const Error& error);

// The credentials of a side: whether a request with them succeeded last, or was refused. Also
// refused: there were none to be had.
enum class CredentialsWord { kNone, kAccepted, kRefused };

class RequestStats {
 public:
  struct Figures {
    std::int64_t requests = 0;  // the sum of the buckets
    std::int64_t errors = 0;
    std::int64_t microseconds = 0;
    std::array<std::int64_t, kRequestSecondsBuckets> buckets{};  // see kRequestSecondsBounds
  };

  // A request has ended, after so long, with its answer (nullptr) or an error.
  void Add(Operation operation, std::chrono::nanoseconds took, const Error* error);

  Figures Read(Operation operation) const;

  // Of all requests that succeeded; nullopt: none has. What the way there takes, at least.
  std::optional<std::chrono::microseconds> Fastest() const;

  // What the store said since it was last asked for; kNone: nothing about credentials.
  CredentialsWord TakeWord() { return word_.exchange(CredentialsWord::kNone); }

 private:
  struct Counts {
    std::atomic<std::int64_t> errors{0};
    std::atomic<std::int64_t> microseconds{0};
    std::array<std::atomic<std::int64_t>, kRequestSecondsBuckets> buckets{};
  };
  static constexpr std::int64_t kNoneYet = std::numeric_limits<std::int64_t>::max();

  std::array<Counts, kOperations.size()> counts_{};
  std::atomic<CredentialsWord> word_{CredentialsWord::kNone};
  std::atomic<std::int64_t> fastest_us_{kNoneYet};
};

// What was tried again since the process began, by why. Any thread.
class RetryStats {
 public:
  void Add(RetryReason reason) { counts_[static_cast<std::size_t>(reason)] += 1; }
  std::int64_t Read(RetryReason reason) const { return counts_[static_cast<std::size_t>(reason)]; }

 private:
  std::array<std::atomic<std::int64_t>, kRetryReasons.size()> counts_{};
};

}  // namespace ferry
