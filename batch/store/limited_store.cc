#include "batch/store/limited_store.h"

#include "batch/store/classify.h"

namespace ferry {

// A task is lazy: nothing was sent before the slot is there.
template <typename T>
Task<T> LimitedStore::Limited(Task<T> request) {
  if (!limiter_.TryTake(loop_.clock().SteadyNow())) co_await limiter_.Take(loop_);
  Limiter::Slot slot(limiter_, loop_.clock());
  try {
    T value = co_await std::move(request);
    slot.Answered();
    co_return value;
  } catch (const Error& error) {
    if (MeansOverload(error)) {
      slot.Overloaded(error.retry_after());
    } else if (error.kind() != ErrorKind::kUnavailable && error.kind() != ErrorKind::kStopped) {
      slot.Answered();  // a refusal is an answer too
    }
    throw;
  }
}

Task<ListPage> LimitedStore::List(ListRequest request) {
  return Limited(inner_.List(std::move(request)));
}

Task<ListVersionsPage> LimitedStore::ListVersions(ListVersionsRequest request) {
  return Limited(inner_.ListVersions(std::move(request)));
}

Task<ObjectHead> LimitedStore::Head(Key key, std::string version_id) {
  return Limited(inner_.Head(std::move(key), std::move(version_id)));
}

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

Task<CopyAnswer> LimitedStore::Copy(CopyRequest request) {
  return Limited(inner_.Copy(std::move(request)));
}

Task<Unit> LimitedStore::Delete(Key key) { return Limited(inner_.Delete(std::move(key))); }

Task<Unit> LimitedStore::Restore(RestoreRequest request) {
  return Limited(inner_.Restore(std::move(request)));
}

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
