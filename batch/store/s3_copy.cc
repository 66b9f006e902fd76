// CopyObject and UploadPartCopy.
#include <fmt/format.h>

#include "batch/store/checksum_headers.h"
#include "batch/store/s3_answer.h"
#include "batch/store/s3_store.h"

namespace ferry {
namespace {

// What is not done with so much within a minute hangs.
constexpr std::uint64_t kQuickCopyBytesMax = std::uint64_t{16} << 20;

// "/bucket/key?versionId=...": encoded once, as in a path, and '?' is the only one that is not the
// key's.
std::string CopySource(const CopyRequest& request) {
  std::string source = "/" + request.source_bucket + "/";
  AppendUriEncoded(request.source_key.bytes(), SlashRule::kKeep, source);
  if (request.source_version_id.empty()) return source;
  source += "?versionId=";
  AppendUriEncoded(request.source_version_id, SlashRule::kEncode, source);
  return source;
}

}  // namespace

Task<CopyAnswer> S3Store::Copy(CopyRequest request) {
  const bool is_part = request.part_number > 0;
  Call call = NewCall(Method::kPut, is_part ? "copy a part to" : "copy to", &request.key);
  call.headers.push_back({"x-amz-copy-source", CopySource(request)});
  for (const NameValue& header : options_.of_copies) call.headers.push_back(header);
  if (!request.source_etag.empty()) {
    const std::string etag = "\"" + etag_case_.OnWire(request.source_etag) + "\"";
    call.headers.push_back({"x-amz-copy-source-if-match", etag});
    if (provider_.copy_old_if_match) {
      call.headers.push_back({"x-amz-copy-if-match", etag});
    }
  }
  if (is_part) {
    call.query.push_back({"partNumber", std::to_string(request.part_number)});
    call.query.push_back({"uploadId", request.upload_id});
    call.headers.push_back(
        {"x-amz-copy-source-range", fmt::format("bytes={}-{}", request.first_byte,
                                                request.first_byte + request.range_bytes - 1)});
  } else {
    AddHeadersOfNewObject(call);
    call.headers.push_back({"x-amz-metadata-directive", "COPY"});
    if (provider_.tags) call.headers.push_back({"x-amz-tagging-directive", "COPY"});
    // Else the copy keeps a checksum of the source's kind (API_CopyObject).
    if (options_.demands_checksum && MayAskForChecksums()) {
      call.headers.push_back({"x-amz-checksum-algorithm", ChecksumAlgorithm(*provider_.checksum)});
    }
  }
  if (request.range_bytes > kQuickCopyBytesMax) call.http.idle_timeout = kLongAnswerTimeout;
  HttpAnswer answer = co_await Send(call);
  if (!is_part) CheckEncryption(call, answer);
  CopyAnswer copy;
  copy.etag = Read(call, answer, ParseCopyResult).etag;
  copy.etag_hides_md5 = HidesMd5(answer.headers);
  copy.source_version_id = FindHeader(answer.headers, "x-amz-copy-source-version-id");
  co_return copy;
}

}  // namespace ferry
