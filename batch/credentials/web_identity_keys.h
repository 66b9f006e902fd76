// AssumeRoleWithWebIdentity of STS: a pod's service account becomes a role (EKS: IRSA).
#pragma once

#include <string>

#include "batch/base/clock.h"
#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

// Named by AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME. The kubelet
// replaces the token, so its file is read each time.
class WebIdentityKeys final : public KeysSource {
 public:
  // `region`: where STS is asked if the environment names none. `environment` and `clock` outlive
  // this object.
  WebIdentityKeys(std::string region, const Environment& environment, Clock& clock)
      : region_(std::move(region)), environment_(environment), clock_(clock) {}

  std::string Name() const override;
  std::string WhyNotOffered() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;

 private:
  std::string Variable(const char* name) const { return environment_.Get(name).value_or(""); }

  const std::string region_;
  const Environment& environment_;
  Clock& clock_;
};

}  // namespace ferry
