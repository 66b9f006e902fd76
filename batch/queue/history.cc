#include "batch/queue/history.h"

#include <limits>

namespace ferry {
namespace {

RunRecord ToRun(const pg::Row& row) {
  RunRecord run;
  run.run_id = row.Get<std::int64_t>("run_id");
  run.state = row.Get<std::string>("state");
  run.active = row.Get<bool>("active");
  run.started_at = row.Get<std::string>("started_at");
  run.finished_at = row.Get<std::optional<std::string>>("finished_at");
  run.seconds = row.Get<double>("seconds");
  run.error = row.Get<std::optional<std::string>>("error");
  Tally& totals = run.totals;
  totals.source_objects = row.Get<std::int64_t>("source_objects");
  totals.planned = row.Get<std::int64_t>("planned");
  totals.pending = row.Get<std::int64_t>("pending");
  totals.in_flight = row.Get<std::int64_t>("in_flight");
  totals.retry_wait = row.Get<std::int64_t>("retry_wait");
  totals.done = row.Get<std::int64_t>("done");
  totals.adopted = row.Get<std::int64_t>("adopted");
  totals.deleted = row.Get<std::int64_t>("deleted");
  totals.dead = row.Get<std::int64_t>("dead");
  totals.vanished = row.Get<std::int64_t>("vanished");
  totals.archived = row.Get<std::int64_t>("archived");
  totals.bytes_planned = row.Get<std::int64_t>("bytes_planned");
  totals.bytes_done = row.Get<std::int64_t>("bytes_done");
  totals.retries = row.Get<std::int64_t>("retries");
  totals.requests_source = row.Get<std::int64_t>("requests_source");
  totals.requests_destination = row.Get<std::int64_t>("requests_destination");
  return run;
}

ObjectRecord ToObject(const pg::Row& row) {
  ObjectRecord object;
  object.task = row.Get<std::string>("task");
  object.run_id = row.Get<std::int64_t>("run");
  object.job_id = row.Get<std::int64_t>("job");
  object.key = row.Get<Key>("key");
  object.action = row.Get<std::string>("action");
  object.reason = row.Get<std::string>("reason");
  object.state = row.Get<std::string>("state");
  object.attempts = row.Get<int>("attempts");
  object.size_bytes = row.Get<std::int64_t>("size_bytes");
  object.error = row.Get<std::optional<std::string>>("error");
  object.source_etag = row.Get<std::string>("source_etag");
  object.source_version = row.Get<std::string>("source_version");
  object.destination_etag = row.Get<std::optional<std::string>>("destination_etag");
  object.proof = row.Get<std::optional<std::string>>("proof");
  object.planned_at = row.Get<std::string>("planned_at");
  object.finished_at = row.Get<std::optional<std::string>>("finished_at");
  return object;
}

HeldObject ToHeld(const pg::Row& row) {
  HeldObject held;
  held.key = row.Get<Key>("key");
  held.run_id = row.Get<std::int64_t>("run_id");
  held.size_bytes = row.Get<std::int64_t>("size_bytes");
  held.source_etag = row.Get<std::string>("source_etag");
  held.source_version = row.Get<std::string>("source_version");
  held.destination_etag = row.Get<std::optional<std::string>>("destination_etag");
  held.proof = row.Get<std::optional<std::string>>("proof");
  held.verdict = row.Get<std::optional<std::string>>("verdict");
  held.recorded_at = row.Get<std::string>("recorded_at");
  return held;
}

template <typename Record>
std::vector<Record> All(const pg::Rows& rows, Record (*convert)(const pg::Row&)) {
  std::vector<Record> records;
  records.reserve(rows.size());
  for (const pg::Row row : rows) records.push_back(convert(row));
  return records;
}

constexpr pg::TransactionOptions kReading{.access = pg::Access::kReadOnly};
// Both are answered from one moment, or a run may be active and not there.
constexpr pg::TransactionOptions kReadingOneMoment{.isolation = pg::Isolation::kSnapshot,
                                                   .access = pg::Access::kReadOnly};

}  // namespace

TaskRuns ReadRuns(pg::Session& session, const std::string& task_name, std::int64_t runs_max) {
  return session.Transact(
      [&](pg::Transaction& tx) {
        TaskRuns answer;
        answer.active = tx.Execute("queries/is_task_active", task_name).One().Get<bool>("active");
        answer.runs = All(tx.Execute("queries/list_runs", task_name, runs_max), ToRun);
        return answer;
      },
      kReadingOneMoment);
}

std::vector<ObjectRecord> ReadObjects(pg::Session& session, const ObjectQuery& query,
                                      const std::optional<ObjectRecord>& before) {
  constexpr std::int64_t kAboveAll = std::numeric_limits<std::int64_t>::max();
  const std::int64_t run = before ? before->run_id : kAboveAll;
  const std::int64_t job = before ? before->job_id : kAboveAll;
  return session.Transact(
      [&](pg::Transaction& tx) {
        return All(tx.Execute("queries/list_jobs", query.tasks, query.run_id, query.state, run, job,
                              query.rows_max),
                   ToObject);
      },
      kReading);
}

std::vector<HeldObject> ReadHeldObjects(pg::Session& session, std::int64_t task_id,
                                        const Key& after, std::int64_t rows_max) {
  return session.Transact(
      [&](pg::Transaction& tx) {
        return All(tx.Execute("queries/list_ledger", task_id, after, rows_max), ToHeld);
      },
      kReading);
}

}  // namespace ferry
