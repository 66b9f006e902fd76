// Where the keys of a store come from, for as long as the process runs.
#pragma once

#include <optional>

#include "batch/store/sigv4.h"

namespace ferry {

// Thread-safe: all loops ask one source.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;

  // nullopt: anonymous requests. Throws Error{kCredentials} when there are none to be had.
  virtual std::optional<Credentials> Get() = 0;

  // The store refused the last ones: the next Get() reads anew.
  virtual void Refused() = 0;
};

}  // namespace ferry
