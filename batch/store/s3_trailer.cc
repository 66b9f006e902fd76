// Checksums that a task asks for: behind a body that flows, and what it means that a store refuses.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "batch/store/checksum_headers.h"
#include "batch/store/s3_store.h"

namespace ferry {
namespace {

// Before those of the object, which it is sent in: RFC 9110, section 8.4, has them in the order in
// which they were applied, but Amazon asks for this one first (sig-v4-header-based-auth).
void AddContentCoding(const std::string& coding, Headers& headers) {
  const auto own = std::find_if(headers.begin(), headers.end(), [](const NameValue& header) {
    return header.first == "content-encoding";
  });
  if (own == headers.end()) {
    headers.push_back({"content-encoding", coding});
  } else {
    own->second = own->second.empty() ? coding : coding + "," + own->second;
  }
}

// Whether that speaks of something else than of how the body came. Error codes of S3's API
// reference; of others nobody knows.
bool NamesAnotherReason(std::string_view code) {
  constexpr std::string_view kOthers[] = {"InvalidStorageClass", "MetadataTooLarge",
                                          "KeyTooLongError",     "InvalidTag",
                                          "EntityTooLarge",      "AccessControlListNotSupported"};
  return code.starts_with("KMS") || std::ranges::find(kOthers, code) != std::end(kOthers);
}

}  // namespace

// What a server says of a trailer that it does not know: that it is not implemented or invalid;
// that the signature is another; RGW 16.2 (measured) that the payload is not the one of its hash,
// which no repetition changes.
Error S3Store::ChecksumRefused(const Call& call, const Error& error) const {
  const bool trailer = call.payload_hash == kUnsignedPayloadTrailer;
  const bool signature = error.code() == "SignatureDoesNotMatch";
  const bool hash = error.code() == "XAmzContentSHA256Mismatch";
  const bool invalid = error.kind() == ErrorKind::kInvalid && !NamesAnotherReason(error.code());
  if (!invalid && !(trailer && (signature || hash))) return error;
  return Error(
      trailer && hash ? ErrorKind::kInvalid : error.kind(),
      fmt::format("{}; the request carried a checksum ({}{}), as the task's `checksum:` "
                  "or `retention:` asks: where the store does not know it, `checksum:` "
                  "must name another, or md5",
                  error.what(), ToString(*provider_.checksum), trailer ? ", in a trailer" : ""),
      error.code());
}

void S3Store::SendBehind(const PutRequest& request, Call& call,
                         std::optional<TrailerBody>& trailer) {
  const std::string name = ChecksumHeaderName(request.kind_behind);
  trailer.emplace(
      *request.source, request.bytes,
      TrailerBody::Trailer{name, (DigestBytes(request.kind_behind) + 2) / 3 * 4,
                           [make = request.digest_behind] { return ToBase64(make().bytes); }});
  call.payload_hash = kUnsignedPayloadTrailer;
  call.headers.push_back({"x-amz-trailer", name});
  call.headers.push_back({"x-amz-decoded-content-length", std::to_string(request.bytes)});
  AddContentCoding("aws-chunked", call.headers);
  call.http.source = &*trailer;
  call.http.source_bytes = trailer->encoded_bytes();
}

}  // namespace ferry
