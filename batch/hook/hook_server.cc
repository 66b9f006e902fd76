#include "batch/hook/hook_server.h"

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/serve/bounded_socket.h"

namespace ferry {
namespace {

MessageServerOptions OptionsOf(const HookConfig& config) {
  const bool asks = !config.token_file.empty() || !config.client_ca.empty();
  if (!asks && !ParseListen(config.listen).host().isLoopback()) {
    throw Error(ErrorKind::kConfig, "hook: anybody could come in on " + EscapeBytes(config.listen) +
                                        ": set hook.token_file or hook.tls.client_ca, or listen "
                                        "on 127.0.0.1");
  }
  return {.section = "hook",
          .listen = config.listen,
          .body_bytes_max = kAlertBytesMax,
          .certificate = config.certificate,
          .key = config.key,
          .client_ca = config.client_ca};
}

}  // namespace

HookServer::HookServer(const HookConfig& config, HookEndpoints& endpoints)
    : server_(OptionsOf(config),
              [&endpoints](const MessageRequest& request) { return endpoints.Answer(request); }) {}

}  // namespace ferry
