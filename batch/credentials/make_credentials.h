// From the configuration to keys.
#pragma once

#include <memory>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/credentials/explained_credentials.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

// `owner` begins each error ("store china"). `region`: of what the keys are for; STS is asked there
// if the environment names no region. `environment` and `clock` outlive the result.
std::unique_ptr<ExplainedCredentials> MakeCredentials(const std::string& owner,
                                                      const CredentialsConfig& config,
                                                      const std::string& region,
                                                      const Environment& environment, Clock& clock);

// The same without anything that keeps them fresh. REQUIRES: not anonymous.
std::unique_ptr<KeysSource> MakeKeysSource(const CredentialsConfig& config,
                                           const std::string& region,
                                           const Environment& environment, Clock& clock);

}  // namespace ferry
