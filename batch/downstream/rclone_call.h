// rclone: the directory cache of a mount or server, through its remote control (rc).
//
// vfs/refresh reads the directory and all below it anew, and answers when that is done. Not
// vfs/forget before it: measured with rclone 1.60.1 and 1.75.2, a directory that somebody holds
// open then shows one refresh and misses each later one until it is opened again. A directory is
// found through its parents, so these are read first, each for itself. (rclone docs: rc,
// vfs/refresh.)
#pragma once

#include <string>
#include <vector>

#include "batch/downstream/call.h"
#include "batch/downstream/http_call.h"

namespace ferry {

class RcloneCall final : public Call {
 public:
  RcloneCall(std::string name, const RcloneTarget& target, Clock& clock)
      : name_(std::move(name)),
        target_(target),
        clock_(clock),
        plain_(WithoutUser(target.url.Reveal())) {}

  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) override;

 private:
  // Throws Error when any of these directories could not be read; one that is not there has nothing
  // that could be old.
  void Refresh(const std::vector<std::string>& dirs, bool recursive,
               std::chrono::milliseconds timeout, const std::stop_token& stop) const;

  const std::string name_;
  const RcloneTarget& target_;
  Clock& clock_;
  const PlainUrl plain_;
};

}  // namespace ferry
