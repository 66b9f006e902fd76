// Webhook: an HTTP POST of the facts, or of the target's own template filled with them.
#pragma once

#include <string>

#include "batch/downstream/call.h"

namespace ferry {

class WebhookCall final : public Call {
 public:
  WebhookCall(std::string name, const WebhookTarget& target, Clock& clock)
      : name_(std::move(name)), target_(target), clock_(clock) {}

  // 202 says accepted, every other 2xx done.
  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) override;

 private:
  const std::string name_;
  const WebhookTarget& target_;
  Clock& clock_;
};

}  // namespace ferry
