#include "batch/store/uri.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

// A table, not a chain of tests: a listing encodes and compares millions of keys.
constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] =
        IsDigit(c) || IsLower(c) || IsUpper(c) || c == '-' || c == '_' || c == '.' || c == '~';
  }
  return table;
}();

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[noreturn]] void RefuseEndpoint(const std::string& why) {
  throw Error(ErrorKind::kConfig, "endpoint: " + why + "; write https://host or https://host:port");
}

bool IsHostName(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-') return false;
  if (host.find("..") != std::string_view::npos) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return IsDigit(c) || IsLower(c) || c == '-' || c == '.' || c == '_';
  });
}

bool IsBracketedAddress(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inside = host.substr(1, host.size() - 2);
  return inside.find(':') != std::string_view::npos &&
         std::all_of(inside.begin(), inside.end(),
                     [](char c) { return HexValue(c) >= 0 || c == ':' || c == '.'; });
}

std::uint16_t ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    RefuseEndpoint("the port is not a number from 1 to 65535");
  }
  return port;
}

}  // namespace

void AppendUriEncoded(std::string_view bytes, SlashRule slash, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (c == '/' && slash == SlashRule::kKeep)) {
      out.push_back(c);
    } else {
      const char escape[] = {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
      out.append(escape, sizeof escape);
    }
  }
}

std::string UriEncode(std::string_view bytes, SlashRule slash) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  AppendUriEncoded(bytes, slash, out);
  return out;
}

std::string UriDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        throw Error(ErrorKind::kCorrupt, "a URL-encoded name holds a bad escape");
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string CanonicalQuery(const NameValues& parameters) {
  NameValues encoded;
  encoded.reserve(parameters.size());
  for (const auto& [name, value] : parameters) {
    encoded.emplace_back(UriEncode(name, SlashRule::kEncode), UriEncode(value, SlashRule::kEncode));
  }
  std::sort(encoded.begin(), encoded.end());

  std::string query;
  for (const auto& [name, value] : encoded) {
    if (!query.empty()) query.push_back('&');
    query.append(name).append("=").append(value);
  }
  return query;
}

EndpointUrl ParseEndpointUrl(std::string_view url) {
  EndpointUrl endpoint;
  std::string text(url);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    endpoint.tls = false;
    rest.remove_prefix(7);
  } else {
    RefuseEndpoint("it must begin with https:// or http://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) {
    RefuseEndpoint("a user or password does not belong here, but below credentials");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) RefuseEndpoint("it has a query");
  if (rest.find('/') != std::string_view::npos) {
    RefuseEndpoint("it has a path; the bucket and prefix belong to the task");
  }
  const std::string_view host =
      rest.substr(0, rest.starts_with('[') ? rest.find(']') + 1 : rest.find(':'));
  rest.remove_prefix(host.size());
  if (!IsHostName(host) && !IsBracketedAddress(host)) RefuseEndpoint("the host is no host name");
  endpoint.host = host;
  if (rest.empty()) return endpoint;
  if (!rest.starts_with(':')) RefuseEndpoint("there is something between host and port");
  endpoint.port = ParsePort(rest.substr(1));
  if (endpoint.port == (endpoint.tls ? 443 : 80)) endpoint.port = 0;
  return endpoint;
}

}  // namespace ferry
