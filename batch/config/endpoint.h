// EndpointConfig: where a store answers, http(s)://host[:port] and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferry {

struct EndpointConfig {
  bool tls = true;
  std::string host;          // lower case, no trailing dot; an IPv6 address without its brackets
  std::uint16_t port = 443;  // 80 or 443 where the text named none

  // "https://host", with the port only where it is not the scheme's own; IPv6 in brackets.
  std::string Url() const;
  // "host" or "host:port": what a Host header carries.
  std::string Authority() const;

  friend bool operator==(const EndpointConfig&, const EndpointConfig&) = default;
};

// One trailing slash is tolerated. Throws Error{kConfig} that says what is wrong and never repeats
// the text: a password may stand in it.
EndpointConfig ParseEndpoint(std::string_view text);

// The region in an AWS host name (s3.eu-west-1.amazonaws.com), or empty.
std::string AwsRegionOf(const EndpointConfig& endpoint);

// Equal for endpoints at which one bucket name is one bucket: host and port, and http and https at
// their usual ports are one; all of an AWS partition is one place, because bucket names are unique
// within it; localhost is 127.0.0.1.
std::string PlaceOf(const EndpointConfig& endpoint);

}  // namespace ferry
