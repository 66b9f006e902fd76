// AWS_ACCESS_KEY_ID and its companions.
#pragma once

#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

class EnvironmentKeys final : public KeysSource {
 public:
  // `environment` outlives this object.
  explicit EnvironmentKeys(const Environment& environment) : environment_(environment) {}

  std::string Name() const override { return "environment"; }
  std::string WhyNotOffered() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;
  bool IsRenewedElsewhere() const override { return true; }

 private:
  const Environment& environment_;
};

}  // namespace ferry
