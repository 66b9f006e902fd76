// Keys of a store that say of themselves where they come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/store/credentials_source.h"

namespace ferry {

// Thread-safe.
class ExplainedCredentials : public CredentialsSource {
 public:
  struct Explanation {
    std::string source;                         // "file /run/secrets/src.json"
    std::optional<std::int64_t> expires_at_ms;  // Unix, of the keys in use; nullopt: nobody says
    // What became of sources that were asked before, in order.
    std::vector<std::string> passed_over;
  };

  // Begins to fetch the first keys, so that who asks for them waits less. Never waits.
  virtual void Prepare() = 0;

  // As of the keys that were had last. Never waits.
  virtual Explanation Explain() = 0;
};

}  // namespace ferry
