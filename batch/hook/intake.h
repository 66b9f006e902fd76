// Intake: what was asked of the hook, accepted durably or not at all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/hook/alert_message.h"
#include "batch/pg/session.h"

namespace ferry {

struct Accepted {
  int refreshes = 0;      // that are due and will be seen to
  int announcements = 0;  // that people are told of, unless they were already
  int unknown = 0;        // of tasks or targets that the configuration does not name
};

class Intake {
 public:
  // All outlive this object. `connect` is thread-safe. `accepted` is called after a commit, on the
  // thread of the request.
  Intake(const Config& config, std::function<std::unique_ptr<pg::Session>()> connect,
         std::function<void()> accepted);

  // Returns once everything of the message is in the database: from then on it survives this
  // process. Throws Error: nothing was accepted, and the message is to be sent again. From any
  // thread.
  Accepted Accept(const AlertMessage& message);

  // Whether the database answers.
  bool IsReady() noexcept;

 private:
  const Config& config_;
  const std::function<std::unique_ptr<pg::Session>()> connect_;
  const std::function<void()> accepted_;
};

}  // namespace ferry
