#include "batch/plan/key_filter.h"

#include "batch/base/key.h"

namespace ferry {

KeyFilter::Patterns::Patterns(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    Glob glob(pattern);
    if (glob.IsLiteral()) {
      (glob.WholeRest() ? rests_ : names_).emplace(glob.literal(), pattern);
    } else {
      globs_.push_back(std::move(glob));
    }
  }
}

const std::string* KeyFilter::Patterns::FirstMatch(std::string_view rest) const {
  if (const auto found = rests_.find(rest); found != rests_.end()) return &found->second;
  if (const auto found = names_.find(LastSegment(rest)); found != names_.end()) {
    return &found->second;
  }
  for (const Glob& glob : globs_) {
    if (glob.Matches(rest)) return &glob.pattern();
  }
  return nullptr;
}

KeyFilter::KeyFilter(const std::vector<std::string>& includes,
                     const std::vector<std::string>& excludes)
    : includes_(includes.empty() ? std::vector<std::string>{"**"} : includes),
      excludes_(excludes) {}

bool KeyFilter::Matches(std::string_view rest) const {
  return includes_.FirstMatch(rest) != nullptr && excludes_.FirstMatch(rest) == nullptr;
}

std::optional<std::string> KeyFilter::WhyExcluded(std::string_view rest) const {
  if (includes_.FirstMatch(rest) == nullptr) return "no include pattern matches";
  if (const std::string* pattern = excludes_.FirstMatch(rest)) {
    return "excluded by the pattern " + EscapeBytes(*pattern);
  }
  return std::nullopt;
}

}  // namespace ferry
