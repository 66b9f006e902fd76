// TagLosses: tells once that a destination takes no tags, where objects come with some.
#pragma once

#include <atomic>
#include <string>

#include "batch/base/log.h"

namespace ferry {

// Shared by all that write there; any thread.
class TagLosses {
 public:
  // For the log line: "store:bucket".
  explicit TagLosses(std::string destination) : destination_(std::move(destination)) {}

  void Note() {
    if (noted_.exchange(true)) return;
    log::Warn("the destination's provider keeps no tags; objects arrive without theirs",
              {{"destination", destination_}});
  }

 private:
  const std::string destination_;
  std::atomic<bool> noted_{false};
};

}  // namespace ferry
