#include "batch/downstream/call.h"

#include "batch/downstream/aws_calls.h"
#include "batch/downstream/command_call.h"
#include "batch/downstream/rclone_call.h"
#include "batch/downstream/webhook_call.h"

namespace ferry {
namespace {

struct Maker {
  const std::string& name;
  const Environment& environment;
  Clock& clock;

  std::unique_ptr<Call> operator()(const StorageGatewayTarget& target) const {
    return std::make_unique<StorageGatewayCall>(name, target, environment, clock);
  }
  std::unique_ptr<Call> operator()(const RcloneTarget& target) const {
    return std::make_unique<RcloneCall>(name, target, clock);
  }
  std::unique_ptr<Call> operator()(const CloudfrontTarget& target) const {
    return std::make_unique<CloudfrontCall>(name, target, environment, clock);
  }
  std::unique_ptr<Call> operator()(const WebhookTarget& target) const {
    return std::make_unique<WebhookCall>(name, target, clock);
  }
  std::unique_ptr<Call> operator()(const CommandTarget& target) const {
    return std::make_unique<CommandCall>(name, target, environment, clock);
  }
};

}  // namespace

std::unique_ptr<Call> MakeCall(const RefreshTarget& target, const Environment& environment,
                               Clock& clock) {
  return std::visit(Maker{target.name, environment, clock}, target.what);
}

std::unique_ptr<Call> MakeCall(const NotifyTarget& target, const Environment& environment,
                               Clock& clock) {
  return std::visit(Maker{target.name, environment, clock}, target.what);
}

std::string LeaseNameOf(const RefreshTarget& target) {
  if (const auto* gateway = std::get_if<StorageGatewayTarget>(&target.what)) {
    return gateway->file_share;
  }
  return target.name;
}

std::chrono::milliseconds SettlingTimeOf(const RefreshTarget& target) {
  const bool settles = std::holds_alternative<StorageGatewayTarget>(target.what);
  return settles ? std::chrono::minutes(1) : std::chrono::minutes(0);
}

bool IsOneForAllTasks(const RefreshTarget& target) {
  return !std::holds_alternative<WebhookTarget>(target.what) &&
         !std::holds_alternative<CommandTarget>(target.what);
}

}  // namespace ferry
