// One notify target, told all that waits for it.
#pragma once

#include <stop_token>

#include "batch/downstream/refresh_work.h"
#include "batch/queue/notification_table.h"

namespace ferry {

// What is worth a person's attention. An hourly task that finds nothing to do is not.
enum class Telling { kSend, kDrop, kWait };

// `always`: also of runs that had nothing to do. kWait: whether there is something to do is not
// known yet.
Telling DecideTelling(RunEvent event, const RunFacts& run, bool always);

// Throws Error for what the database does. What a target refuses is tried again with longer and
// longer pauses, for a day.
void NotifyDue(const DownstreamParts& parts, const SignalPlan& plan, const NotifyTarget& target,
               const std::stop_token& stop);

}  // namespace ferry
