// Requests, retries, credentials and large objects on their way: rows in, the page's text out. And
// that a scrape beside a batch at work never sees a total fall.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include "exporter/metrics_page.h"
#include "exporter/read_snapshot.h"
#include "tests/exporter/exporter_fixture.h"
#include "tests/queue/queue_fixture.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;
using test::OfTask;
using test::ValueOf;

class SignalRowsTest : public QueueFixture {
 protected:
  SignalRowsTest() {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(database_.options().uri);
    config_.database_schema = database_.schema();
  }

  std::string Page() {
    Database database(config_, clock_);
    const Snapshot snapshot =
        SnapshotReader(config_, database, clock_, stop_.get_token()).Read(10s);
    EXPECT_TRUE(snapshot.up);
    for (const CollectorResult& one : snapshot.collectors) EXPECT_TRUE(one.success) << one.name;
    return RenderMetrics(config_, snapshot, {});
  }
  static std::string Of(const std::string& name, const std::string& more) {
    return "bucketferry_" + name + "{task=\"media\"," + more + "}";
  }
  // A job of ten parts of 10 bytes, of which some are done.
  void SplitFirst(const BegunRun& run, JobQueue& queue, int done) {
    std::int64_t cursor = 0;
    const Job job = queue.ClaimJobs(run.run_id, cursor, 1).at(0);
    queue.IntendUpload(run.task_id, job, 10, "n");
    ASSERT_TRUE(queue.Split(run.task_id, job, "u", 10, job.source, {}, {}, "n"));
    FinishParts(run, queue, done);
  }
  static void FinishParts(const BegunRun& run, JobQueue& queue, int count) {
    Outcomes outcomes;
    for (const PartJob& part : queue.ClaimParts(run.run_id, count)) {
      outcomes.parts.push_back(
          {part.job_id, part.part.number, "e", std::string(16, 'm'), part.upload_id});
    }
    queue.Record(run.run_id, run.task_id, outcomes);
  }

  SystemClock clock_;
  std::stop_source stop_;
  Config config_ = test::MakeConfig({"media", "other"});
};

TEST_F(SignalRowsTest, RequestsAreSummedOverProcesses) {
  Run("insert into bucketferry.request_total values"
      " ('media', '', 'destination', 'put', 10, 1, 1500000, '{1,2,3,0,0,0,0,4}'),"
      " ('media', 'p', 'destination', 'put', 3, 1, 250000, '{1,1,0,0,0,0,1,0}'),"
      " ('media', 'p', 'source', 'get', 1, 0, 7, '{1,0,0,0,0,0,0,0}'),"
      " ('forgotten', 'p', 'source', 'get', 1, 0, 7, '{1,0,0,0,0,0,0,0}')");
  const std::string page = Page();
  const std::string put = "side=\"destination\",operation=\"put\"";
  EXPECT_EQ(ValueOf(page, Of("storage_requests_total", put)), "13");
  EXPECT_EQ(ValueOf(page, Of("storage_request_errors_total", put)), "2");
  const std::string duration = "storage_request_duration_seconds";
  EXPECT_EQ(ValueOf(page, Of(duration + "_count", put)), "13");
  EXPECT_EQ(ValueOf(page, Of(duration + "_sum", put)), "1.75");
  const std::map<std::string, std::string> buckets = {{"0.025", "2"}, {"0.1", "5"},  {"0.25", "8"},
                                                      {"1", "8"},     {"2.5", "8"},  {"10", "8"},
                                                      {"60", "9"},    {"+Inf", "13"}};
  for (const auto& [bound, count] : buckets) {
    EXPECT_EQ(ValueOf(page, Of(duration + "_bucket", put + ",le=\"" + bound + "\"")), count);
  }
  EXPECT_EQ(ValueOf(page, Of("storage_requests_total", "side=\"source\",operation=\"get\"")), "1");
  EXPECT_EQ(page.find("forgotten"), std::string::npos);
}

TEST_F(SignalRowsTest, RetriesAreSummedByReason) {
  Run("insert into bucketferry.retry_total values ('media', '', 'throttle', 10),"
      " ('media', 'p', 'throttle', 3), ('media', 'p', 'network', 1)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, Of("retries_total", "reason=\"throttle\"")), "13");
  EXPECT_EQ(ValueOf(page, Of("retries_total", "reason=\"network\"")), "1");
  EXPECT_EQ(ValueOf(page, Of("retries_total", "reason=\"checksum\"")), "0");
}

TEST_F(SignalRowsTest, CredentialsAreRefusedWhileThatWasTheLastWord) {
  Run("insert into bucketferry.credential values"
      " ('media', 'source', now() - interval '1 hour', now(), to_timestamp(1900000000)),"
      " ('media', 'destination', now(), now() - interval '1 hour', null),"
      " ('other', 'source', null, now(), null)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, Of("task_credentials_refused", "side=\"source\"")), "1");
  EXPECT_EQ(ValueOf(page, Of("task_credentials_refused", "side=\"destination\"")), "0");
  EXPECT_EQ(ValueOf(page, Of("task_credentials_expiry_timestamp_seconds", "side=\"source\"")),
            "1900000000");
  EXPECT_NE(page.find("credentials_refused{task=\"other\",side=\"source\"} 1"), std::string::npos);
}

TEST_F(SignalRowsTest, ASkippedRunLeavesItsTime) {
  const std::int64_t worker = NewWorker();
  Plan(worker, 1);
  EXPECT_EQ(ValueOf(Page(), OfTask("task_last_skip_timestamp_seconds")), "0");
  EXPECT_TRUE(BeginRun(session_, Place(), RunKind::kScheduled, NewWorker()).skipped);
  const double skipped = std::stod(ValueOf(Page(), OfTask("task_last_skip_timestamp_seconds")));
  EXPECT_NEAR(skipped, Ask<double>("select extract(epoch from now())::float8 as v"), 60);
  EXPECT_EQ(ValueOf(Page(), OfTask("runs_skipped_total")), "1");
}

TEST_F(SignalRowsTest, MessagesAreCountedByTarget) {
  config_.tasks.front().notify = {"team"};
  Run("insert into bucketferry.notify_total values ('team', 5, 2), ('forgotten', 1, 1)");
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, "bucketferry_notify_requests_total{target=\"team\"}"), "5");
  EXPECT_EQ(ValueOf(page, "bucketferry_notify_failures_total{target=\"team\"}"), "2");
}

TEST_F(SignalRowsTest, ARunThatGoesOnSaysHowFarItIs) {
  const std::int64_t worker = NewWorker();
  JobQueue queue(session_, worker, 1);
  const BegunRun run = Plan(worker, 6);  // of 100 bytes each
  std::int64_t cursor = 0;
  const std::vector<Job> jobs = queue.ClaimJobs(run.run_id, cursor, 4);
  Outcomes outcomes;
  outcomes.done = {Done(jobs[0])};
  outcomes.failed = {Failed(jobs[1])};  // dead
  outcomes.verdicts = {{jobs[2].job_id, "vanished", "gone"}};
  queue.Record(run.run_id, run.task_id, outcomes);
  std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_run_planned_objects")), "6");
  EXPECT_EQ(ValueOf(page, OfTask("task_run_final_objects")), "3");
  EXPECT_EQ(ValueOf(page, OfTask("task_run_planned_bytes")), "600");
  EXPECT_EQ(ValueOf(page, OfTask("task_run_final_bytes")), "300");
  EXPECT_EQ(ValueOf(page, OfTask("task_run_planned_objects", "other")), "0");

  FailRun(session_, run.run_id, "over");
  page = Page();
  for (const char* name : {"planned_objects", "final_objects", "planned_bytes", "final_bytes"}) {
    EXPECT_EQ(ValueOf(page, OfTask(std::string("task_run_") + name)), "0") << name;
  }
}

TEST_F(SignalRowsTest, WhatHasComeOverOfALargeObjectCountsBeforeItIsDone) {
  const std::int64_t worker = NewWorker();
  JobQueue queue(session_, worker, 5);
  const BegunRun run = Plan(worker, 2);
  SplitFirst(run, queue, 3);
  std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("task_run_final_bytes")), "30");
  EXPECT_EQ(ValueOf(page, OfTask("in_flight_bytes")), "70");
  EXPECT_EQ(ValueOf(page, OfTask("pending_bytes")), "100");
  EXPECT_EQ(ValueOf(page, OfTask("bytes_copied_total")), "0") << "whole objects";
  EXPECT_EQ(ReadRun(session_, run.run_id).bytes_under_way, 30);

  FinishParts(run, queue, 2);
  EXPECT_EQ(ValueOf(Page(), OfTask("task_run_final_bytes")), "50");

  // A part fails, and the object waits for another try: what has come over stays.
  const PartJob part = queue.ClaimParts(run.run_id, 1).at(0);
  Outcomes outcomes;
  FailedJob failed;
  failed.job_id = part.job_id;
  failed.error = "broken";
  failed.upload_id = part.upload_id;
  outcomes.failed = {failed};
  outcomes.returned_parts = {{part.job_id, part.part.number, part.upload_id}};
  queue.Record(run.run_id, run.task_id, outcomes);
  page = Page();
  EXPECT_EQ(ValueOf(page, "bucketferry_jobs{task=\"media\",state=\"retry_wait\"}"), "1");
  EXPECT_EQ(ValueOf(page, OfTask("task_run_final_bytes")), "50");
  EXPECT_EQ(ValueOf(page, OfTask("in_flight_bytes")), "0");
  EXPECT_EQ(ValueOf(page, OfTask("pending_bytes")), "150");

  FailRun(session_, run.run_id, "over");
  EXPECT_EQ(ValueOf(Page(), OfTask("task_run_final_bytes")), "0");
  EXPECT_EQ(ReadRun(session_, run.run_id).bytes_under_way, 0);
}

TEST_F(SignalRowsTest, ALargeObjectWhosePartsAreAllThereIsOver) {
  const std::int64_t worker = NewWorker();
  JobQueue queue(session_, worker, 5);
  const BegunRun run = Plan(worker, 1);
  SplitFirst(run, queue, 10);
  EXPECT_EQ(ValueOf(Page(), OfTask("task_run_final_bytes")), "100");
  const Job job = queue.ClaimCompletions(run.run_id, 1).at(0);
  EXPECT_EQ(ValueOf(Page(), OfTask("task_run_final_bytes")), "100");
  Outcomes outcomes;
  outcomes.done = {Done(job)};
  ASSERT_TRUE(queue.Record(run.run_id, run.task_id, outcomes).run_closed);
  EXPECT_EQ(ValueOf(Page(), OfTask("bytes_copied_total")), "100");
}

// Runs begin, copy and close, one after the other, while somebody scrapes all the time (with
// sessions of its own).
TEST_F(SignalRowsTest, NoTotalEverFallsWhileRunsComeAndGo) {
  constexpr int kRuns = 12, kJobs = 8;
  std::atomic<bool> over{false};
  std::thread batch([&] {
    const std::int64_t worker = NewWorker();
    JobQueue queue(session_, worker, 1);
    for (int i = 0; i < kRuns; ++i) {
      const BegunRun run = Plan(worker, kJobs);
      std::int64_t cursor = 0;
      for (const Job& job : queue.ClaimJobs(run.run_id, cursor, kJobs)) {
        Outcomes outcomes;
        outcomes.traffic.source_bytes_read = 100;
        outcomes.traffic.destination_bytes_written = 100;
        if (job.job_id % 4 == 0) {
          outcomes.failed = {Failed(job)};
        } else {
          outcomes.done = {Done(job)};
        }
        queue.Record(run.run_id, run.task_id, outcomes);
      }
    }
    over = true;
  });
  std::map<std::string, double> before;
  while (!over) {
    std::istringstream lines(Page());
    for (std::string line; std::getline(lines, line);) {
      const std::size_t blank = line.rfind(' ');
      const std::string series = line.substr(0, blank);
      if (line.starts_with('#') || series.find("_total{") == std::string::npos) continue;
      const double value = std::stod(line.substr(blank));
      EXPECT_GE(value, before[series]) << series;
      before[series] = value;
    }
  }
  batch.join();
  const std::string page = Page();
  EXPECT_EQ(ValueOf(page, OfTask("runs_total")), std::to_string(kRuns));
  EXPECT_EQ(ValueOf(page, OfTask("objects_copied_total")), std::to_string(kRuns * kJobs * 3 / 4));
  EXPECT_EQ(ValueOf(page, OfTask("objects_failed_total")), std::to_string(kRuns * kJobs / 4));
  EXPECT_EQ(ValueOf(page, OfTask("bytes_copied_total")), std::to_string(kRuns * kJobs * 75));
  EXPECT_EQ(ValueOf(page, OfTask("source_bytes_read_total")), std::to_string(kRuns * kJobs * 100));
}

}  // namespace
}  // namespace ferry::exporter
