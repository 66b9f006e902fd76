#include "batch/credentials/environment_keys.h"

#include "batch/base/error.h"
#include "batch/config/credentials.h"

namespace ferry {

std::string EnvironmentKeys::WhyNotOffered() const {
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
    if (!environment_.Get(name).value_or("").empty()) return {};
  }
  return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
}

AccessKeys EnvironmentKeys::Fetch(const std::stop_token&) {
  if (auto keys = EnvironmentCredentials(environment_)) return *keys;
  throw Error(ErrorKind::kCredentials, "environment: " + WhyNotOffered());
}

}  // namespace ferry
