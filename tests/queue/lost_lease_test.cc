// Objects whose workers are lost: no failure of theirs, and yet not for ever.
#include "batch/pg/sql_table.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class LostLeaseTest : public QueueFixture {};

TEST_F(LostLeaseTest, AnObjectAtWhichWorkerAfterWorkerIsLostIsDeadInTheEnd) {
  const std::int64_t living = NewWorker();
  const BegunRun run = Plan(living, 2);
  JobQueue queue(session_, living, 3);
  for (int loss = 1; loss <= 10; ++loss) {
    const std::int64_t worker = NewWorker();
    JobQueue doomed(session_, worker, 3);
    std::int64_t cursor = 0;
    const std::size_t held = loss == 1 ? doomed.ClaimJobs(run.run_id, cursor, 1).size()
                                       : doomed.ClaimRetries(run.run_id, 1).size();
    ASSERT_EQ(held, 1U) << loss;
    EndLease(worker);
    EXPECT_EQ(queue.RequeueLost(run.run_id), 1);
    ASSERT_EQ(StateOf(run.run_id, 1), loss < 10 ? "retry_wait" : "dead") << loss;
  }
  EXPECT_EQ(Ask<int>("select attempts as v from bucketferry.job where job_id = 1"), 0);
  const Tally totals = ReadRun(session_, run.run_id).totals;
  EXPECT_EQ(totals.dead, 1);
  EXPECT_EQ(totals.in_flight, 0);
  EXPECT_EQ(totals.retry_wait, 0);
}

TEST_F(LostLeaseTest, WhatIsGivenBackWasNotLost) {
  const std::int64_t living = NewWorker();
  const BegunRun run = Plan(living, 1);
  std::int64_t cursor = 0;
  JobQueue(session_, living, 3).ClaimJobs(run.run_id, cursor, 1);
  for (int i = 0; i < 20; ++i) {
    JobQueue queue(session_, living, 3);
    queue.ReleaseAll(run.run_id);
    ASSERT_EQ(queue.ClaimRetries(run.run_id, 1).size(), 1U) << i;
  }
  EXPECT_EQ(Ask<int>("select lost as v from bucketferry.job"), 0);
}

// Held by a worker that wrote no tally, as completions were claimed before migration 7.
TEST(HeldWithoutATally, GoesToOthersOnceTheSchemaIsCurrent) {
  test::TestDatabase database;
  pg::Session session(database.options());
  std::vector<pg::SqlText> before;
  for (const pg::SqlText& text : pg::SqlTable()) {
    if (text.name < "migrations/0007") before.push_back(text);
  }
  pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate, before);
  const std::int64_t run_id = session.Transact([](pg::Transaction& tx) {
    tx.ExecuteText(
        "insert into bucketferry.task (name, source_store, source_bucket, source_prefix,"
        " destination_store, destination_bucket, destination_prefix)"
        " values ('media', 'far', 'src', '', 'near', 'dst', '')");
    const auto id = tx.ExecuteText(
                          "insert into bucketferry.run (run_id, task_id, task_name, kind, state,"
                          " planned_at) select nextval('bucketferry.run_id'), task_id, name,"
                          " 'scheduled', 'copying', now() from bucketferry.task returning run_id")
                        .One()
                        .Get<std::int64_t>("run_id");
    tx.Execute("queries/ensure_partitions", id);
    tx.ExecuteText(
        "insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
        " source_etag, source_modified_at, worker_id, upload_id, part_bytes, parts_left)"
        " values ($1, 1, 'k', 'copy', 'missing', 'in_flight', 100, 'e', now(), 77, 'u', 50, 0)",
        id);
    return id;
  });
  pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate);
  const std::int64_t worker = session.Transact([](pg::Transaction& tx) {
    return tx.Execute("queries/register_worker", "host", 1, 60'000)
        .One()
        .Get<std::int64_t>("worker_id");
  });
  EXPECT_EQ(JobQueue(session, worker, 3).RequeueLost(run_id), 1);
}

TEST_F(LostLeaseTest, AWorkerWhoseTermIsOverFailsNoRun) {
  const std::int64_t lost = NewWorker();
  const BegunRun run = Plan(lost, 1);
  EndLease(lost);
  JobQueue queue(session_, lost, 3);
  EXPECT_EQ(test::ErrorOf([&] { queue.FailRun(run.run_id, "the bucket is gone"); })->code(),
            kTermOver);
  EXPECT_EQ(RunStateOf(run.run_id), "copying");
}

}  // namespace
}  // namespace ferry
