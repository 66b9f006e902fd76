#include "batch/store/s3_values.h"

#include <algorithm>

namespace ferry {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

bool IsMd5Etag(std::string_view etag) {
  constexpr std::size_t kMd5Digits = 32;
  if (etag.size() < kMd5Digits) return false;
  const std::string_view rest = etag.substr(kMd5Digits);
  if (!rest.empty() && (rest.size() < 2 || rest.front() != '-')) return false;
  return std::all_of(etag.begin(), etag.begin() + kMd5Digits, IsHexDigit) &&
         std::all_of(rest.begin() + (rest.empty() ? 0 : 1), rest.end(), IsDigit);
}

std::string NormalizeEtag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  while (etag.starts_with('"')) etag.remove_prefix(1);
  while (etag.ends_with('"')) etag.remove_suffix(1);
  std::string normalized(etag);
  const bool upper =
      std::any_of(etag.begin(), etag.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  if (upper && IsMd5Etag(etag)) {
    std::transform(normalized.begin(), normalized.end(), normalized.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  return normalized;
}

std::string XmlEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out.append("&amp;"); break;
      case '<': out.append("&lt;"); break;
      case '>': out.append("&gt;"); break;
      case '"': out.append("&quot;"); break;
      case '\r': out.append("&#xD;"); break;
      case '\n': out.append("&#xA;"); break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string_view TakeListed(std::string_view& list) {
  std::string_view first = list.substr(0, list.find(','));
  list.remove_prefix(std::min(first.size() + 1, list.size()));
  while (first.starts_with(' ')) first.remove_prefix(1);
  while (first.ends_with(' ')) first.remove_suffix(1);
  return first;
}

std::chrono::milliseconds ParseRetryAfter(std::string_view text, std::int64_t now_ms) {
  constexpr std::int64_t kMax = kRetryAfterMax.count();
  if (const auto time = ParseHttpDate(text)) {
    return std::chrono::milliseconds(std::clamp<std::int64_t>(*time - now_ms, 0, kMax));
  }
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::chrono::milliseconds(0);
  std::int64_t seconds = kMax;  // what does not fit is long
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::milliseconds(std::min(seconds, kMax / 1000) * 1000);
}

}  // namespace ferry
