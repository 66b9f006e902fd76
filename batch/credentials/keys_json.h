// Keys as the agents beside a program write them: ECS, EKS Pod Identity, EC2 instance metadata.
#pragma once

#include <string>

#include "batch/config/config.h"

namespace ferry {

// {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": "2026-03-01T12:00:00Z"};
// of instance metadata also {"Code": "Success"}. Throws Error{kCredentials} naming `who`, never
// quoting the text.
AccessKeys ParseKeysJson(const std::string& text, const std::string& who);

}  // namespace ferry
