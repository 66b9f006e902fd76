// The XML of S3: answers become values, and two request bodies are written.
//
// Streaming over expat, no tree. Bounded: kXmlBytesMax a document, kXmlDepthMax levels,
// kXmlTextBytesMax a text; a document type declaration is refused, so no entity can be declared.
// Namespaces are ignored, unknown elements skipped (vendors and AWS itself add some every year),
// leading white space is skipped (Complete keeps the connection alive with it).
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

#include "batch/base/key.h"
#include "batch/store/uri.h"

namespace ferry {

inline constexpr std::size_t kXmlBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kXmlDepthMax = 32;
inline constexpr std::size_t kXmlTextBytesMax = 64 * 1024;
inline constexpr std::size_t kErrorBodyBytesMax = 1024 * 1024;
inline constexpr std::string_view kMalformedAnswer = "MalformedAnswer";  // Error::code()

// ---- Listing -----------------------------------------------------------------------------------

struct ListedObject {
  Key key;
  std::string etag;  // as NormalizeEtag
  std::uint64_t size_bytes = 0;
  std::string storage_class;          // empty: the store did not say
  std::int64_t last_modified_ms = 0;  // Unix time; 0: the store did not say
};

enum class ListShape { kV1, kV2 };

// One page of ListObjects or ListObjectsV2. Names are decoded when the answer says
// <EncodingType>url</EncodingType>, and only then: a server may ignore the request for it. The
// continuation token is opaque and never decoded.
struct ListPage {
  std::string bucket;  // <Name>
  std::string prefix;
  std::vector<ListedObject> objects;  // in the order of the answer
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::optional<std::string> continuation_token;  // never empty: an empty one counts as missing
  std::optional<std::string> next_marker;         // V1, and there only with a delimiter
  bool url_encoded = false;
  // What the answer looks like, whatever was asked: kV2 has KeyCount, ContinuationToken,
  // NextContinuationToken or StartAfter. Some servers answer list-type=2 with V1 and then would
  // send the first page for ever.
  ListShape shape = ListShape::kV1;
};
ListPage ParseListPage(std::string_view body);

// ---- Errors ------------------------------------------------------------------------------------

struct S3Error {
  std::string code;  // "NoSuchKey"
  std::string message;
  std::string resource;
  std::string bucket;
  std::string request_id;
  std::string host_id;
  std::string region;         // AuthorizationHeaderMalformed, PermanentRedirect: the right one
  std::string endpoint;       // PermanentRedirect
  std::string storage_class;  // InvalidObjectState
  std::string server_time;    // RequestTimeTooSkewed
};

// nullopt for anything that is not an <Error> with a code: JSON or HTML of a proxy, an empty or cut
// body. What stood before a cut is used once <Code> was complete. Never throws.
std::optional<S3Error> ParseErrorBody(std::string_view body);

// ---- Multipart ---------------------------------------------------------------------------------

std::string ParseCreateUpload(std::string_view body);  // the upload id

struct CompletedUpload {
  std::string etag;
  std::string checksum_crc32, checksum_crc32c, checksum_crc64nvme, checksum_sha1, checksum_sha256;
};
// Success is the root CompleteMultipartUploadResult with an ETag, nothing less. What is cut or not
// readable throws Error{kInDoubt}: the object may exist.
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
};
struct ListUploadsPage {
  std::vector<ListedUpload> uploads;
  bool truncated = false;
  std::string next_key_marker;  // decoded
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

struct CopyResult {
  std::string etag;
  std::int64_t last_modified_ms = 0;
};
// The answer of CopyObject and UploadPartCopy.
CopyResult ParseCopyResult(std::string_view body);

// ---- Values ------------------------------------------------------------------------------------

// Without W/ and quotes (lists quote, events and error bodies do not, one gateway quoted twice);
// 32 hex digits, with or without "-N", in lower case, so that equal ones compare equal.
std::string NormalizeEtag(std::string_view etag);

// Text between tags or in an attribute: & < > " by name, CR and LF as &#xD; &#xA; (a parser turns
// raw ones into LF). Other control characters cannot be written in XML 1.0 and stay as they are.
std::string XmlEscape(std::string_view text);

// "2009-10-12T17:50:30.000Z", with 0 to 9 decimals, as Unix milliseconds (rounded down).
// nullopt for anything else, also for the 31st of February.
std::optional<std::int64_t> ParseIso8601(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, IMF-fixdate) as Unix milliseconds.
// nullopt for anything else.
std::optional<std::int64_t> ParseHttpDate(std::string_view text);

}  // namespace ferry
