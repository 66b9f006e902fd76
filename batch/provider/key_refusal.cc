#include "batch/provider/key_refusal.h"

#include <algorithm>
#include <string_view>

namespace ferry {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(kWhite), text.size()));
  return text.substr(0, text.find_last_not_of(kWhite) + 1);
}

// MinIO maps keys to paths: IsValidObjectPrefix, checkObjectNameForLengthAndSlash (cmd/object-api-
// utils.go), hasBadPathComponent (cmd/generic-handlers.go), checkPathLength (cmd/xl-storage.go).
// A backslash is refused on Windows only (minio#16856), and so not here.
std::optional<std::string> MinioRefusal(std::string_view key) {
  constexpr std::size_t kSegmentBytesMax = 255;
  if (key.starts_with('/')) return "MinIO refuses a leading slash";
  if (key.find("//") != std::string_view::npos) return "MinIO refuses //";
  if (key.find('\0') != std::string_view::npos) return "MinIO refuses a NUL byte";
  if (!IsUtf8(key)) return "MinIO refuses a key that is not UTF-8";
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    std::string_view segment = key.substr(begin, end - begin);
    if (segment.size() > kSegmentBytesMax) return "MinIO refuses a segment of over 255 bytes";
    segment = Trimmed(segment);  // so does MinIO, before it looks
    if (segment == "." || segment == "..") return "MinIO refuses . and .. between slashes";
    begin = end + 1;
  }
  return std::nullopt;
}

// alibabacloud.com/help/en/oss/user-guide/object-naming-conventions.
std::optional<std::string> OssRefusal(std::string_view key) {
  if (key.starts_with('/') || key.starts_with('\\')) return "OSS refuses a leading / or \\";
  if (!IsUtf8(key)) return "OSS refuses a key that is not UTF-8";
  return std::nullopt;
}

// cloud.google.com/storage/docs/objects, "Object name requirements".
std::optional<std::string> GcsRefusal(std::string_view key) {
  if (key.find_first_of("\r\n") != std::string_view::npos) {
    return "Google Cloud Storage refuses a carriage return or line feed";
  }
  if (key == "." || key == "..") return "Google Cloud Storage refuses . and ..";
  if (key.starts_with(".well-known/acme-challenge/")) {
    return "Google Cloud Storage refuses .well-known/acme-challenge/";
  }
  if (!IsUtf8(key)) return "Google Cloud Storage refuses a key that is not UTF-8";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> KeyRefusal(const Provider& provider, const Key& key) {
  const std::string& bytes = key.bytes();
  if (bytes.empty()) return "an empty key is the bucket itself";
  if (bytes.size() > provider.key_bytes_max) {
    return "the key has over " + std::to_string(provider.key_bytes_max) + " bytes";
  }
  switch (provider.keys) {
    case KeyRule::kAnyBytes: return std::nullopt;
    case KeyRule::kUtf8:
      if (!IsUtf8(bytes)) return std::string(provider.name) + " refuses a key that is not UTF-8";
      return std::nullopt;
    case KeyRule::kMinio: return MinioRefusal(bytes);
    case KeyRule::kOss: return OssRefusal(bytes);
    case KeyRule::kGcs: return GcsRefusal(bytes);
  }
  return std::nullopt;
}

}  // namespace ferry
