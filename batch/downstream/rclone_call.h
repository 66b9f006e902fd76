// rclone: the directory cache of a mount or server, through its remote control (rc).
//
// vfs/forget drops what is known of the directory and all below it, so that nothing old is shown
// any more; vfs/refresh then reads it anew, so that the first who looks need not wait. Both answer
// when they are done. (rclone docs: rc, vfs/forget, vfs/refresh.)
#pragma once

#include <string>

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
  std::string Ask(const std::string& command, const std::string& body,
                  std::chrono::milliseconds timeout, const std::stop_token& stop) const;

  const std::string name_;
  const RcloneTarget& target_;
  Clock& clock_;
  const PlainUrl plain_;
};

}  // namespace ferry
