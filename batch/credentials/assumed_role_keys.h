// AssumeRole of STS: other keys become those of a role.
#pragma once

#include <memory>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

class AssumedRoleKeys final : public KeysSource {
 public:
  // `base` gives the keys to ask with, anew each time. `region`: where STS is asked if the
  // environment names none. `environment` and `clock` outlive this object.
  AssumedRoleKeys(RoleToAssume role, std::unique_ptr<KeysSource> base, std::string region,
                  const Environment& environment, Clock& clock)
      : role_(std::move(role)),
        base_(std::move(base)),
        region_(std::move(region)),
        environment_(environment),
        clock_(clock) {}

  std::string Name() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;
  std::vector<std::string> PassedOver() const override { return base_->PassedOver(); }

 private:
  const RoleToAssume role_;
  const std::unique_ptr<KeysSource> base_;
  const std::string region_;
  const Environment& environment_;
  Clock& clock_;
};

}  // namespace ferry
