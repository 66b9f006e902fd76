// LimitedStore: has a Limiter decide when each request may be sent, and tells it what came of it.
//
// GetTags passes freely: it is asked in the middle of a read that holds a slot, and would wait for
// itself.
#pragma once

#include "batch/store/event_loop.h"
#include "batch/store/limiter.h"
#include "batch/store/object_store.h"

namespace ferry {

class LimitedStore final : public ObjectStore {
 public:
  // All outlive this object; `limiter` is shared by the stores of all loops.
  LimitedStore(ObjectStore& inner, EventLoop& loop, Limiter& limiter)
      : inner_(inner), loop_(loop), limiter_(limiter) {}

  Task<ListPage> List(ListRequest request) override;
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override;
  using ObjectStore::Head;
  Task<ObjectHead> Head(Key key, std::string version_id) override;
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;
  Task<NameValues> GetTags(Key key, std::string version_id) override {
    return inner_.GetTags(std::move(key), std::move(version_id));
  }
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
  template <typename T>
  Task<T> Limited(Task<T> request);

  ObjectStore& inner_;
  EventLoop& loop_;
  Limiter& limiter_;
};

}  // namespace ferry
