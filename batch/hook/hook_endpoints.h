// HookEndpoints: what is answered to which request. Knows requests and answers, not sockets.
//
//   POST /refresh, /events   a message of Alertmanager; both take every kind of alert. 200 once it
//   is
//                            in the database; 503 when that could not be done, and is to be sent
//                            again
//   GET  /-/healthy          200: this process answers
//   GET  /-/ready            200 or 503: the database answers
//
// Alertmanager sends again after 5xx and never after 4xx: only what can never be right gets a 4xx.
#pragma once

#include <string>

#include "batch/config/config.h"
#include "batch/hook/intake.h"

namespace ferry {

struct HookRequest {
  std::string method;
  std::string path;           // without a query
  std::string authorization;  // or empty
  std::string body;           // at most kAlertBytesMax + 1 bytes of it
};

struct HookAnswer {
  int status = 200;
  std::string body;
};

class HookEndpoints {
 public:
  // Both outlive this object.
  HookEndpoints(const HookConfig& config, Intake& intake) : config_(config), intake_(intake) {}

  // From any thread.
  HookAnswer Answer(const HookRequest& request);

 private:
  bool IsAllowed(const HookRequest& request) const;
  HookAnswer Accept(const HookRequest& request);

  const HookConfig& config_;
  Intake& intake_;
};

}  // namespace ferry
