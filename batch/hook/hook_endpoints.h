// HookEndpoints: what is answered to which request. Knows requests and answers, not sockets.
//
//   POST /refresh, /events   a message of Alertmanager; both take every kind of alert. 200 once it
//                            is in the database; 503 when that could not be done, and is to be
//                            sent again
//   GET  /-/healthy          200: this process answers
//   GET  /-/ready            200 or 503: the database answers
//
// Alertmanager sends again after 5xx and never after 4xx: only what can never be right gets a 4xx.
#pragma once

#include "batch/config/config.h"
#include "batch/hook/intake.h"
#include "batch/serve/message_server.h"

namespace ferry {

class HookEndpoints {
 public:
  // Both outlive this object.
  HookEndpoints(const HookConfig& config, Intake& intake) : config_(config), intake_(intake) {}

  // From any thread.
  MessageAnswer Answer(const MessageRequest& request);

 private:
  bool IsAllowed(const MessageRequest& request) const;
  MessageAnswer Accept(const MessageRequest& request);

  const HookConfig& config_;
  Intake& intake_;
};

}  // namespace ferry
