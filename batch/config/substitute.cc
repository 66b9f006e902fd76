#include "batch/config/substitute.h"

#include <algorithm>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::size_t kNameBytesMax = 255;

bool IsName(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && text.size() <= kNameBytesMax && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

// What stands between ${ and }.
std::string Fill(std::string_view inner, const Environment& environment) {
  const std::size_t separator = inner.find(":-");
  const std::string name(inner.substr(0, separator));
  // The wrong name is not repeated: in a file full of secrets it may be anything.
  if (!IsName(name)) {
    throw Error(ErrorKind::kConfig,
                "what stands in ${} is not a name, nor NAME:-default (write $${ for a plain ${)");
  }
  std::optional<std::string> value = environment.Get(name);
  if (separator != std::string_view::npos && value.value_or("").empty()) {
    return std::string(inner.substr(separator + 2));
  }
  if (!value) {
    throw Error(ErrorKind::kConfig, "environment variable " + name + " is not set (${" + name +
                                        ":-default} would be a default)");
  }
  return *std::move(value);
}

}  // namespace

std::string Substitute(std::string_view text, const Environment& environment) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    filled.append(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      filled += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        throw Error(ErrorKind::kConfig, "${ without its } (write $${ for a plain ${)");
      }
      filled += Fill(text.substr(2, end - 2), environment);
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      filled += '$';
      text.remove_prefix(1);
    }
  }
  return filled;
}

}  // namespace ferry
