// Encoding comes back whole; decoding and endpoints give a value or an Error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/store/uri.h"

namespace {

using namespace ferry;

void CheckDecode(std::string_view text) {
  try {
    const std::string bytes = UriDecode(text);
    FERRY_CHECK(bytes.size() <= text.size());
    FERRY_CHECK(UriDecode(UriEncode(bytes, SlashRule::kEncode)) == bytes);
  } catch (const Error& error) {
    FERRY_CHECK(error.kind() == ErrorKind::kCorrupt);
  }
}

void CheckEndpoint(std::string_view text) {
  try {
    const EndpointUrl endpoint = ParseEndpointUrl(text);
    std::string url = (endpoint.tls ? "https://" : "http://") + endpoint.host;
    if (endpoint.port != 0) url += ":" + std::to_string(endpoint.port);
    FERRY_CHECK(ParseEndpointUrl(url) == endpoint);
    FERRY_CHECK(endpoint.host.find_first_of("/@?# \r\n%\\") == std::string::npos);
  } catch (const Error& error) {
    FERRY_CHECK(error.kind() == ErrorKind::kConfig);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const SlashRule rule : {SlashRule::kKeep, SlashRule::kEncode}) {
    const std::string encoded = UriEncode(text, rule);
    FERRY_CHECK(UriDecode(encoded) == text);
    for (const char c : encoded) FERRY_CHECK(c > ' ' && c < 127 && c != '+' && c != '?');
  }
  CheckDecode(text);
  CheckEndpoint(text);
  return 0;
}
