// What the batch writes down in rows and the exporter shows: the lists that both hold on to.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ferry {

// How long requests take, in seconds: each bound is the upper end of a bucket, and one more bucket
// has none. Rows hold a count for each, in this order: other bounds need a migration.
inline constexpr std::array<double, 7> kRequestSecondsBounds = {0.025, 0.1, 0.25, 1, 2.5, 10, 60};
inline constexpr std::size_t kRequestSecondsBuckets = kRequestSecondsBounds.size() + 1;

// Why something was tried again.
enum class RetryReason {
  kThrottle,  // the store had too much to do
  kTimeout,   // nothing came for too long
  kServer,    // an error of the store's own, 5xx
  kNetwork,   // no connection, or one that broke
  kChecksum,  // other bytes arrived than were sent
  kChanged,   // the object is another one by now
  kOther,
};
// By their values.
inline constexpr std::array<std::string_view, 7> kRetryReasons = {
    "throttle", "timeout", "server", "network", "checksum", "changed", "other"};

constexpr std::string_view ToString(RetryReason reason) {
  return kRetryReasons[static_cast<std::size_t>(reason)];
}

}  // namespace ferry
