// A listening socket whose connections give a client little to spend.
//
// Poco limits the length of a header field, not how many there are, nor how long sending them or
// taking the answer may take. Here a connection reads so many bytes and so long, then it looks as
// if the client had gone; and whoever does not take his answer in time does not get it.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <chrono>
#include <string>

namespace ferry {

struct ConnectionBounds {
  int request_bytes = 32 * 1024;
  std::chrono::milliseconds request_time{5'000};  // from the connection on
  std::chrono::milliseconds answer_time{10'000};  // from the first byte sent on
};

// `address` is HOST:PORT, [IPV6]:PORT or :PORT (all of IPv4); port 0 takes any free one. Throws
// Error{kConfig}: malformed, or a host name that cannot be resolved; Error{kUnavailable}: the
// address cannot be listened on.
Poco::Net::ServerSocket ListenBounded(const std::string& address, const ConnectionBounds& bounds);

// The same address without a socket. Throws Error{kConfig}.
Poco::Net::SocketAddress ParseListen(const std::string& address);

}  // namespace ferry
