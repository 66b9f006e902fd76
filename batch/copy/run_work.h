// What a worker has in hand of one run: what it claimed, what it may start, and what it still has
// to write down. Nothing here acts; Worker does. What is to be written stays until it is.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/copy/lane_pool.h"
#include "batch/copy/outage.h"
#include "batch/plan/claim_size.h"
#include "batch/queue/work_queue.h"

namespace ferry {

// An upload that is open and whose parts are no rows yet.
struct OpenedUpload {
  Job job;
  OpenUpload upload;
  std::vector<FinishedPart> done_parts;
  std::vector<std::int64_t> lost_parts;  // recorded as done, and not at the store
};

// Of a job that failed, until that is recorded.
struct FailedObject {
  Key key;
  RetryReason reason = RetryReason::kOther;
};

// A job at which a store fails as it does when it is away.
struct Suspect {
  int failures = 0;
  std::int64_t successes_before = 0;  // of the run, when it failed first
  int answered = 0;  // failures in a row, in an outage, while the store answered otherwise
};

// While the window of its task is closed.
struct Resting {
  bool gave_back = false;  // nothing of the run is in our hands any more
  SteadyTime next_word{};  // when it is to be said that it waits
};

struct RunWork {
  static constexpr int kLeapsMax = 32;  // after so many, all denied, everything is

  OpenRun open;
  std::int64_t cursor = 0;
  ClaimSize claim_size;
  bool listed = true;  // among the open runs when last looked
  bool over = false;   // failed or closed by us: nothing of it is started any more
  SteadyTime next_poll{};

  std::deque<Job> claimed;     // whose open uploads are still to be looked up
  std::deque<WorkItem> ready;  // to be started
  int in_flight = 0;
  std::uint64_t body_bytes = 0;  // of what is in flight: see WorkItem
  std::optional<Resting> rest;

  // To be written, in this order.
  std::optional<std::string> failure;  // we cannot go on with it: see WorkQueue::FailRun
  std::vector<Job> dropped_uploads;
  std::vector<OpenedUpload> opened_uploads;
  Outcomes outcomes;
  std::optional<SteadyTime> oldest_outcome;
  std::map<std::int64_t, FailedObject> failed;  // by job

  Outage outage;
  std::int64_t successes = 0;
  std::set<std::int64_t> denied_in_a_row;  // jobs
  int leaps = 0;                           // to elsewhere in the plan, since the last success
  bool said_unsettled = false;             // that traces of lost answers cannot be followed
  std::map<std::int64_t, Suspect> suspects;

  bool MayStart() const { return listed && !over; }
  bool HasUnwritten() const {
    return failure || !dropped_uploads.empty() || !opened_uploads.empty() || !outcomes.empty();
  }
  // Whatever the database says we hold beside this was claimed in a transaction of whose commit
  // nobody heard.
  bool HoldsNothing() const {
    return in_flight == 0 && claimed.empty() && ready.empty() && !HasUnwritten();
  }
  void StartNothingMore() {
    claimed.clear();
    ready.clear();
  }
};

}  // namespace ferry
