#include "batch/copy/examine.h"

#include "batch/base/digest.h"

namespace ferry {

SourceIdentity IdentityOf(const ObjectHead& head, const SourceIdentity& listed) {
  SourceIdentity identity = listed;
  if (head.etag != listed.etag) identity.modified_ms = head.last_modified_ms;
  identity.etag = head.etag;
  identity.size_bytes = head.size_bytes;
  return identity;
}

Task<ObjectMetadata> MetadataOf(Ends& ends, const Key& key, const ObjectHead& head) {
  ObjectMetadata metadata;
  metadata.headers = head.metadata_headers;
  if (head.tag_count > 0) {
    metadata.tags = co_await On(Side::kSource, ends.source.GetTags(key));
  }
  co_return metadata;
}

Task<std::string> ReadMd5(ObjectStore& store, Side side, GetRequest get, Traffic& traffic) {
  Md5 md5;
  WatchingSink sink([&](std::string_view piece) {
    md5.Update(piece);
    traffic.read_bytes += piece.size();
  });
  std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
  co_await On(side, store.Get(get, sink, ignore));
  co_return md5.Finish();
}

void ThrowStoredOtherBytes() {
  throw SideError(Side::kDestination,
                  Error(ErrorKind::kCorrupt, "the destination stored other bytes than were sent"));
}

}  // namespace ferry
