// AWS STS: keys of a role, for some time (API reference, version 2011-06-15).
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/credentials/service_call.h"

namespace ferry {

struct StsCall {
  AwsPlace place;
  NameValues form;                 // Action, RoleArn, ...
  std::optional<AccessKeys> keys;  // to sign with; nullopt: the token in the form is enough
  std::string what;                // "to assume arn:..."
  std::string_view hidden;         // ServiceCall
};

// Throws what AskService does, and Error{kCredentials} for an answer that holds no keys.
AccessKeys AskSts(const StsCall& call, Clock& clock, const std::stop_token& stop);

// STS is asked in a region of the role's own partition: AWS_REGION or AWS_DEFAULT_REGION (a pod or
// instance reaches that one, maybe no other), else `region`, else the partition's first one.
AwsPlace StsPlaceOf(const std::string& role_arn, const std::string& region,
                    const Environment& environment);

}  // namespace ferry
