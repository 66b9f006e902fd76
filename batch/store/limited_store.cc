#include "batch/store/limited_store.h"

#include "batch/base/check.h"

namespace ferry {

void Slots::GiveBack() {
  if (waiting_.empty()) {
    free_ += 1;
    return;
  }
  // The slot changes hands. Not resumed here: whoever gives back is in the middle of its own end.
  const std::coroutine_handle<> next = waiting_.front();
  waiting_.pop_front();
  FERRY_CHECK(loop_.Post([next] { next.resume(); }));
}

// A task is lazy: nothing was sent before the slot is free.
template <typename T>
Task<T> LimitedStore::Limited(Task<T> request) {
  co_await slots_.Free();
  const Slots::Slot slot(slots_);
  co_return co_await std::move(request);
}

Task<ListPage> LimitedStore::List(ListRequest request) {
  return Limited(inner_.List(std::move(request)));
}

Task<ObjectHead> LimitedStore::Head(Key key) { return Limited(inner_.Head(std::move(key))); }

Task<ObjectHead> LimitedStore::Get(GetRequest request, BodySink& sink,
                                   std::function<void(const ObjectHead&)> on_head) {
  return Limited(inner_.Get(std::move(request), sink, std::move(on_head)));
}

Task<Unit> LimitedStore::PutTags(Key key, NameValues tags) {
  return Limited(inner_.PutTags(std::move(key), std::move(tags)));
}

Task<PutAnswer> LimitedStore::Put(PutRequest request) {
  return Limited(inner_.Put(std::move(request)));
}

Task<Unit> LimitedStore::Delete(Key key) { return Limited(inner_.Delete(std::move(key))); }

Task<std::string> LimitedStore::CreateUpload(Key key, const ObjectMetadata& metadata) {
  return Limited(inner_.CreateUpload(std::move(key), metadata));
}

Task<ListPartsPage> LimitedStore::ListParts(Key key, std::string upload_id,
                                            std::uint32_t after_number) {
  return Limited(inner_.ListParts(std::move(key), std::move(upload_id), after_number));
}

Task<CompletedUpload> LimitedStore::CompleteUpload(Key key, std::string upload_id,
                                                   std::vector<PartToComplete> parts) {
  return Limited(inner_.CompleteUpload(std::move(key), std::move(upload_id), std::move(parts)));
}

Task<Unit> LimitedStore::AbortUpload(Key key, std::string upload_id) {
  return Limited(inner_.AbortUpload(std::move(key), std::move(upload_id)));
}

Task<ListUploadsPage> LimitedStore::ListUploads(std::string prefix, std::string key_marker,
                                                std::string upload_id_marker) {
  return Limited(
      inner_.ListUploads(std::move(prefix), std::move(key_marker), std::move(upload_id_marker)));
}

}  // namespace ferry
