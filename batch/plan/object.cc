#include "batch/plan/object.h"

#include <algorithm>

namespace ferry {
namespace {

constexpr std::size_t kMd5HexDigits = 32;

bool AllHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t WholeSeconds(std::int64_t ms) { return (ms >= 0 ? ms : ms - 999) / 1000; }

}  // namespace

bool SourceIdentity::SameAs(const SourceIdentity& other) const {
  const bool versions_known = !version.empty() && !other.version.empty();
  return etag == other.etag && size_bytes == other.size_bytes &&
         (!versions_known || version == other.version) &&
         WholeSeconds(modified_ms) == WholeSeconds(other.modified_ms);
}

bool IsArchiveClass(std::string_view storage_class) {
  return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
}

EtagKind KindOfEtag(std::string_view etag) {
  if (etag.size() < kMd5HexDigits || !AllHex(etag.substr(0, kMd5HexDigits))) {
    return EtagKind::kOpaque;
  }
  const std::string_view rest = etag.substr(kMd5HexDigits);
  if (rest.empty()) return EtagKind::kMd5;
  const bool counted = rest.size() >= 2 && rest.size() <= 6 && rest[0] == '-';
  return counted && AllDigits(rest.substr(1)) ? EtagKind::kComposite : EtagKind::kOpaque;
}

std::uint32_t PartsOfEtag(std::string_view etag) {
  if (KindOfEtag(etag) != EtagKind::kComposite) return 0;
  std::uint32_t parts = 0;  // at most five digits
  for (const char digit : etag.substr(kMd5HexDigits + 1)) {
    parts = parts * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return parts;
}

}  // namespace ferry
