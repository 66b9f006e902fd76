// Digests in headers: what is sent for the server to check, and what it says of what it has.
//
//   x-amz-checksum-crc32, -crc32c, -crc64nvme   base64, highest byte first
//   x-goog-hash: crc32c=...,md5=...             base64; more than one header, or a list
//   x-oss-hash-crc64ecma, x-cos-hash-crc64ecma  decimal
//
// Only what speaks of all bytes of an object is read: a checksum of checksums ("-N", or
// x-amz-checksum-type: COMPOSITE) says nothing of a body. A value that is none is ignored, too:
// other rungs may prove what this one then does not.
#pragma once

#include <string_view>

#include "batch/base/digest.h"
#include "batch/store/http.h"

namespace ferry {

// Content-MD5, or x-amz-checksum-*; nothing for a kind that no request carries (kCrc64Ecma).
void AddDigest(const Digest& digest, Headers& headers);

// For CreateMultipartUpload: the whole is to have a checksum over all its bytes, which its parts
// need not be sent with.
void AskForChecksum(DigestKind kind, Headers& headers);

// Of an answer. No MD5: that is the ETag's.
Digests ReadChecksums(const Headers& headers);

// `type` as in x-amz-checksum-type and ChecksumType; empty: not said.
bool IsOfAllBytes(std::string_view type);

}  // namespace ferry
