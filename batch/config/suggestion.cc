#include "batch/config/suggestion.h"

#include <algorithm>
#include <vector>

namespace ferry {
namespace {

constexpr std::size_t kWordBytesMax = 64;  // the distance costs the product of both lengths
constexpr std::size_t kListedMax = 20;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Optimal string alignment: an adjacent swap costs one.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(two_back, back);
    std::swap(back, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                           Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_back[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string_view> Nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.size() > kWordBytesMax) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t least = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kWordBytesMax) continue;
    const std::size_t distance = Distance(word, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, candidate.size() / 3);
    if (distance > allowed || (nearest && distance >= least)) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

std::string Suggest(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto nearest = Nearest(word, candidates)) {
    return "did you mean \"" + std::string(*nearest) + "\"?";
  }
  if (candidates.empty()) return "none is known here";
  std::string text = "known here:";
  const std::size_t listed = std::min(candidates.size(), kListedMax);
  for (std::size_t i = 0; i < listed; ++i) {
    text.append(i == 0 ? " " : ", ").append(candidates[i]);
  }
  if (listed < candidates.size()) text += ", ...";
  return text;
}

}  // namespace ferry
