#include "batch/store/etag_case.h"

#include <algorithm>

#include "batch/store/s3_values.h"

namespace ferry {
namespace {

bool IsUpper(char c) { return c >= 'A' && c <= 'F'; }
bool IsLower(char c) { return c >= 'a' && c <= 'f'; }

}  // namespace

void EtagCase::Learn(std::string_view raw) {
  if (raw.size() >= 2 && raw.front() == '"') raw = raw.substr(1, raw.size() - 2);
  if (!IsMd5Etag(raw)) return;
  const bool upper = std::ranges::any_of(raw, IsUpper);
  if (!upper && std::ranges::none_of(raw, IsLower)) return;
  upper_ = upper;
  learnt_ = true;
}

std::string EtagCase::OnWire(std::string etag) const {
  if (!upper_ || !IsMd5Etag(etag)) return etag;
  std::ranges::transform(etag, etag.begin(),
                         [](char c) { return IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c; });
  return etag;
}

}  // namespace ferry
