// KeyFilter: which keys of a task are brought over. Include first, then exclude.
//
// Patterns without a wildcard are looked up in a table, so a long list of names costs no more than
// a short one. Immutable; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "batch/plan/glob.h"

namespace ferry {

class KeyFilter {
 public:
  // No includes means "**". Throws Error{kConfig} for a pattern that Glob refuses.
  KeyFilter(const std::vector<std::string>& includes, const std::vector<std::string>& excludes);

  // `rest` is the key without the task's source prefix.
  bool Matches(std::string_view rest) const;

  // For people: why `rest` is left out, naming the pattern. nullopt: it matches.
  std::optional<std::string> WhyExcluded(std::string_view rest) const;

 private:
  // A set of patterns of which any may match.
  class Patterns {
   public:
    explicit Patterns(const std::vector<std::string>& patterns);
    // The text of a pattern that matches, or nullptr.
    const std::string* FirstMatch(std::string_view rest) const;

   private:
    struct Hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
      }
    };
    // literal -> its pattern as written
    using Table = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;

    Table names_;  // held against the last segment
    Table rests_;  // held against the whole rest
    std::vector<Glob> globs_;
  };

  Patterns includes_;
  Patterns excludes_;
};

}  // namespace ferry
