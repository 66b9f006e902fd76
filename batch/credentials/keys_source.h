// KeysSource: one place that access keys come from. The port of everything in this layer.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "batch/config/config.h"

namespace ferry {

// Used by one thread at a time, but for HasChanged, which any may call. All text is for people and
// holds no secret.
class KeysSource {
 public:
  virtual ~KeysSource() = default;

  // "web identity (role arn:aws:iam::123456789012:role/copy)"
  virtual std::string Name() const = 0;

  // Why it is not even to be asked ("AWS_ROLE_ARN is not set"); empty: it may be.
  virtual std::string WhyNotOffered() const { return {}; }

  // Asks it now; blocks, for seconds. Throws Error in one line: kUnavailable or kThrottled, it may
  // answer later; kCredentials, it will not give any before somebody changes something; kStopped.
  virtual AccessKeys Fetch(const std::stop_token& stop) = 0;

  // Whether whoever provides the keys renews them in place. Then Fetch costs next to nothing, what
  // they say of their end is hearsay, and HasChanged tells when there are others.
  virtual bool IsRenewedElsewhere() const { return false; }
  virtual bool HasChanged() { return false; }

  // What became of others that were asked first, in order: "environment: ... is not set".
  virtual std::vector<std::string> PassedOver() const { return {}; }
};

}  // namespace ferry
