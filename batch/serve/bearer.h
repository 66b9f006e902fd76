// Bearer tokens of requests.
#pragma once

#include <string>

#include "batch/config/secret.h"

namespace ferry {

// Whether the value of an Authorization header holds this token, in a time that does not depend on
// where they differ. An empty token matches nothing.
bool IsBearer(const std::string& authorization, const Secret& token);

}  // namespace ferry
