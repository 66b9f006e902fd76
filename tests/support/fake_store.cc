#include "tests/support/fake_store.h"

#include <algorithm>
#include <utility>

#include "batch/base/digest.h"
#include "batch/store/checksum_headers.h"
#include "batch/store/uri.h"

namespace ferry::test {
namespace {

constexpr std::int64_t kModifiedMs = 1'700'000'000'000;
constexpr std::size_t kUploadsPerPage = 2;

void ThrowIf(const std::optional<Error>& error) {
  if (error) throw *error;
}

void Spoil(std::string& bytes) {
  if (!bytes.empty()) bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
}

}  // namespace

StoredObject& FakeStore::Add(const std::string& key, std::string bytes) {
  const std::string etag = EtagFor(bytes);
  Store(Key(key), std::move(bytes), etag, {});
  return objects_.at(Key(key));
}

int FakeStore::CountCalls(std::string_view operation) const {
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(), [&](const std::string& call) {
    return call.substr(0, call.find(' ')) == operation;
  }));
}

void FakeStore::FailCall(std::string operation, int call, Moment moment, Error error) {
  faults_.push_back({std::move(operation), call, moment, std::move(error)});
}

std::optional<Error> FakeStore::Enter(std::string_view operation, const Key& key) {
  calls_.push_back(std::string(operation) + " " + key.bytes());
  std::optional<Error> beforehand, afterwards;
  for (Fault& fault : faults_) {
    if (fault.operation != "any" && fault.operation != operation) continue;
    if (--fault.calls_left != 0) continue;
    (fault.moment == Moment::kBeforeEffect ? beforehand : afterwards).emplace(fault.error);
  }
  ThrowIf(beforehand);
  if (before) before(operation, key);
  return afterwards;
}

StoredObject& FakeStore::Find(const Key& key, const std::string& version_id) {
  const auto found = objects_.find(key);
  if (version_id.empty()) {
    if (found != objects_.end()) return found->second;
    throw Error(ErrorKind::kNotFound, "no such object", "NoSuchKey");
  }
  const auto is_it = [&](const StoredObject& object) {
    return object.version_id == version_id || (object.version_id.empty() && version_id == "null");
  };
  if (found != objects_.end() && is_it(found->second)) return found->second;
  for (OldVersion& one : older_[key]) {
    if (is_it(one.object) && !one.delete_marker) return one.object;
  }
  throw Error(ErrorKind::kNotFound, "no such version", "NoSuchVersion");
}

std::string FakeStore::Retire(const Key& key) {
  const auto current = objects_.find(key);
  if (versioning == Versioning::kNever) return {};
  std::deque<OldVersion>& older = older_[key];
  if (current != objects_.end()) {
    if (current->second.version_id.empty()) current->second.version_id = "null";
    older.push_front({current->second, false});
  }
  if (versioning == Versioning::kEnabled) return "v" + std::to_string(++counter_);
  std::erase_if(older, [](const OldVersion& one) { return one.object.version_id == "null"; });
  return "null";
}

void FakeStore::Remove(const std::string& key) {
  OldVersion marker;
  marker.delete_marker = true;
  marker.object.version_id = Retire(Key(key));
  objects_.erase(Key(key));
  if (versioning != Versioning::kNever) older_[Key(key)].push_front(std::move(marker));
}

void FakeStore::RemoveVersion(const std::string& key, const std::string& version_id) {
  std::deque<OldVersion>& older = older_[Key(key)];
  std::erase_if(older, [&](const OldVersion& one) { return one.object.version_id == version_id; });
  const auto current = objects_.find(Key(key));
  if (current == objects_.end() || current->second.version_id != version_id) return;
  objects_.erase(current);
  if (older.empty() || older.front().delete_marker) return;
  objects_[Key(key)] = std::move(older.front().object);
  older.pop_front();
}

std::vector<ListedVersion> FakeStore::AllVersions() const {
  std::map<Key, std::vector<ListedVersion>> by_key;
  const auto add = [&](const Key& key, const StoredObject& object, bool delete_marker) {
    std::vector<ListedVersion>& all = by_key[key];
    ListedVersion one;
    one.object = {key, object.etag, object.bytes.size(), object.storage_class, object.modified_ms};
    one.version_id = object.version_id.empty() ? "null" : object.version_id;
    one.latest = all.empty();
    one.delete_marker = delete_marker;
    all.push_back(std::move(one));
  };
  for (const auto& [key, object] : objects_) add(key, object, false);
  for (const auto& [key, older] : older_) {
    for (const OldVersion& one : older) add(key, one.object, one.delete_marker);
  }
  std::vector<ListedVersion> versions;
  for (const auto& [key, all] : by_key) versions.insert(versions.end(), all.begin(), all.end());
  return versions;
}

FakeStore::Upload& FakeStore::FindUpload(const Key& key, const std::string& upload_id) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end() || found->second.key != key) {
    throw Error(ErrorKind::kNotFound, "no such upload", "NoSuchUpload");
  }
  return found->second;
}

std::string FakeStore::EtagFor(std::string_view bytes) {
  if (opaque_etags) return "opaque-" + std::to_string(++counter_);
  if (hides_md5) return ToHex(Md5::Of(std::to_string(++counter_)));
  return ToHex(Md5::Of(bytes));
}

Digests FakeStore::ChecksumsOf(std::string_view bytes) const {
  if (!checksum || answers_no_checksum) return {};
  return BodyDigest::Of({*checksum}, bytes);
}

void FakeStore::CheckDigest(const std::optional<Digest>& digest, std::string_view body) const {
  if (!digest) return;
  const DigestKind kind = digest->kind;
  const bool known =
      kind == DigestKind::kMd5 ? !ignores_content_md5 : checksum == kind && !answers_no_checksum;
  if (known && BodyDigest::Of({kind}, body).front() != *digest) {
    throw Error(ErrorKind::kCorrupt, "other bytes arrived", "BadDigest");
  }
}

std::optional<CompositeDigest> FakeStore::CompositeOf(
    const Upload& upload, const std::vector<PartToComplete>& parts) const {
  if (upload.checksum != DigestKind::kSha256 || answers_no_checksum) return std::nullopt;
  Sha256 all;
  for (const PartToComplete& part : parts) {
    const std::string digest = Sha256::Of(upload.parts.at(part.number).bytes);
    if (!part.checksum || part.checksum->bytes != digest) {
      throw Error(ErrorKind::kInvalid, "a part without its checksum", "InvalidRequest");
    }
    all.Update(digest);
  }
  if (answers_other_composite) all.Update("more");
  return CompositeDigest{{DigestKind::kSha256, all.Finish()}, parts.size()};
}

ObjectHead FakeStore::HeadOf(const StoredObject& object) const {
  ObjectHead head;
  head.etag = object.etag;
  head.version_id = object.version_id;
  head.size_bytes = object.bytes.size();
  head.last_modified_ms = object.modified_ms;
  head.storage_class = object.storage_class;
  const bool in_archive =
      object.storage_class == "GLACIER" || object.storage_class == "INTELLIGENT_TIERING";
  head.archived = in_archive && !object.restored;
  head.being_restored = object.restoring && !object.restored;
  head.etag_hides_md5 = hides_md5;
  head.tag_count = static_cast<std::uint32_t>(object.metadata.tags.size());
  head.metadata_headers = object.metadata.headers;
  head.upload_nonce = object.metadata.upload_nonce;
  return head;
}

std::string FakeStore::Store(const Key& key, std::string bytes, std::string etag,
                             ObjectMetadata metadata) {
  std::string version_id = Retire(key);
  StoredObject& object = objects_[key];
  object = {std::move(bytes),     std::move(etag), std::move(metadata), kModifiedMs, {},
            std::move(version_id)};
  return object.etag;
}

Task<ListPage> FakeStore::List(ListRequest request) {
  ThrowIf(Enter("list", Key(request.prefix)));
  if (list_instead) co_return list_instead(request);
  ListPage page;
  page.shape = ListShape::kV2;
  const std::string after = request.continuation_token.value_or(request.start_after);
  for (auto it = after.empty() ? objects_.begin() : objects_.upper_bound(Key(after));
       it != objects_.end(); ++it) {
    const auto& [key, object] = *it;
    if (!key.StartsWith(request.prefix)) continue;
    if (page.objects.size() == request.keys_max) {
      page.truncated = true;
      page.continuation_token = page.objects.back().key.bytes();
      break;
    }
    page.objects.push_back(
        {key, object.etag, object.bytes.size(), object.storage_class, object.modified_ms});
  }
  co_return page;
}

Task<ListVersionsPage> FakeStore::ListVersions(ListVersionsRequest request) {
  ThrowIf(Enter("list_versions", Key(request.prefix)));
  ListVersionsPage page;
  bool begun = request.key_marker.empty();
  for (ListedVersion& one : AllVersions()) {
    const Key& key = one.object.key;
    if (!begun) {
      const Key marker(request.key_marker);
      const bool at_marker = key == marker && one.version_id == request.version_id_marker;
      begun = marker < key;
      if (at_marker) begun = true;
      if (at_marker || !begun) continue;
    }
    if (!key.StartsWith(request.prefix)) continue;
    if (page.versions.size() == request.keys_max) {
      page.truncated = true;
      page.next_key_marker = page.versions.back().object.key.bytes();
      page.next_version_id_marker = page.versions.back().version_id;
      break;
    }
    page.versions.push_back(std::move(one));
  }
  co_return page;
}

Task<ObjectHead> FakeStore::Head(Key key, std::string version_id) {
  ThrowIf(Enter("head", key));
  co_return HeadOf(Find(key, version_id));
}

Task<ObjectHead> FakeStore::Get(GetRequest request, BodySink& sink,
                                std::function<void(const ObjectHead&)> on_head) {
  const std::optional<Error> afterwards = Enter("get", request.key);
  const StoredObject object = Find(request.key, request.version_id);
  if (!request.if_match.empty() && request.if_match != object.etag) {
    throw Error(ErrorKind::kConflict, "changed", "PreconditionFailed");
  }
  if (HeadOf(object).archived) {
    throw Error(ErrorKind::kArchived, "archived", "InvalidObjectState");
  }
  std::string body = object.bytes;
  if (request.range_bytes > 0) {
    if (request.first_byte + request.range_bytes > body.size()) {
      throw Error(ErrorKind::kConflict, "beyond the end", "InvalidRange");
    }
    body = body.substr(request.first_byte, request.range_bytes);
  }
  if (body.size() != request.expected_bytes) {
    throw Error(ErrorKind::kConflict, "the object has another size than when it was listed");
  }
  if (spoils_reads) Spoil(body);
  ObjectHead head = HeadOf(object);
  if (request.range_bytes == 0) head.checksums = ChecksumsOf(object.bytes);
  on_head(head);
  struct UnderWay {
    explicit UnderWay(FakeStore& of) : store(of) {
      store.most_reads_ = std::max(store.most_reads_, ++store.reads_);
    }
    ~UnderWay() { store.reads_ -= 1; }
    FakeStore& store;
  } under_way(*this);
  std::size_t sent = 0;
  while (sent < body.size()) {
    if (cut_reads_at > 0 && sent >= cut_reads_at) throw Error(ErrorKind::kUnavailable, "cut");
    const std::string_view piece = std::string_view(body).substr(sent, piece_bytes);
    switch (sink.Push(piece)) {
      case BodySink::Demand::kTaken: {
        sent += piece.size();
        if (!pauses_reads) break;
        const bool slept = co_await loop_.Sleep(std::chrono::milliseconds(0));
        if (!slept) throw Error(ErrorKind::kStopped, "stopped");
        break;
      }
      case BodySink::Demand::kRefused:
        throw Error(ErrorKind::kUnavailable, "the receiving side gave up");
      case BodySink::Demand::kLater: {
        const bool slept = co_await loop_.Sleep(std::chrono::milliseconds(1));
        if (!slept) throw Error(ErrorKind::kStopped, "stopped");
        break;
      }
    }
  }
  ThrowIf(afterwards);
  co_return head;
}

Task<NameValues> FakeStore::GetTags(Key key, std::string version_id) {
  ThrowIf(Enter("get_tags", key));
  co_return Find(key, version_id).metadata.tags;
}

Task<Unit> FakeStore::PutTags(Key key, NameValues tags) {
  const std::optional<Error> afterwards = Enter("put_tags", key);
  Find(key).metadata.tags = std::move(tags);
  ThrowIf(afterwards);
  co_return Unit{};
}

Task<PutAnswer> FakeStore::Put(PutRequest request) {
  const std::optional<Error> afterwards = Enter("put", request.key);
  std::string body(request.body);
  while (request.source != nullptr) {
    std::string piece(piece_bytes, '\0');
    const BodySource::Piece got = request.source->Pull(piece.data(), piece.size());
    if (got.state == BodySource::Supply::kSome) {
      body.append(piece, 0, got.bytes);
    } else if (got.state == BodySource::Supply::kLater) {
      const bool slept = co_await loop_.Sleep(std::chrono::milliseconds(1));
      if (!slept) throw Error(ErrorKind::kStopped, "stopped");
    } else if (got.state == BodySource::Supply::kFailed) {
      throw Error(ErrorKind::kUnavailable, "the sending side gave up");
    } else {
      break;
    }
  }
  if (body.size() != request.bytes) throw Error(ErrorKind::kUnavailable, "a short body");
  CheckDigest(request.digest, body);
  if (request.digest) digests_sent_.push_back(request.digest->kind);
  if (request.digest_behind) {
    const Digest behind = request.digest_behind();
    CheckDigest(behind, body);
    digests_behind_.push_back(behind.kind);
  }
  if (spoils_writes) Spoil(body);
  PutAnswer answer;
  if (request.part_number == 0 || answers_part_checksums) answer.checksums = ChecksumsOf(body);
  answer.etag = EtagFor(body);
  answer.etag_hides_md5 = hides_md5;
  if (request.part_number > 0) {
    FindUpload(request.key, request.upload_id).parts[request.part_number] = {body, answer.etag};
  } else {
    Store(request.key, std::move(body), answer.etag,
          request.metadata == nullptr ? ObjectMetadata{} : *request.metadata);
  }
  ThrowIf(afterwards);
  co_return answer;
}

Task<CopyAnswer> FakeStore::Copy(CopyRequest request) {
  const std::optional<Error> afterwards = Enter("copy", request.key);
  FakeStore* from = this;
  if (request.source_bucket != "self") {
    const auto known = copy_sources.find(request.source_bucket);
    if (known == copy_sources.end()) {
      throw Error(ErrorKind::kNotFound, "no such bucket", "NoSuchBucket");
    }
    from = known->second;
  }
  const StoredObject object = from->Find(request.source_key, request.source_version_id);
  if (copies_heed_pins && !request.source_etag.empty() && request.source_etag != object.etag) {
    throw Error(ErrorKind::kConflict, "changed", "PreconditionFailed");
  }
  if (object.storage_class == "GLACIER") {
    throw Error(ErrorKind::kArchived, "archived", "ObjectNotInActiveTierError");
  }
  std::string bytes = object.bytes;
  if (request.part_number > 0) {
    if (request.first_byte + request.range_bytes > bytes.size()) {
      throw Error(ErrorKind::kConflict, "shorter", "InvalidRange");
    }
    bytes = bytes.substr(request.first_byte, request.range_bytes);
  }
  if (spoils_writes) Spoil(bytes);
  CopyAnswer answer;
  answer.etag = EtagFor(bytes);
  answer.etag_hides_md5 = hides_md5;
  answer.source_version_id = object.version_id;
  if (request.part_number > 0) {
    FindUpload(request.key, request.upload_id).parts[request.part_number] = {bytes, answer.etag};
  } else {
    Store(request.key, std::move(bytes), answer.etag, object.metadata);
  }
  ThrowIf(afterwards);
  co_return answer;
}

Task<Unit> FakeStore::Delete(Key key) {
  const std::optional<Error> afterwards = Enter("delete", key);
  Remove(key.bytes());
  ThrowIf(afterwards);
  co_return Unit{};
}

Task<Unit> FakeStore::Restore(RestoreRequest request) {
  const std::optional<Error> afterwards = Enter("restore", request.key);
  Find(request.key, request.version_id).restoring = true;
  restores_.push_back(std::move(request));
  ThrowIf(afterwards);
  co_return Unit{};
}

Task<std::string> FakeStore::CreateUpload(Key key, const ObjectMetadata& metadata) {
  const std::optional<Error> afterwards = Enter("create_upload", key);
  const std::string upload_id = "upload-" + std::to_string(++counter_);
  uploads_[upload_id] = {key, metadata, {}, initiator_name, now_ms, checksum};
  ThrowIf(afterwards);
  co_return upload_id;
}

Task<ListPartsPage> FakeStore::ListParts(Key key, std::string upload_id,
                                         std::uint32_t after_number) {
  ThrowIf(Enter("list_parts", key));
  const Upload& upload = FindUpload(key, upload_id);
  ListPartsPage page;
  if (upload.checksum && tells_checksum_of_uploads) {
    page.checksum_algorithm = ChecksumAlgorithm(*upload.checksum);
    page.checksum_type = IsComposite(*upload.checksum) ? "COMPOSITE" : "FULL_OBJECT";
  }
  for (auto it = upload.parts.upper_bound(after_number); it != upload.parts.end(); ++it) {
    if (page.parts.size() == page_parts) {
      page.truncated = true;
      page.next_part_number_marker = page.parts.back().number;
      break;
    }
    page.parts.push_back({it->first, it->second.etag, it->second.bytes.size()});
  }
  co_return page;
}

Task<CompletedUpload> FakeStore::CompleteUpload(Key key, std::string upload_id,
                                                std::vector<PartToComplete> parts) {
  const std::optional<Error> afterwards = Enter("complete_upload", key);
  Upload& upload = FindUpload(key, upload_id);
  std::string bytes, digests;
  for (const PartToComplete& part : parts) {
    const auto found = upload.parts.find(part.number);
    if (found == upload.parts.end() || found->second.etag != part.etag) {
      throw Error(ErrorKind::kConflict, "no such part", "InvalidPart");
    }
    bytes += found->second.bytes;
    digests += Md5::Of(found->second.bytes);
  }
  std::string etag = EtagFor(digests);
  if (!opaque_etags) etag += "-" + std::to_string(parts.size());
  CompletedUpload completed;
  completed.composite = CompositeOf(upload, parts);
  if (!completed.composite) completed.checksums = ChecksumsOf(bytes);
  completed.etag = Store(key, std::move(bytes), std::move(etag), upload.metadata);
  uploads_.erase(upload_id);
  ThrowIf(afterwards);
  if (completes_without_etag) completed.etag.clear();
  co_return completed;
}

Task<Unit> FakeStore::AbortUpload(Key key, std::string upload_id) {
  const std::optional<Error> afterwards = Enter("abort_upload", key);
  FindUpload(key, upload_id);
  uploads_.erase(upload_id);
  ThrowIf(afterwards);
  co_return Unit{};
}

Task<ListUploadsPage> FakeStore::ListUploads(std::string prefix, std::string key_marker,
                                             std::string upload_id_marker) {
  ThrowIf(Enter("list_uploads", Key(prefix)));
  std::vector<std::pair<Key, std::string>> sorted;
  for (const auto& [id, upload] : uploads_) {
    if (upload.key.StartsWith(prefix)) sorted.emplace_back(upload.key, id);
  }
  std::sort(sorted.begin(), sorted.end());
  ListUploadsPage page;
  page.answered_ms = now_ms;
  for (const auto& [key, id] : sorted) {
    const std::pair<Key, std::string> marker(Key(key_marker), upload_id_marker);
    if (!key_marker.empty() && std::pair(key, id) <= marker) continue;
    if (page.uploads.size() == kUploadsPerPage) {
      page.truncated = true;
      page.next_key_marker = page.uploads.back().key.bytes();
      page.next_upload_id_marker = page.uploads.back().upload_id;
      break;
    }
    const Upload& upload = uploads_.at(id);
    const Key shown = encodes_upload_keys ? Key(UriEncode(key.bytes(), SlashRule::kKeep)) : key;
    page.uploads.push_back({shown, id, upload.initiated_ms, upload.initiator});
  }
  co_return page;
}

}  // namespace ferry::test
