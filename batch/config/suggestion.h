#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferry {

// The candidate that `word` was most likely meant to be: the least insertions, deletions,
// replacements and swaps of neighbours, not regarding case, at most one per three letters.
std::optional<std::string_view> Nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// For the end of an error: `did you mean "x"?`, or `known here: a, b, c`, or `none is known here`.
std::string Suggest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace ferry
