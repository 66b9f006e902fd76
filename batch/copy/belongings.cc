#include "batch/copy/belongings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace ferry {
namespace {

using HeaderMap = std::map<std::string, std::string>;

HeaderMap MapOf(const NameValues& headers) {
  HeaderMap map;
  for (const auto& [name, value] : headers) {
    const auto [place, is_new] = map.try_emplace(name, value);
    if (!is_new) place->second += ", " + value;  // RFC 9110, section 5.2: the same as one line
  }
  return map;
}

std::string Shown(const HeaderMap& headers, const std::string& name) {
  const auto found = headers.find(name);
  return found == headers.end() ? "none" : "\"" + EscapeBytes(found->second) + "\"";
}

// An object may have no content type at the source; some stores then give it one.
bool IsFilledIn(const std::string& name, const HeaderMap& source, const HeaderMap& destination) {
  if (name != "content-type" || source.contains(name)) return false;
  const std::string& value = destination.at(name);
  return value == "binary/octet-stream" || value == "application/octet-stream";
}

std::string ShownTags(const NameValues& tags) {
  if (tags.empty()) return "none";
  std::string text;
  for (const auto& [name, value] : tags) {
    text += (text.empty() ? "\"" : ", \"") + EscapeBytes(name) + "=" + EscapeBytes(value) + "\"";
  }
  return text;
}

}  // namespace

std::vector<std::string> CompareHeaders(const NameValues& source, const NameValues& destination) {
  const HeaderMap ours = MapOf(source), theirs = MapOf(destination);
  std::set<std::string> names;
  for (const HeaderMap* const map : {&ours, &theirs}) {
    for (const auto& [name, value] : *map) names.insert(name);
  }
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    const auto here = ours.find(name), there = theirs.find(name);
    const bool equal = here != ours.end() && there != theirs.end() && here->second == there->second;
    if (equal || IsFilledIn(name, ours, theirs)) continue;
    lines.push_back(fmt::format("metadata {} differs (source {}, destination {})",
                                EscapeBytes(name), Shown(ours, name), Shown(theirs, name)));
  }
  return lines;
}

std::vector<std::string> CompareTags(const NameValues& source, const NameValues& destination) {
  NameValues ours = source, theirs = destination;
  std::sort(ours.begin(), ours.end());
  std::sort(theirs.begin(), theirs.end());
  if (ours == theirs) return {};
  return {
      fmt::format("tags differ (source {}, destination {})", ShownTags(ours), ShownTags(theirs))};
}

}  // namespace ferry
