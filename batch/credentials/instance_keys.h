// The role of an EC2 instance, from its metadata service, version 2 only ("Use IMDSv2" in the EC2
// user guide).
#pragma once

#include <string>

#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

// AWS_EC2_METADATA_DISABLED=true switches it off; AWS_EC2_METADATA_SERVICE_ENDPOINT and
// AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 say where else it is. Elsewhere nobody answers at its
// address, so it is given two seconds.
class InstanceKeys final : public KeysSource {
 public:
  // `environment` outlives this object.
  explicit InstanceKeys(const Environment& environment) : environment_(environment) {}

  std::string Name() const override { return "instance metadata" + role_; }
  std::string WhyNotOffered() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;

 private:
  std::string Endpoint() const;

  const Environment& environment_;
  std::string role_;  // " (role NAME)", once it is known
};

}  // namespace ferry
