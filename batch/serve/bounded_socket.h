// A listening socket whose connections give a client little to spend.
//
// Poco limits the length of a header field, not how many there are, nor how long sending them may
// take. Here a connection reads so many bytes and so long, then it looks as if the client had gone.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <string>

namespace ferry {

inline constexpr int kRequestBytesMax = 32 * 1024;
inline constexpr int kRequestSecondsMax = 10;

struct RequestBounds {
  int bytes = kRequestBytesMax;  // of a whole request
  int seconds = kRequestSecondsMax;
};

// `address` is HOST:PORT, [IPV6]:PORT or :PORT (all of IPv4); port 0 takes any free one. Throws
// Error{kConfig}: malformed, or a host name that cannot be resolved; Error{kUnavailable}: the
// address cannot be listened on.
Poco::Net::ServerSocket ListenBounded(const std::string& address, RequestBounds bounds = {});

// The same address without a socket. Throws Error{kConfig}.
Poco::Net::SocketAddress ParseListen(const std::string& address);

}  // namespace ferry
