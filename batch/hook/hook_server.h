// HookServer: HookEndpoints behind a MessageServer.
#pragma once

#include <string>

#include "batch/hook/hook_endpoints.h"
#include "batch/serve/message_server.h"

namespace ferry {

class HookServer {
 public:
  // Listens and answers from here on. Throws Error{kConfig}: an address or a certificate that
  // cannot be; or nobody is asked who he is although others than this host can come in.
  // Error{kUnavailable}: the address cannot be listened on. `endpoints` outlives this object.
  HookServer(const HookConfig& config, HookEndpoints& endpoints);

  // "0.0.0.0:9848": with the port that was taken.
  std::string address() const { return server_.address(); }

 private:
  MessageServer server_;
};

}  // namespace ferry
