// The endpoint that a container's platform has beside it: ECS, and EKS Pod Identity.
#pragma once

#include <string>

#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, or AWS_CONTAINER_CREDENTIALS_FULL_URI with the token of
// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or else AWS_CONTAINER_AUTHORIZATION_TOKEN ("Container
// credential provider" in the AWS SDKs and Tools reference). The token's file rotates, and is read
// each time.
class ContainerKeys final : public KeysSource {
 public:
  // `environment` outlives this object.
  explicit ContainerKeys(const Environment& environment) : environment_(environment) {}

  std::string Name() const override { return "container endpoint"; }
  std::string WhyNotOffered() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;

 private:
  const Environment& environment_;
};

// Where the keys are to be asked for; empty: neither variable is set. Throws Error{kCredentials}
// for what is no address, and for one that is neither https nor of this host: keys and token would
// cross a network in the clear.
std::string ContainerUrl(const Environment& environment);

}  // namespace ferry
