// The XML of S3: answers become values, and two request bodies are written.
//
// Streaming and bounded (xml_reader.h), no tree. Measured on one core: 2,650,000 listed keys a
// second (570 MB/s) of a plain page (plain_xml.h), 1,090,000 where expat reads it. Namespaces are
// ignored, unknown elements skipped: vendors and AWS itself add some every year.
//
// All Parse functions but ParseErrorBody throw Error
//   - with the kind Classify gives and the store's code, when the root is <Error>: S3 sends errors
//     under status 200 too (API_CompleteMultipartUpload, API_CopyObject, API_ListObjectsV2);
//   - {kUnavailable, code "MalformedAnswer"} for what is not well-formed, has another root (HTML of
//     a proxy), or is cut: the same as a 500, worth another try and never an empty list;
//   - {kCorrupt} for a limit, a declaration, or a value that cannot be (a size of "x").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/digest.h"
#include "batch/base/key.h"
#include "batch/store/s3_answer.h"
#include "batch/store/s3_values.h"
#include "batch/store/uri.h"

namespace ferry {

// ---- Listing -----------------------------------------------------------------------------------

struct ListedObject {
  Key key;
  std::string etag;  // as NormalizeEtag
  std::uint64_t size_bytes = 0;
  std::string storage_class;          // empty: the store did not say
  std::int64_t last_modified_ms = 0;  // Unix time; 0: the store did not say
  bool restored = false;              // its class is an archive's, and it can be read for now
};

enum class ListShape { kV1, kV2 };

// One page of ListObjects or ListObjectsV2. Names are decoded when the answer says
// <EncodingType>url</EncodingType>, and only then: a server may ignore the request for it. The
// continuation token is opaque and never decoded. An object without key or size and a page without
// IsTruncated are kCorrupt: they may not become a listing that lacks something.
struct ListPage {
  std::string bucket;  // <Name>
  std::string prefix;
  std::vector<ListedObject> objects;  // in the order of the answer
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::optional<std::string> continuation_token;  // never empty: an empty one counts as missing
  std::optional<std::string> next_marker;         // V1, and mostly only with a delimiter
  bool url_encoded = false;
  // What the answer looks like, whatever was asked: kV2 has KeyCount, ContinuationToken,
  // NextContinuationToken or StartAfter. Some servers answer list-type=2 with V1, and would send
  // the first page again for ever. kV2 and truncated always has a token.
  ListShape shape = ListShape::kV1;
};
ListPage ParseListPage(std::string_view body);

// A version of an object, or a delete marker: then `object` has only key and time.
struct ListedVersion {
  ListedObject object;
  std::string version_id;  // "null" is one too; never empty
  bool latest = false;
  bool delete_marker = false;
};

// One page of ListObjectVersions: versions and delete markers in the order of the answer, by key,
// and within a key newest first (API_ListObjectVersions; some vendors: oldest first). A version
// without key, id or size and a page that goes on without saying where are kCorrupt.
struct ListVersionsPage {
  std::vector<ListedVersion> versions;
  bool truncated = false;
  std::string next_key_marker;         // decoded
  std::string next_version_id_marker;  // may be empty: behind all versions of that key
};
ListVersionsPage ParseListVersions(std::string_view body);

// ---- Multipart ---------------------------------------------------------------------------------

std::string ParseCreateUpload(std::string_view body);  // the upload id

struct CompletedUpload {
  std::string etag;   // empty: the answer has one that is (RGW 16.2)
  Digests checksums;  // of all bytes: see checksum_headers.h
};
// Success is the root CompleteMultipartUploadResult with an ETag, be it empty, nothing less. What
// is cut or not readable throws Error{kInDoubt}: the object may exist.
CompletedUpload ParseCompleteUpload(std::string_view body);

struct ListedPart {
  std::uint32_t number = 0;
  std::string etag;
  std::uint64_t size_bytes = 0;
};
struct ListPartsPage {
  std::vector<ListedPart> parts;
  bool truncated = false;
  std::uint32_t next_part_number_marker = 0;  // 0: the answer had none
};
ListPartsPage ParseListParts(std::string_view body);

struct ListedUpload {
  Key key;
  std::string upload_id;
  std::int64_t initiated_ms = 0;
  std::string initiator;  // the ID of who began it; empty: the store does not tell
};
struct ListUploadsPage {
  std::vector<ListedUpload> uploads;
  bool truncated = false;
  std::int64_t answered_ms = 0;  // when it was answered, by the store's clock; 0: it did not say
  std::string next_key_marker;   // decoded
  std::string next_upload_id_marker;
};
ListUploadsPage ParseListUploads(std::string_view body);

struct PartToComplete {
  std::uint32_t number = 0;
  std::string etag;  // without quotes
};
// The body of CompleteMultipartUpload. REQUIRES: parts not empty, numbers ascending.
std::string CompleteUploadBody(const std::vector<PartToComplete>& parts);

// ---- Tags, copies ------------------------------------------------------------------------------

NameValues ParseTagging(std::string_view body);
std::string TaggingBody(const NameValues& tags);

// `parameters` names the element that holds the tier.
std::string RestoreBody(std::string_view parameters, std::string_view tier, std::uint32_t days);

struct CopyResult {
  std::string etag;
  std::int64_t last_modified_ms = 0;
};
// The answer of CopyObject and UploadPartCopy.
CopyResult ParseCopyResult(std::string_view body);

}  // namespace ferry
