#include "batch/store/object_headers.h"

#include <optional>

#include "batch/base/error.h"
#include "batch/store/checksum_headers.h"
#include "batch/store/s3_answer.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

// What travels with an object, beside x-amz-meta-*.
constexpr std::string_view kMetadataHeaders[] = {"content-type",
                                                 "content-encoding",
                                                 "content-disposition",
                                                 "content-language",
                                                 "cache-control",
                                                 "expires",
                                                 "x-amz-website-redirect-location"};

bool IsMetadataHeader(std::string_view name) {
  if (name.starts_with("x-amz-meta-")) return true;
  for (const std::string_view one : kMetadataHeaders) {
    if (name == one) return true;
  }
  return false;
}

// The S3 name, or the one of the store's own protocol.
std::string_view StorageClass(const Headers& headers) {
  for (const std::string_view name : {"x-amz-storage-class", "x-oss-storage-class",
                                      "x-cos-storage-class", "x-goog-storage-class"}) {
    const std::string_view value = FindHeader(headers, name);
    if (!value.empty()) return value;
  }
  return {};
}

// "gzip, aws-chunked" -> "gzip": aws-chunked is how bytes travelled, not what they are, and some
// stores kept it.
std::string WithoutAwsChunked(std::string_view encoding) {
  std::string kept;
  while (!encoding.empty()) {
    const std::string_view token = TakeListed(encoding);
    if (token.empty() || token == "aws-chunked") continue;
    if (!kept.empty()) kept += ", ";
    kept += token;
  }
  return kept;
}

// "bytes 0-9/443" -> {0, 10, 443}.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;
};
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = ParseNumber<std::uint64_t>(text.substr(0, dash));
  const auto last = ParseNumber<std::uint64_t>(text.substr(dash + 1, slash - dash - 1));
  const auto total = ParseNumber<std::uint64_t>(text.substr(slash + 1));
  if (!first || !last || !total || *last < *first) return std::nullopt;
  return ContentRange{*first, *last - *first + 1, *total};
}

}  // namespace

std::string NeededEtag(const HttpAnswer& answer) {
  std::string etag = NormalizeEtag(FindHeader(answer.headers, "etag"));
  if (!etag.empty()) return etag;
  throw Error(ErrorKind::kCorrupt, "the answer has no ETag: no S3 store wrote it",
              std::string(kMalformedAnswer));
}

ObjectHead ReadHead(const HttpAnswer& answer) {
  ObjectHead head;
  const Headers& headers = answer.headers;
  head.etag = NeededEtag(answer);
  head.version_id = FindHeader(headers, "x-amz-version-id");
  head.storage_class = StorageClass(headers);
  head.etag_hides_md5 = HidesMd5(headers);
  // Next to a range they may be of either.
  if (answer.status != 206) head.checksums = ReadChecksums(headers);
  head.last_modified_ms = ParseHttpDate(FindHeader(headers, "last-modified")).value_or(0);
  head.tag_count = static_cast<std::uint32_t>(
      ParseNumber<std::uint64_t>(FindHeader(headers, "x-amz-tagging-count")).value_or(0));
  if (const auto range = ParseContentRange(FindHeader(headers, "content-range"))) {
    head.size_bytes = range->total;
  } else {
    head.size_bytes = ParseNumber<std::uint64_t>(FindHeader(headers, "content-length")).value_or(0);
  }
  for (const auto& [name, value] : headers) {
    if (!IsMetadataHeader(name)) continue;
    if (name == kNonceHeader) {
      head.upload_nonce = value;
    } else if (name == "content-encoding") {
      const std::string kept = WithoutAwsChunked(value);
      if (!kept.empty()) head.metadata_headers.push_back({name, kept});
    } else {
      head.metadata_headers.push_back({name, value});
    }
  }
  return head;
}

void CheckGetAnswer(const HttpAnswer& answer, const GetRequest& request, const ObjectHead& head) {
  const auto corrupt = [](const std::string& what) { throw Error(ErrorKind::kCorrupt, what); };
  if (request.range_bytes > 0) {
    if (answer.status != 206) corrupt("the store ignored the byte range");
    const auto range = ParseContentRange(FindHeader(answer.headers, "content-range"));
    if (!range || range->first != request.first_byte || range->bytes != request.range_bytes) {
      corrupt("the store sent another byte range than asked for");
    }
  } else if (answer.status != 200) {
    corrupt("the store sent a part of the object unasked");
  }
  const auto length = ParseNumber<std::uint64_t>(FindHeader(answer.headers, "content-length"));
  if (length && *length != request.expected_bytes) {
    throw Error(ErrorKind::kConflict, "the object has another size than when it was listed");
  }
  // For stores that ignore versionId, and
  if (!request.version_id.empty() && !head.version_id.empty() &&
      head.version_id != request.version_id) {
    corrupt("the store sent another version than asked for");
  }
  // for those that ignore If-Match.
  if (!request.if_match.empty() && head.etag != NormalizeEtag(request.if_match)) {
    throw Error(ErrorKind::kConflict, "the object changed since it was listed");
  }
}

void AddMetadata(const ObjectMetadata& metadata, Headers& headers) {
  for (const NameValue& header : metadata.headers) headers.push_back(header);
  if (!metadata.upload_nonce.empty()) {
    headers.push_back({std::string(kNonceHeader), metadata.upload_nonce});
  }
  if (!metadata.storage_class.empty()) {
    headers.push_back({"x-amz-storage-class", metadata.storage_class});
  }
  if (metadata.tags.empty()) return;
  headers.push_back({"x-amz-tagging", CanonicalQuery(metadata.tags)});
}

}  // namespace ferry
