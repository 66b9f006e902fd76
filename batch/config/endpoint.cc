#include "batch/config/endpoint.h"

#include <algorithm>
#include <charconv>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::string_view kAwsDomain = ".amazonaws.com";
constexpr std::string_view kAwsChinaDomain = ".amazonaws.com.cn";

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorKind::kConfig, why + "; an endpoint is http(s)://host[:port]");
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHostName(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_' || c == '.';
  };
  return !host.empty() && host.size() <= kHostBytesMax && host.front() != '.' &&
         host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), allowed);
}

bool IsIpv6(std::string_view host) {
  const auto allowed = [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
  };
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != std::string_view::npos &&
         std::all_of(host.begin(), host.end(), allowed);
}

std::uint16_t ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stopped != end || port == 0) {
    Refuse("the port is not a number from 1 to 65535");
  }
  return port;
}

// `text` without the AWS domain, or empty when it has none.
std::string_view AwsLabels(std::string_view host) {
  for (const std::string_view domain : {kAwsDomain, kAwsChinaDomain}) {
    if (host.ends_with(domain)) return host.substr(0, host.size() - domain.size());
  }
  return {};
}

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string EndpointConfig::Authority() const {
  const bool usual = port == (tls ? 443 : 80);
  return Bracketed(host) + (usual ? "" : ":" + std::to_string(port));
}

std::string EndpointConfig::Url() const { return (tls ? "https://" : "http://") + Authority(); }

EndpointConfig ParseEndpoint(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  std::string_view rest = lower;
  EndpointConfig endpoint;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    endpoint.tls = false;
    endpoint.port = 80;
  } else {
    Refuse("it begins with neither http:// nor https://");
  }
  if (rest.find('@') != std::string_view::npos) {
    Refuse("it holds a user or password (credentials have their own key)");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) Refuse("it holds a path or a query");
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) Refuse("the address has a [ without its ]");
    endpoint.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':') Refuse("the address is followed by something else");
    if (!IsIpv6(endpoint.host)) Refuse("what stands in [ ] is not an IPv6 address");
  } else {
    endpoint.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(endpoint.host.size());
    if (endpoint.host.ends_with('.')) endpoint.host.pop_back();
    if (!IsHostName(endpoint.host)) Refuse("the host is not a name or an address");
  }
  if (!rest.empty()) endpoint.port = ParsePort(rest.substr(1));
  return endpoint;
}

std::string AwsRegionOf(const EndpointConfig& endpoint) {
  std::string_view label = AwsLabels(endpoint.host);
  const std::size_t dot = label.rfind('.');
  if (dot != std::string_view::npos) label.remove_prefix(dot + 1);
  if (label.starts_with("s3-")) label.remove_prefix(3);  // the old s3-us-west-2.amazonaws.com
  const bool region = label.find('-') != std::string_view::npos && IsDigit(label.back());
  return region ? std::string(label) : std::string();
}

std::string PlaceOf(const EndpointConfig& endpoint) {
  if (endpoint.host.ends_with(kAwsChinaDomain)) return "aws-cn";
  if (endpoint.host.ends_with(kAwsDomain)) {
    return AwsRegionOf(endpoint).starts_with("us-gov-") ? "aws-us-gov" : "aws";
  }
  const bool local = endpoint.host == "localhost" || endpoint.host == "::1";
  const bool usual = endpoint.port == 80 || endpoint.port == 443;
  return (local ? "127.0.0.1" : endpoint.host) + " " +
         (usual ? "usual" : std::to_string(endpoint.port));
}

}  // namespace ferry
