#include "batch/copy/examine.h"

#include <algorithm>
#include <cstdlib>

#include "batch/copy/tag_losses.h"

namespace ferry {
namespace {

// A head's time may have been cut or rounded to a second.
constexpr std::int64_t kRoundingMs = 2000;

// Empty: the bucket's own.
std::string StorageClassThere(const Ends& ends, const ObjectHead& head) {
  if (ends.rules == nullptr) return {};
  const std::string here = head.storage_class.empty() ? "STANDARD" : head.storage_class;
  if (ends.rules->keeps_storage_class) return here;
  const auto mapped = std::ranges::find(ends.rules->storage_classes, here, &NameValue::first);
  return mapped == ends.rules->storage_classes.end() ? std::string() : mapped->second;
}

}  // namespace

SourceIdentity IdentityOf(const ObjectHead& head, const SourceIdentity& listed) {
  SourceIdentity now{head.etag, head.size_bytes, head.last_modified_ms, head.version_id};
  const bool both_named = !now.version.empty() && !listed.version.empty();
  const bool same =
      now.etag == listed.etag && now.size_bytes == listed.size_bytes &&
      (!both_named || now.version == listed.version) &&
      (now.modified_ms == 0 || std::abs(now.modified_ms - listed.modified_ms) < kRoundingMs);
  if (!same) return now;
  now.modified_ms = listed.modified_ms;
  // Not every store names the version in each answer.
  if (now.version.empty()) now.version = listed.version;
  return now;
}

std::string PinnedVersion(const Ends& ends, const SourceIdentity& source) {
  return ends.versions == VersionPolicy::kLatest ? std::string() : source.version;
}

bool TagsTravel(const Ends& ends, const ObjectHead& head) {
  const bool copied = ends.rules == nullptr || ends.rules->tags == WriteRules::Tags::kCopied;
  return copied && head.tag_count > 0 && ends.destination_provider.tags;
}

bool HasTags(const Ends& ends, const ObjectHead& head) {
  const bool fixed = ends.rules != nullptr && ends.rules->tags == WriteRules::Tags::kFixed;
  return TagsTravel(ends, head) || (fixed && !ends.rules->fixed_tags.empty());
}

NameValues HeadersThere(const Ends& ends, const NameValues& headers) {
  NameValues there = headers;
  if (ends.rules == nullptr) return there;
  for (const NameValue& rule : ends.rules->headers) {
    std::erase_if(there, [&](const NameValue& header) { return header.first == rule.first; });
    there.push_back(rule);
  }
  return there;
}

Task<ObjectMetadata> MetadataOf(Ends& ends, const Key& key, const ObjectHead& head) {
  ObjectMetadata metadata;
  metadata.headers = HeadersThere(ends, head.metadata_headers);
  metadata.storage_class = StorageClassThere(ends, head);
  if (TagsTravel(ends, head)) {
    const std::string version = ends.versions == VersionPolicy::kLatest ? "" : head.version_id;
    metadata.tags = co_await On(Side::kSource, ends.source.GetTags(key, version));
  } else if (HasTags(ends, head)) {
    metadata.tags = ends.rules->fixed_tags;
  } else if (head.tag_count > 0 && !ends.destination_provider.tags && ends.tag_losses != nullptr) {
    ends.tag_losses->Note();
  }
  co_return metadata;
}

Task<Unit> CheckTagsBelong(Ends& ends, const Key& key, const ObjectHead& head) {
  if (!TagsTravel(ends, head)) co_return Unit{};
  const std::string version = ends.versions == VersionPolicy::kLatest ? "" : head.version_id;
  if (!version.empty() && version != "null") co_return Unit{};
  const ObjectHead now = co_await On(Side::kSource, ends.source.Head(key, version));
  const bool same = now.etag == head.etag && now.last_modified_ms == head.last_modified_ms &&
                    now.version_id == head.version_id;
  if (same) co_return Unit{};
  throw SideError(Side::kSource,
                  Error(ErrorKind::kConflict, "the object changed while its tags were read"));
}

Task<ObjectHead> LookAgain(const Ends& ends, const ObjectToCopy& object, const SideError& error) {
  const bool version_gone =
      error.kind() == ErrorKind::kNotFound && !PinnedVersion(ends, object.source).empty();
  if (error.side() != Side::kSource || !(error.kind() == ErrorKind::kConflict || version_gone)) {
    throw error;
  }
  co_return co_await On(Side::kSource, ends.source.Head(object.source_key));
}

Task<Digest> ReadDigest(ObjectStore& store, Side side, GetRequest get, DigestKind kind,
                        Traffic& traffic) {
  BodyDigest digest({kind});
  WatchingSink sink([&](std::string_view piece) {
    digest.Update(piece);
    traffic.read_bytes += piece.size();
  });
  std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
  co_await On(side, store.Get(get, sink, ignore));
  co_return digest.Finish().front();
}

Task<Digest> ReadBack(Ends& ends, const Key& key, const std::string& etag, std::uint64_t bytes,
                      DigestKind kind, Traffic& traffic) {
  GetRequest get;
  get.key = key;
  get.if_match = etag;
  get.expected_bytes = bytes;
  co_return co_await ReadDigest(ends.destination, Side::kDestination, get, kind, traffic);
}

Task<bool> Answers(Ends ends, Side side, Key key) {
  ListRequest request;
  request.prefix = key.bytes();
  request.keys_max = 1;
  ObjectStore& store = side == Side::kSource ? ends.source : ends.destination;
  try {
    co_await store.List(request);
    co_return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    co_return !IsRetryable(error.kind());
  }
}

void ThrowStoredOtherBytes() {
  throw SideError(Side::kDestination,
                  Error(ErrorKind::kCorrupt, "the destination stored other bytes than were sent"));
}

}  // namespace ferry
