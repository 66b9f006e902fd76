// What ran, what became of each object, and what the destination holds: for people who look.
//
// Every function is one short statement; long answers come in pages, so that memory is bounded and
// nobody's snapshot is held open. Nothing here writes. Times are RFC 3339 in UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/base/key.h"
#include "batch/pg/session.h"
#include "batch/queue/tally.h"

namespace ferry {

struct RunRecord {
  std::int64_t run_id = 0;
  std::string state;  // interrupted where it is open and nobody works on it any more
  bool active = false;
  std::string started_at;
  std::optional<std::string> finished_at;
  double seconds = 0;  // until its end, or until now
  Tally totals;
  std::optional<std::string> error;
};

struct TaskRuns {
  bool active = false;          // whichever run it is
  std::vector<RunRecord> runs;  // newest first
};

TaskRuns ReadRuns(pg::Session& session, const std::string& task_name, std::int64_t runs_max);

struct ObjectRecord {
  std::string task;
  std::int64_t run_id = 0;
  std::int64_t job_id = 0;
  Key key;  // at the source
  std::string action;
  std::string reason;
  std::string state;
  int attempts = 0;
  std::int64_t size_bytes = 0;
  std::optional<std::string> error;
  std::string source_etag;
  std::string source_version;  // empty: not known
  std::optional<std::string> destination_etag;
  std::optional<std::string> proof;
  std::string planned_at;
  std::optional<std::string> finished_at;
};

struct ObjectQuery {
  std::vector<std::string> tasks;
  std::optional<std::int64_t> run_id;
  std::optional<std::string> state;
  std::int64_t rows_max = 0;
};

// A page, newest first; `before`: the last one of the page before. Shorter than rows_max at the
// end.
std::vector<ObjectRecord> ReadObjects(pg::Session& session, const ObjectQuery& query,
                                      const std::optional<ObjectRecord>& before);

struct HeldObject {
  Key key;  // at the source
  std::int64_t run_id = 0;
  std::int64_t size_bytes = 0;
  std::string source_etag;
  std::string source_version;  // empty: not known
  std::optional<std::string> destination_etag;
  std::optional<std::string> proof;
  std::optional<std::string> verdict;  // why it is not held, instead of the two
  std::string recorded_at;
};

// A page of the ledger in key order, after `after`; shorter than `rows_max` at the end.
std::vector<HeldObject> ReadHeldObjects(pg::Session& session, std::int64_t task_id,
                                        const Key& after, std::int64_t rows_max);

}  // namespace ferry
