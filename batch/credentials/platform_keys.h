// Keys of whoever this process is: what the platform offers, when nobody configured anything.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

// Asks the first source that is offered, in the order of the AWS SDKs, and from then on that one.
//
// A source that is offered and fails is not passed over: in a pod whose role cannot be assumed for
// the moment, the next source would be the node's own role, and the run would go on as somebody
// else.
class PlatformKeys final : public KeysSource {
 public:
  // At least one.
  explicit PlatformKeys(std::vector<std::unique_ptr<KeysSource>> in_order)
      : sources_(std::move(in_order)) {}

  std::string Name() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;
  bool IsRenewedElsewhere() const override;
  std::vector<std::string> PassedOver() const override { return passed_over_; }

 private:
  [[noreturn]] void Refuse(const Error& last) const;

  const std::vector<std::unique_ptr<KeysSource>> sources_;
  KeysSource* chosen_ = nullptr;
  std::vector<std::string> passed_over_;
};

// Environment, web identity, container endpoint, instance metadata. `region`: where STS is asked if
// the environment names none. `environment` and `clock` outlive the result.
std::unique_ptr<KeysSource> MakePlatformKeys(const std::string& region,
                                             const Environment& environment, Clock& clock);

}  // namespace ferry
