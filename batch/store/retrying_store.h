// RetryingStore: tries again what is worth trying again, with back-off.
//
// Order of decorators: Retrying(Limited(Measured(S3))): waiting to retry holds no slot, and every
// attempt is measured. Requests whose body flows through a Ring are passed on once: their copy is
// the unit that is tried again. So is Create, unless the store said that it was too busy.
//
// Each further attempt is paid from the endpoint's RetryBudget. Once that is spent, a request fails
// at once with its own error, and whoever asked decides (batch/copy/outage.h); only who has
// patience goes on, at the pace of its back-off.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>

#include "batch/base/error.h"
#include "batch/plan/backoff.h"
#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"
#include "batch/store/retry_budget.h"

namespace ferry {

struct RetryOptions {
  int attempts_max = 4;
  // Beyond the attempts: an endpoint that answered before is waited for so long, one that never
  // did in this process for `patience_at_first`.
  std::chrono::milliseconds patience{0};
  std::chrono::milliseconds patience_at_first{0};
  BackoffOptions backoff;
};

// What this process knows of an endpoint; shared by its stores on all loops.
struct EndpointMemory {
  std::atomic<bool> answered{false};  // ever
  RetryBudget budget;
};

class RetryingStore final : public ObjectStore {
 public:
  // `inner`, `loop` and `memory` outlive this object. `on_retry` is told of each failed attempt
  // that is followed by another.
  RetryingStore(ObjectStore& inner, EventLoop& loop, EndpointMemory& memory, RetryOptions options,
                std::uint64_t seed, std::function<void(const Error&)> on_retry);

  Task<ListPage> List(ListRequest request) override;
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override;
  using ObjectStore::Head;
  Task<ObjectHead> Head(Key key, std::string version_id) override;
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;
  using ObjectStore::GetTags;
  Task<NameValues> GetTags(Key key, std::string version_id) override;
  Task<Unit> PutTags(Key key, NameValues tags) override;
  Task<PutAnswer> Put(PutRequest request) override;
  Task<CopyAnswer> Copy(CopyRequest request) override;
  Task<Unit> Delete(Key key) override;
  Task<Unit> Restore(RestoreRequest request) override;
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override;
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override;
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override;
  Task<Unit> AbortUpload(Key key, std::string upload_id) override;
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override;

 private:
  // `attempt` makes a new task for each try. It is a parameter, so it lives as long as the task.
  template <typename T>
  Task<T> Retry(std::function<Task<T>()> attempt, bool (*worth)(ErrorKind) = IsRetryable);

  ObjectStore& inner_;
  EventLoop& loop_;
  EndpointMemory& memory_;
  const RetryOptions options_;
  std::mt19937_64 random_;
  const std::function<void(const Error&)> on_retry_;
};

}  // namespace ferry
