// ObjectStore: what bucketferry needs of one bucket. Asynchronous: every call is a task on the
// event loop of the store it is made on, and on that loop's thread.
//
// S3Store speaks to the wire; RetryingStore, PacedStore, LimitedStore and MeasuredStore decorate;
// a fake in tests keeps objects in memory. All are held to tests/store/object_store_contract.h.
//
// Operations throw Error (see Classify for what an answer means). An operation that threw may
// still have happened, so every one of them must be safe to repeat.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/digest.h"
#include "batch/base/key.h"
#include "batch/base/task.h"
#include "batch/store/body.h"
#include "batch/store/s3_xml.h"
#include "batch/store/uri.h"

namespace ferry {

// Everything that makes an object what it is, beside its bytes: Content-Type, -Encoding,
// -Disposition, -Language, Cache-Control, Expires (opaque text), the website redirect and
// x-amz-meta-*. Names in lower case, values as the store sent them.
struct ObjectMetadata {
  NameValues headers;
  NameValues tags;
  // Which of our uploads wrote the object; empty: not to be said. It travels as user metadata of a
  // name of its own, kNonceHeader, and is no part of what an object is: who reads one finds it in
  // ObjectHead::upload_nonce, never among the headers.
  std::string upload_nonce = {};
  std::string storage_class = {};  // empty: the bucket's own
};

inline constexpr std::string_view kNonceHeader = "x-amz-meta-bucketferry-upload";

struct ObjectHead {
  std::string etag;              // normalised
  std::uint64_t size_bytes = 0;  // of the whole object, also when a range was asked for
  std::int64_t last_modified_ms = 0;
  std::string version_id;
  std::string storage_class;
  bool archived = false;        // must be restored before it can be read
  bool being_restored = false;  // somebody asked for that, and it is not done yet
  bool etag_hides_md5 = false;  // KMS or SSE-C: the ETag says nothing about the bytes
  Digests checksums;            // of all its bytes; only Get asks for them
  std::uint32_t tag_count = 0;
  NameValues metadata_headers;
  std::string upload_nonce;  // see ObjectMetadata
};

struct ListRequest {
  std::string prefix;
  std::string start_after;  // a key; empty: from the start
  // From the page before; each store knows which of its cursors it uses.
  std::optional<std::string> continuation_token;
  // The token came with a page of ListShape::kV1, perhaps to another loop's store of this bucket.
  bool token_is_marker = false;
  std::uint32_t keys_max = 1000;
};

// Every version of the keys below a prefix, a page at a time.
struct ListVersionsRequest {
  std::string prefix;
  // From the page before; both empty: from the start. A page may end within the versions of a key.
  std::string key_marker;
  std::string version_id_marker;
  std::uint32_t keys_max = 1000;  // versions and delete markers
};

struct GetRequest {
  Key key;
  std::string if_match;    // the ETag it must have; empty only where none is known
  std::string version_id;  // empty: the current one
  // The whole object when range_bytes is 0.
  std::uint64_t first_byte = 0;
  std::uint64_t range_bytes = 0;
  std::uint64_t expected_bytes = 0;  // of this body: a shorter or longer one is an error
};

struct PutRequest {
  Key key;
  const ObjectMetadata* metadata = nullptr;  // null for a part
  std::string upload_id;                     // with part_number: a part
  std::uint32_t part_number = 0;
  std::string_view body;         // whole, or
  BodySource* source = nullptr;  // flowing
  std::uint64_t bytes = 0;
  // Of the body, for the store to check; nullopt: not known up front. A CRC only where the store
  // is known to heed it.
  std::optional<Digest> digest;
};

struct PutAnswer {
  std::string etag;  // normalised
  bool etag_hides_md5 = false;
  Digests checksums;  // of what the store took
};

// A copy that the store makes itself, of an object or of a range of one: no byte passes here. The
// source is a bucket of the same endpoint, read with the credentials of this store. Headers, user
// metadata and tags go along with a whole object; an upload has its own.
struct CopyRequest {
  std::string source_bucket;
  Key source_key;
  std::string source_etag;        // the source must have it; not every store heeds that
  std::string source_version_id;  // empty: the current one
  Key key;
  std::string upload_id;  // with part_number: a part
  std::uint32_t part_number = 0;
  std::uint64_t first_byte = 0;   // of a part
  std::uint64_t range_bytes = 0;  // of a part, or the whole size: much takes the store long
};

struct CopyAnswer {
  std::string etag;  // normalised; of what was written
  bool etag_hides_md5 = false;
  std::string source_version_id;  // empty: not said
};

// A readable copy of an archived object, for a time.
struct RestoreRequest {
  Key key;
  std::string version_id;  // empty: the current one
  std::string tier;        // Expedited, Standard, Bulk
  std::uint32_t days = 0;  // 0: not said (API_RestoreObject: of INTELLIGENT_TIERING it may not be)
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual Task<ListPage> List(ListRequest request) = 0;
  virtual Task<ListVersionsPage> ListVersions(ListVersionsRequest request) = 0;
  // An empty version id: the current one. A version that is gone is kNotFound with the code
  // NoSuchVersion or NoSuchKey; the key may still be there.
  virtual Task<ObjectHead> Head(Key key, std::string version_id) = 0;
  Task<ObjectHead> Head(Key key) { return Head(std::move(key), std::string()); }
  // The body goes to `sink`; `on_head` is called before its first byte. The range, the length and
  // the pinned ETag and version of the answer are checked: what does not fit throws kCorrupt or
  // kConflict.
  virtual Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                               std::function<void(const ObjectHead&)> on_head) = 0;
  virtual Task<NameValues> GetTags(Key key, std::string version_id) = 0;
  Task<NameValues> GetTags(Key key) { return GetTags(std::move(key), std::string()); }
  // Replaces the tags of an object that is there.
  virtual Task<Unit> PutTags(Key key, NameValues tags) = 0;
  virtual Task<PutAnswer> Put(PutRequest request) = 0;
  // kConflict: the source is another object by now. kNotFound may speak of either bucket.
  virtual Task<CopyAnswer> Copy(CopyRequest request) = 0;
  virtual Task<Unit> Delete(Key key) = 0;
  // Asked for, or asked for before: hours pass before it can be read.
  virtual Task<Unit> Restore(RestoreRequest request) = 0;

  virtual Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) = 0;
  virtual Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                        std::uint32_t after_number) = 0;
  // The ETag may be missing in the answer: then it is empty.
  virtual Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                               std::vector<PartToComplete> parts) = 0;
  virtual Task<Unit> AbortUpload(Key key, std::string upload_id) = 0;
  virtual Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                            std::string upload_id_marker) = 0;
};

}  // namespace ferry
