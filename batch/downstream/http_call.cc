#include "batch/downstream/http_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr std::size_t kShownBytesMax = 200;

// In a URL's user a plus is a plus.
std::string DecodedUser(std::string_view user) {
  std::string text;
  for (const char c : user) text += c == '+' ? std::string("%2B") : std::string(1, c);
  return UriDecode(text);
}

}  // namespace

void ExpectSuccess(const std::string& what, const HttpAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return;
  throw Error(ErrorKind::kUnavailable,
              fmt::format("{}: HTTP {}: {}", what, answer.status,
                          OneLine(std::string_view(answer.body).substr(0, kShownBytesMax))));
}

PlainUrl WithoutUser(std::string_view url) {
  PlainUrl plain;
  const std::size_t host = url.find("://") + 3;
  const std::size_t end = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  plain.url = url;
  if (at != std::string_view::npos && at >= host) {
    plain.authorization = "Basic " + ToBase64(DecodedUser(url.substr(host, at - host)));
    plain.url = std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
  }
  while (plain.url.ends_with('/')) plain.url.pop_back();
  return plain;
}

}  // namespace ferry
