// What downstream has to be told: required by runs, asked for by whoever answers for it, and
// acknowledged once it was told.
//
// Every requirement has a number of its own (seq), because a long run requires several: who acts
// reads it first, and acknowledges what he read. What is required meanwhile stays due.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

// Targets of tasks, by name.
using TaskTargets = std::vector<std::pair<std::string, std::string>>;

struct DueRefresh {
  std::string task;
  std::string target;
  std::int64_t run_id = 0;  // the latest run that requires it
  std::int64_t seq = 0;
  int tries = 0;  // that failed since the last one that did not
};

enum class RefreshOutcome { kDone, kAccepted };
std::string_view ToString(RefreshOutcome outcome);

// While run `run_id` goes on and has changed the destination: its targets are due, if they were not
// within the last `every`. Returns whether one is now.
bool RequireInterimRefresh(pg::Session& session, std::int64_t run_id,
                           std::chrono::milliseconds every);

// Whoever calls this answers for it: what is required of the target by now will be seen to, also
// after a restart. Returns whether something is due.
bool RequestRefresh(pg::Transaction& tx, const std::string& task, const std::string& target);

// What was asked for and may be tried now.
std::vector<DueRefresh> FindDueRefreshes(pg::Session& session, const TaskTargets& targets);

// How many of them are not acknowledged, asked for or not.
std::int64_t CountOpenRefreshes(pg::Session& session, const TaskTargets& targets);

// With it, in the same transaction, `notify` are to be told when everything of `refresh`, the
// task's targets, is acknowledged.
void AcknowledgeRefresh(pg::Session& session, const DueRefresh& due, RefreshOutcome outcome,
                        const std::vector<std::string>& refresh,
                        const std::vector<std::string>& notify);
void RecordRefreshFailure(pg::Session& session, const DueRefresh& due, const std::string& error,
                          std::chrono::milliseconds pause);

// The right to refresh something, of one holder at a time. Taking it again renews it.
bool TakeRefreshLease(pg::Session& session, const std::string& what, const std::string& holder,
                      std::chrono::milliseconds ttl);
void ReleaseRefreshLease(pg::Session& session, const std::string& what, const std::string& holder);

// What became of the latest refresh of each target that had one.
std::vector<std::pair<std::string, RefreshOutcome>> ListRefreshOutcomes(
    pg::Transaction& tx, const std::string& task, const std::vector<std::string>& targets);

}  // namespace ferry
