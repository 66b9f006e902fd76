#include "batch/credentials/platform_keys.h"

#include "batch/base/error.h"
#include "batch/credentials/container_keys.h"
#include "batch/credentials/environment_keys.h"
#include "batch/credentials/instance_keys.h"
#include "batch/credentials/web_identity_keys.h"

namespace ferry {

std::string PlatformKeys::Name() const {
  return chosen_ != nullptr ? chosen_->Name() : "the platform";
}

bool PlatformKeys::IsRenewedElsewhere() const {
  return chosen_ != nullptr && chosen_->IsRenewedElsewhere();
}

AccessKeys PlatformKeys::Fetch(const std::stop_token& stop) {
  if (chosen_ != nullptr) return chosen_->Fetch(stop);
  passed_over_.clear();
  for (const auto& source : sources_) {
    const std::string why = source->WhyNotOffered();
    if (!why.empty()) {
      passed_over_.push_back(source->Name() + ": " + why);
      continue;
    }
    try {
      AccessKeys keys = source->Fetch(stop);
      chosen_ = source.get();
      return keys;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kStopped) throw;
      Refuse(error);
    }
  }
  std::string said;
  for (const std::string& one : passed_over_) said += (said.empty() ? "" : "; ") + one;
  throw Error(
      ErrorKind::kCredentials,
      "no credentials: the configuration gives none, and neither does the platform: " + said);
}

// What each said, in order: the last one is why there are no keys.
void PlatformKeys::Refuse(const Error& last) const {
  std::string said = "no credentials: the configuration gives none, and of the platform's: ";
  for (const std::string& one : passed_over_) said += one + "; ";
  throw Error(last.kind(), said + last.what(), last.code());
}

std::unique_ptr<KeysSource> MakePlatformKeys(const std::string& region,
                                             const Environment& environment, Clock& clock) {
  std::vector<std::unique_ptr<KeysSource>> in_order;
  in_order.push_back(std::make_unique<EnvironmentKeys>(environment));
  in_order.push_back(std::make_unique<WebIdentityKeys>(region, environment, clock));
  in_order.push_back(std::make_unique<ContainerKeys>(environment));
  in_order.push_back(std::make_unique<InstanceKeys>(environment));
  return std::make_unique<PlatformKeys>(std::move(in_order));
}

}  // namespace ferry
