// What a failed attempt means for its object and its run. The one table of it.
#pragma once

#include <optional>
#include <string>

#include "batch/copy/object_copy.h"

namespace ferry {

enum class Meaning {
  kStopped,   // we were stopped: nothing is said of the object
  kEndpoint,  // perhaps the endpoint: see Outage
  kObject,    // this object: costs an attempt
  kFutile,    // this object, and trying again cannot help: dead
  kVanished,  // no longer at the source: not a failure
  kArchived,  // must be restored first: a standing verdict, not a failure
  kRunOver,   // no object of this run can succeed
};

Meaning Judge(const Error& error, std::optional<Side> side);

// What is written down of an attempt: `attempt` counts from 1.
std::string Describe(const Error& error, std::optional<Side> side, int attempt);

}  // namespace ferry
