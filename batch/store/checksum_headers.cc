#include "batch/store/checksum_headers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "batch/base/key.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

constexpr std::string_view kAmzPrefix = "x-amz-checksum-";
constexpr DigestKind kAmzKinds[] = {DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kCrc64Nvme,
                                    DigestKind::kSha256};

bool IsAmzKind(DigestKind kind) {
  return std::find(std::begin(kAmzKinds), std::end(kAmzKinds), kind) != std::end(kAmzKinds);
}

std::optional<Digest> ReadDecimalCrc64(std::string_view text) {
  const auto crc = ParseNumber<std::uint64_t>(text);
  return crc ? std::optional(CrcDigest(DigestKind::kCrc64Ecma, *crc)) : std::nullopt;
}

std::optional<Digest> ReadGoogleCrc32c(std::string_view list) {
  constexpr std::string_view kName = "crc32c=";
  while (!list.empty()) {
    const std::string_view one = TakeListed(list);
    if (!one.starts_with(kName)) continue;
    return DigestFromBase64(DigestKind::kCrc32c, one.substr(kName.size()));
  }
  return std::nullopt;
}

std::optional<Digest> ReadChecksum(std::string_view name, std::string_view value) {
  if (name == "x-goog-hash") return ReadGoogleCrc32c(value);
  if (name == "x-oss-hash-crc64ecma" || name == "x-cos-hash-crc64ecma") {
    return ReadDecimalCrc64(value);
  }
  if (!name.starts_with(kAmzPrefix)) return std::nullopt;
  name.remove_prefix(kAmzPrefix.size());
  for (const DigestKind kind : kAmzKinds) {
    // A composite one is no base64: "-N" stands behind it.
    if (name == ToString(kind)) return DigestFromBase64(kind, value);
  }
  return std::nullopt;
}

}  // namespace

void AddDigest(const Digest& digest, Headers& headers) {
  if (digest.kind == DigestKind::kMd5) {
    headers.push_back({"content-md5", ToBase64(digest.bytes)});
  } else if (IsAmzKind(digest.kind)) {
    headers.push_back({ChecksumHeaderName(digest.kind), ToBase64(digest.bytes)});
  }
}

void AskForChecksum(DigestKind kind, Headers& headers) {
  if (!IsAmzKind(kind)) return;
  headers.push_back({"x-amz-checksum-algorithm", ChecksumAlgorithm(kind)});
  headers.push_back({"x-amz-checksum-type", IsComposite(kind) ? "COMPOSITE" : "FULL_OBJECT"});
}

std::string ChecksumHeaderName(DigestKind kind) {
  return std::string(kAmzPrefix) + std::string(ToString(kind));
}

std::string ChecksumAlgorithm(DigestKind kind) {
  std::string name(ToString(kind));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

bool IsComposite(DigestKind kind) { return !CrcKindOf(kind); }

Digests ReadChecksums(const Headers& headers) {
  Digests checksums;
  if (!IsOfAllBytes(FindHeader(headers, "x-amz-checksum-type"))) return checksums;
  for (const auto& [name, value] : headers) {
    std::optional<Digest> one = ReadChecksum(name, value);
    if (one && FindDigest(checksums, one->kind) == nullptr) checksums.push_back(std::move(*one));
  }
  return checksums;
}

bool IsOfAllBytes(std::string_view type) { return type.empty() || type == "FULL_OBJECT"; }

}  // namespace ferry
