// HookServer: HookEndpoints behind a Poco HTTPServer, over HTTP or HTTPS.
//
// One request a connection. Threads and waiting connections are bounded, and so are the size and
// time of a request; over HTTPS only the time between two of its pieces.
#pragma once

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <string>

#include "batch/hook/hook_endpoints.h"

namespace ferry {

class HookServer {
 public:
  // Listens and answers from here on. Throws Error{kConfig}: an address or a certificate that
  // cannot be; or nobody is asked who he is although others than this host can come in.
  // Error{kUnavailable}: the address cannot be listened on. `endpoints` outlives this object.
  HookServer(const HookConfig& config, HookEndpoints& endpoints);

  // Returns once no request is under way.
  ~HookServer();
  HookServer(const HookServer&) = delete;
  HookServer& operator=(const HookServer&) = delete;

  // "0.0.0.0:9848": with the port that was taken.
  std::string address() const;

 private:
  Poco::ThreadPool threads_;
  Poco::Net::ServerSocket socket_;
  Poco::Net::HTTPServer server_;
};

}  // namespace ferry
