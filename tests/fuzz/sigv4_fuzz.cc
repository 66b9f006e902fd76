// Any path, query and headers can be signed, the canonical request keeps its shape, and a signer
// that has signed other things before signs like a new one.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "batch/base/check.h"
#include "batch/store/sigv4.h"

namespace {

using namespace ferry;

// The input as lines: the path, then "name=value" of the query or "name:value" of a header.
struct Input {
  std::string path = "/";
  NameValues query;
  NameValues headers;

  explicit Input(std::string_view text) {
    headers.emplace_back("host", "example.com");
    path += UriEncode(Line(text), SlashRule::kKeep);
    while (!text.empty()) {
      const std::string_view line = Line(text);
      const std::size_t at = std::min(line.find_first_of("=:"), line.size());
      const bool is_header = at < line.size() && line[at] == ':';
      const std::string_view value = line.substr(std::min(at + 1, line.size()));
      (is_header ? headers : query).emplace_back(line.substr(0, at), value);
    }
  }

  static std::string_view Line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
  }
};

Signer NewSigner(SignProfile profile) {
  return Signer({"AKID", "secret", "token"}, {"us-east-1", "s3", profile});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Signer used[] = {NewSigner(SignProfile::kS3), NewSigner(SignProfile::kGeneric)};
  const Input input(std::string_view(reinterpret_cast<const char*>(data), size));
  const WallTime now{std::chrono::seconds(static_cast<std::int64_t>(size) * 86'399)};
  const RequestToSign request{"GET", input.path, input.query, input.headers, kUnsignedPayload};

  SignProfile profile = SignProfile::kS3;
  for (Signer& signer : used) {
    const SignedRequest signed_request = signer.Sign(request, now);
    const SignedRequest again = NewSigner(profile).Sign(request, now);
    FERRY_CHECK(signed_request.headers == again.headers);
    FERRY_CHECK(signed_request.query == CanonicalQuery(input.query));
    FERRY_CHECK(std::count(signer.string_to_sign().begin(), signer.string_to_sign().end(), '\n') ==
                3);
    profile = SignProfile::kGeneric;
  }
  return 0;
}
