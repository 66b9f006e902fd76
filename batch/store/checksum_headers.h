// Digests in headers: what is sent for the server to check, and what it says of what it has.
//
//   x-amz-checksum-crc32, -crc32c, -crc64nvme   base64, highest byte first
//   x-amz-checksum-sha256                       base64
//   x-goog-hash: crc32c=...,md5=...             base64; more than one header, or a list
//   x-oss-hash-crc64ecma, x-cos-hash-crc64ecma  decimal
//
// Only what speaks of all bytes of an object is read: a checksum of checksums ("-N", or
// x-amz-checksum-type: COMPOSITE) says nothing of a body. A value that is none is ignored, too:
// other rungs may prove what this one then does not.
#pragma once

#include <string>
#include <string_view>

#include "batch/base/digest.h"
#include "batch/store/http.h"

namespace ferry {

// Content-MD5, or x-amz-checksum-*; nothing for a kind that no request carries (kCrc64Ecma).
void AddDigest(const Digest& digest, Headers& headers);

// For CreateMultipartUpload: the whole is to have a checksum over all its bytes, which its parts
// need not be sent with; or, of a kind that is composite, one over those of its parts, which then
// all have to be sent and named (userguide/checking-object-integrity, "Composite checksums").
void AskForChecksum(DigestKind kind, Headers& headers);

// "x-amz-checksum-sha256", of a request or its trailer; "SHA256", as x-amz-checksum-algorithm and
// answers have it.
std::string ChecksumHeaderName(DigestKind kind);
std::string ChecksumAlgorithm(DigestKind kind);

// Whether those of parts cannot be combined to that of all bytes.
bool IsComposite(DigestKind kind);

// Of an answer. No MD5: that is the ETag's.
Digests ReadChecksums(const Headers& headers);

// `type` as in x-amz-checksum-type and ChecksumType; empty: not said.
bool IsOfAllBytes(std::string_view type);

}  // namespace ferry
