// Where the keys of a store come from, for as long as the process runs.
#pragma once

#include <optional>

#include "batch/store/sigv4.h"

namespace ferry {

// Thread-safe: all loops ask one source.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;

  // nullopt: anonymous requests. May wait for the first ones. Throws Error{kCredentials} when there
  // are none to be had, {kUnavailable} or {kThrottled} when they may be had later.
  virtual std::optional<Credentials> Get() = 0;

  // The store refused the last ones. Others may be there at the next Get(). True: they are being
  // fetched, and it is worth asking again a little later.
  virtual bool Refused() = 0;
};

}  // namespace ferry
