// The one percent-encoder and decoder of the project, and endpoint URLs.
//
// What is signed and what is sent must be the same bytes, so every path and query goes through
// UriEncode exactly once. General URI classes may not be used for that: they decode %2F, resolve
// dot segments or leave '+' alone, and each of those changes which object is meant.
// Rules: RFC 3986 section 2.3 (unreserved), and "UriEncode" in Amazon's "Signature Version 4:
// authenticating requests (header)": upper-case hex, space is %20, '/' kept in paths only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ferry {

// Name and value of a header, of a tag, or of a query parameter before encoding.
using NameValue = std::pair<std::string, std::string>;
using NameValues = std::vector<NameValue>;

enum class SlashRule { kKeep, kEncode };

// A-Z a-z 0-9 - _ . ~ stay, and '/' by the rule; every other byte becomes %XX.
std::string UriEncode(std::string_view bytes, SlashRule slash);
void AppendUriEncoded(std::string_view bytes, SlashRule slash, std::string& out);

// The bytes of a name in a listing with EncodingType "url" and in event messages: form rules,
// '+' is a space (AWS writes a space as '+', others as %20; a plus is %2B everywhere).
// Throws Error{kCorrupt} for a '%' without two hex digits: a guess could name another object.
std::string UriDecode(std::string_view text);

// "a=1&b=" in canonical order: encoded first, then sorted by encoded name and encoded value.
// This is the query to sign and, byte for byte, the query to send.
std::string CanonicalQuery(const NameValues& parameters);

struct EndpointUrl {
  bool tls = true;
  std::string host;        // lower case; an IPv6 address keeps its brackets
  std::uint16_t port = 0;  // 0: the scheme's own; 80 or 443 written out becomes 0

  friend bool operator==(const EndpointUrl&, const EndpointUrl&) = default;
};

// Reads "http[s]://host[:port][/]". Throws Error{kConfig} with one line for anything else: user
// information, another path, a query, a fragment, a bad host or port. The line does not repeat
// the URL, which may hold a password.
EndpointUrl ParseEndpointUrl(std::string_view url);

}  // namespace ferry
