// MeasuredStore: counts requests, what came of them and how long they took.
//
// A request is measured from the moment it is sent (a task is lazy, and the LimitedStore above
// awaits it once there is a slot) until its answer is there: of a body in either direction until
// all of it is over, also while the other side of the copy makes it wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "batch/base/clock.h"
#include "batch/store/object_store.h"
#include "batch/store/request_stats.h"

namespace ferry {

class MeasuredStore final : public ObjectStore {
 public:
  // All outlive this object; `requests` and `stats` may be shared with other threads. `requests`
  // counts those that were sent, whatever becomes of them; `stats` those that ended.
  MeasuredStore(ObjectStore& inner, const Clock& clock, std::atomic<std::int64_t>& requests,
                RequestStats& stats)
      : inner_(inner), clock_(clock), requests_(requests), stats_(stats) {}

  Task<ListPage> List(ListRequest request) override {
    return Measured(Operation::kList, inner_.List(std::move(request)));
  }
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override {
    return Measured(Operation::kListVersions, inner_.ListVersions(std::move(request)));
  }
  Task<ObjectHead> Head(Key key, std::string version_id) override {
    return Measured(Operation::kHead, inner_.Head(std::move(key), std::move(version_id)));
  }
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override {
    return Measured(Operation::kGet, inner_.Get(std::move(request), sink, std::move(on_head)));
  }
  Task<NameValues> GetTags(Key key, std::string version_id) override {
    return Measured(Operation::kGetTags, inner_.GetTags(std::move(key), std::move(version_id)));
  }
  Task<Unit> PutTags(Key key, NameValues tags) override {
    return Measured(Operation::kPutTags, inner_.PutTags(std::move(key), std::move(tags)));
  }
  Task<PutAnswer> Put(PutRequest request) override {
    const Operation operation = request.part_number > 0 ? Operation::kUploadPart : Operation::kPut;
    return Measured(operation, inner_.Put(std::move(request)));
  }
  Task<CopyAnswer> Copy(CopyRequest request) override {
    const Operation operation = request.part_number > 0 ? Operation::kCopyPart : Operation::kCopy;
    return Measured(operation, inner_.Copy(std::move(request)));
  }
  Task<Unit> Delete(Key key) override {
    return Measured(Operation::kDelete, inner_.Delete(std::move(key)));
  }
  Task<Unit> Restore(RestoreRequest request) override {
    return Measured(Operation::kRestore, inner_.Restore(std::move(request)));
  }
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override {
    return Measured(Operation::kCreateUpload, inner_.CreateUpload(std::move(key), metadata));
  }
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override {
    return Measured(Operation::kListParts,
                    inner_.ListParts(std::move(key), std::move(upload_id), after_number));
  }
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override {
    return Measured(Operation::kCompleteUpload,
                    inner_.CompleteUpload(std::move(key), std::move(upload_id), std::move(parts)));
  }
  Task<Unit> AbortUpload(Key key, std::string upload_id) override {
    return Measured(Operation::kAbortUpload,
                    inner_.AbortUpload(std::move(key), std::move(upload_id)));
  }
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override {
    return Measured(
        Operation::kListUploads,
        inner_.ListUploads(std::move(prefix), std::move(key_marker), std::move(upload_id_marker)));
  }

 private:
  template <typename T>
  Task<T> Measured(Operation operation, Task<T> request) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    const SteadyTime began = clock_.SteadyNow();
    try {
      T answer = co_await std::move(request);
      stats_.Add(operation, clock_.SteadyNow() - began, nullptr);
      co_return answer;
    } catch (const Error& error) {
      stats_.Add(operation, clock_.SteadyNow() - began, &error);
      throw;
    }
  }

  ObjectStore& inner_;
  const Clock& clock_;
  std::atomic<std::int64_t>& requests_;
  RequestStats& stats_;
};

}  // namespace ferry
