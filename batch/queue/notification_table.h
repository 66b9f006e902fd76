// What people are told of runs: each event once for each run and target.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

enum class RunEvent { kStarted, kEnded, kRefreshed };
std::string_view ToString(RunEvent event);

// A run, for those who are told of it. Times are RFC 3339, UTC; empty: not yet.
struct RunFacts {
  std::int64_t run_id = 0;
  std::string task = {};
  std::string kind = {};
  std::string state = {};
  bool closed = false;
  std::int64_t source_objects = 0;
  std::int64_t planned = 0;
  std::int64_t done = 0;
  std::int64_t adopted = 0;
  std::int64_t deleted = 0;
  std::int64_t dead = 0;
  std::int64_t vanished = 0;
  std::int64_t archived = 0;
  std::int64_t bytes_done = 0;
  double seconds = 0;
  std::string started_at = {};
  std::string finished_at = {};
  std::string error = {};
};

// nullopt: there is no such run, or no more.
std::optional<RunFacts> ReadRunFacts(pg::Transaction& tx, std::int64_t run_id);

struct Notification {
  std::int64_t run_id = 0;
  RunEvent event = RunEvent::kStarted;
  std::string target;
  std::string task;
  int tries = 0;
  std::chrono::duration<double> age{0};
};

// `targets` are to be told, unless they are or were already. Nothing for a run that is not there,
// is another task's or was skipped.
void AnnounceRun(pg::Transaction& tx, std::int64_t run_id, RunEvent event, const std::string& task,
                 const std::vector<std::string>& targets);

// With it, `targets` are to be told of the task's closed runs before this one that nobody
// announced.
void AnnounceMissedRuns(pg::Transaction& tx, std::int64_t run_id, const std::string& task,
                        const std::vector<std::string>& targets);

// Whoever was told that a run of these tasks started is to be told that it has ended.
void AnnounceEnds(pg::Session& session, const std::vector<std::string>& tasks,
                  const std::vector<std::string>& targets);

// Those of `targets` for which something waits that may be told now.
std::vector<std::string> FindNotifyTargets(pg::Session& session,
                                           const std::vector<std::string>& tasks,
                                           const std::vector<std::string>& targets);
// How many things these are still to be told of these runs.
std::int64_t CountWaitingNotifications(pg::Session& session, const std::vector<std::int64_t>& runs,
                                       const std::vector<std::string>& targets);
// Nobody else takes it for `lease`.
std::optional<Notification> ClaimNotification(pg::Session& session,
                                              const std::vector<std::string>& tasks,
                                              const std::string& target, const std::string& holder,
                                              std::chrono::milliseconds lease);

enum class NotificationEnd { kSent, kDropped, kGivenUp };
void FinishNotification(pg::Transaction& tx, const Notification& notification,
                        const std::string& holder, NotificationEnd end,
                        const std::optional<std::string>& error);
// `error` empty: it was not tried, it is too early.
void PostponeNotification(pg::Transaction& tx, const Notification& notification,
                          const std::string& holder, std::chrono::milliseconds pause,
                          const std::optional<std::string>& error);
// A call, for the totals.
void CountNotify(pg::Transaction& tx, const std::string& target, bool failed);

}  // namespace ferry
