// MeasuredStore: counts requests.
#pragma once

#include <atomic>
#include <cstdint>

#include "batch/store/object_store.h"

namespace ferry {

class MeasuredStore final : public ObjectStore {
 public:
  // Both outlive this object; `requests` may be shared with other threads.
  MeasuredStore(ObjectStore& inner, std::atomic<std::int64_t>& requests)
      : inner_(inner), requests_(requests) {}

  Task<ListPage> List(ListRequest request) override {
    return Counted(inner_.List(std::move(request)));
  }
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override {
    return Counted(inner_.ListVersions(std::move(request)));
  }
  Task<ObjectHead> Head(Key key, std::string version_id) override {
    return Counted(inner_.Head(std::move(key), std::move(version_id)));
  }
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override {
    return Counted(inner_.Get(std::move(request), sink, std::move(on_head)));
  }
  Task<NameValues> GetTags(Key key, std::string version_id) override {
    return Counted(inner_.GetTags(std::move(key), std::move(version_id)));
  }
  Task<Unit> PutTags(Key key, NameValues tags) override {
    return Counted(inner_.PutTags(std::move(key), std::move(tags)));
  }
  Task<PutAnswer> Put(PutRequest request) override {
    return Counted(inner_.Put(std::move(request)));
  }
  Task<Unit> Delete(Key key) override { return Counted(inner_.Delete(std::move(key))); }
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override {
    return Counted(inner_.CreateUpload(std::move(key), metadata));
  }
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override {
    return Counted(inner_.ListParts(std::move(key), std::move(upload_id), after_number));
  }
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override {
    return Counted(inner_.CompleteUpload(std::move(key), std::move(upload_id), std::move(parts)));
  }
  Task<Unit> AbortUpload(Key key, std::string upload_id) override {
    return Counted(inner_.AbortUpload(std::move(key), std::move(upload_id)));
  }
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override {
    return Counted(
        inner_.ListUploads(std::move(prefix), std::move(key_marker), std::move(upload_id_marker)));
  }

 private:
  template <typename T>
  Task<T> Counted(Task<T> request) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    return request;
  }

  ObjectStore& inner_;
  std::atomic<std::int64_t>& requests_;
};

}  // namespace ferry
