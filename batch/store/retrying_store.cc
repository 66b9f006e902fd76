#include "batch/store/retrying_store.h"

#include <algorithm>

namespace ferry {

RetryingStore::RetryingStore(ObjectStore& inner, EventLoop& loop, EndpointMemory& memory,
                             RetryOptions options, std::uint64_t seed,
                             std::function<void(const Error&)> on_retry)
    : inner_(inner),
      loop_(loop),
      memory_(memory),
      options_(options),
      random_(seed),
      on_retry_(std::move(on_retry)) {}

template <typename T>
Task<T> RetryingStore::Retry(std::function<Task<T>()> attempt, bool (*worth)(ErrorKind)) {
  const SteadyTime began = loop_.clock().SteadyNow();
  memory_.budget.Earn();
  for (int number = 1;; ++number) {
    std::chrono::milliseconds asked{0};
    // A long pause begun in time must not end long after patience does.
    std::chrono::milliseconds pause_max = options_.backoff.cap;
    try {
      T value = co_await attempt();
      memory_.answered = true;
      co_return value;
    } catch (const Error& error) {
      if (!worth(error.kind())) throw;
      const auto patience = memory_.answered ? options_.patience : options_.patience_at_first;
      const SteadyTime now = loop_.clock().SteadyNow();
      const bool patient = now - began < patience;
      if (!patient && (number >= options_.attempts_max || !memory_.budget.Take(now))) throw;
      if (patient) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience - (now - began));
        pause_max = std::min(pause_max, left);
      }
      asked = error.retry_after();
      on_retry_(error);
    }
    const auto random = static_cast<std::uint32_t>(random_());
    const std::chrono::milliseconds pause = Backoff(number, random, options_.backoff);
    const bool slept = co_await loop_.Sleep(std::max(asked, std::min(pause_max, pause)));
    if (!slept) throw Error(ErrorKind::kStopped, "stopped");
  }
}

Task<ListPage> RetryingStore::List(ListRequest request) {
  std::function<Task<ListPage>()> attempt = [&] { return inner_.List(request); };
  co_return co_await Retry(std::move(attempt));
}

Task<ListVersionsPage> RetryingStore::ListVersions(ListVersionsRequest request) {
  std::function<Task<ListVersionsPage>()> attempt = [&] { return inner_.ListVersions(request); };
  co_return co_await Retry(std::move(attempt));
}

Task<ObjectHead> RetryingStore::Head(Key key, std::string version_id) {
  std::function<Task<ObjectHead>()> attempt = [&] { return inner_.Head(key, version_id); };
  co_return co_await Retry(std::move(attempt));
}

Task<ObjectHead> RetryingStore::Get(GetRequest request, BodySink& sink,
                                    std::function<void(const ObjectHead&)> on_head) {
  memory_.budget.Earn();
  return inner_.Get(std::move(request), sink, std::move(on_head));
}

Task<NameValues> RetryingStore::GetTags(Key key, std::string version_id) {
  std::function<Task<NameValues>()> attempt = [&] { return inner_.GetTags(key, version_id); };
  co_return co_await Retry(std::move(attempt));
}

Task<Unit> RetryingStore::PutTags(Key key, NameValues tags) {
  std::function<Task<Unit>()> attempt = [&] { return inner_.PutTags(key, tags); };
  co_return co_await Retry(std::move(attempt));
}

Task<PutAnswer> RetryingStore::Put(PutRequest request) {
  memory_.budget.Earn();
  return inner_.Put(std::move(request));
}

Task<CopyAnswer> RetryingStore::Copy(CopyRequest request) {
  // Pinned to one source, so that a second copy is the first one again.
  std::function<Task<CopyAnswer>()> attempt = [&] { return inner_.Copy(request); };
  co_return co_await Retry(std::move(attempt));
}

Task<Unit> RetryingStore::Delete(Key key) {
  // Once: whoever deletes looks right before, and what is there at a second try may be another
  // object.
  memory_.budget.Earn();
  return inner_.Delete(std::move(key));
}

Task<Unit> RetryingStore::Restore(RestoreRequest request) {
  std::function<Task<Unit>()> attempt = [&] { return inner_.Restore(request); };
  co_return co_await Retry(std::move(attempt));
}

Task<std::string> RetryingStore::CreateUpload(Key key, const ObjectMetadata& metadata) {
  // Not after an answer that was lost: of two uploads only one would be known. A store that was too
  // busy began none.
  std::function<Task<std::string>()> attempt = [&] { return inner_.CreateUpload(key, metadata); };
  co_return co_await Retry(std::move(attempt),
                           [](ErrorKind kind) { return kind == ErrorKind::kThrottled; });
}

Task<ListPartsPage> RetryingStore::ListParts(Key key, std::string upload_id,
                                             std::uint32_t after_number) {
  std::function<Task<ListPartsPage>()> attempt = [&] {
    return inner_.ListParts(key, upload_id, after_number);
  };
  co_return co_await Retry(std::move(attempt));
}

Task<CompletedUpload> RetryingStore::CompleteUpload(Key key, std::string upload_id,
                                                    std::vector<PartToComplete> parts) {
  std::function<Task<CompletedUpload>()> attempt = [&] {
    return inner_.CompleteUpload(key, upload_id, parts);
  };
  co_return co_await Retry(std::move(attempt));
}

Task<Unit> RetryingStore::AbortUpload(Key key, std::string upload_id) {
  std::function<Task<Unit>()> attempt = [&] { return inner_.AbortUpload(key, upload_id); };
  co_return co_await Retry(std::move(attempt));
}

Task<ListUploadsPage> RetryingStore::ListUploads(std::string prefix, std::string key_marker,
                                                 std::string upload_id_marker) {
  std::function<Task<ListUploadsPage>()> attempt = [&] {
    return inner_.ListUploads(prefix, key_marker, upload_id_marker);
  };
  co_return co_await Retry(std::move(attempt));
}

}  // namespace ferry
