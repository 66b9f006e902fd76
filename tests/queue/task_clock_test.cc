// What the database says of time zones, and of workers that share a task.
#include "batch/queue/task_clock.h"

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class TaskClockTest : public QueueFixture {
 protected:
  milliseconds Shows(const std::string& zone) {
    return ReadTaskClocks(session_, {{"media", zone}}, 0).at("media").of_week;
  }
  int Workers(std::int64_t asking, const std::string& task = "media") {
    return ReadTaskClocks(session_, {{"media", "UTC"}, {"other", "UTC"}}, asking).at(task).workers;
  }
  void ClaimOne(const BegunRun& run, std::int64_t worker) {
    std::int64_t cursor = 0;
    ASSERT_EQ(JobQueue(session_, worker, 3).ClaimJobs(run.run_id, cursor, 1).size(), 1U);
  }
};

TEST_F(TaskClockTest, EachZoneHasItsOwnTime) {
  constexpr milliseconds kWeek = hours(24 * 7);
  const auto all =
      ReadTaskClocks(session_, {{"a", "UTC"}, {"b", "Asia/Shanghai"}, {"c", "Asia/Kolkata"}}, 0);
  const auto ahead = [&](const std::string& task) {
    const milliseconds of_utc = all.at(task).of_week - all.at("a").of_week + kWeek;
    return std::chrono::round<std::chrono::minutes>(of_utc % kWeek).count();
  };
  EXPECT_EQ(ahead("b"), 8 * 60);
  EXPECT_EQ(ahead("c"), 5 * 60 + 30);
  // 1970-01-01 was a Thursday.
  const milliseconds since_monday =
      (milliseconds(Ask<std::int64_t>(
           "select (extract(epoch from clock_timestamp()) * 1000)::bigint as v")) +
       hours(24 * 3)) %
      kWeek;
  EXPECT_LT((since_monday + kWeek - Shows("UTC") + std::chrono::minutes(10)) % kWeek,
            std::chrono::minutes(20));
}

TEST_F(TaskClockTest, ZonesThatTheDatabaseDoesNotHaveAreNamed) {
  EXPECT_EQ(
      FindUnknownZones(session_, {"UTC", "Asia/Shanghai", "europe/berlin", "America/New_York"}),
      std::vector<std::string>{});
  // An abbreviation is several zones, and PostgreSQL would take "Berlin1" for one of POSIX.
  EXPECT_EQ(FindUnknownZones(session_, {"Asia/Shangai", "UTC", "IST", "Berlin1"}),
            (std::vector<std::string>{"Asia/Shangai", "Berlin1", "IST"}));
}

TEST_F(TaskClockTest, LiveWorkersThatHaveAHandInAnOpenRunShareItsTask) {
  const std::int64_t planner = NewWorker(), second = NewWorker(), third = NewWorker();
  NewWorker();  // is there, for other tasks
  EXPECT_EQ(Workers(second), 1) << "who asks counts always";
  const BegunRun run = Plan(planner, 10);
  EXPECT_EQ(Workers(planner), 1);
  EXPECT_EQ(Workers(second), 2);
  ClaimOne(run, second);
  ClaimOne(run, third);
  EXPECT_EQ(Workers(planner), 3);
  EXPECT_EQ(Workers(0, "other"), 0);
  EndLease(third);
  EXPECT_EQ(Workers(planner), 2);
  Run("update bucketferry.run set state = 'failed', finished_at = clock_timestamp()");
  EXPECT_EQ(Workers(planner), 1) << "closed runs are nobody's";
}

TEST_F(TaskClockTest, ARunThatWaitsComesForward) {
  const std::int64_t worker = NewWorker();
  const BegunRun run = Plan(worker, 10);
  Run("update bucketferry.tally set advanced_at = clock_timestamp() - interval '1 hour'");
  const auto advanced = [&] {
    return Ask<bool>(
        "select max(advanced_at) > clock_timestamp() - interval '1 minute' as v"
        " from bucketferry.tally");
  };
  EXPECT_FALSE(advanced());
  JobQueue queue(session_, worker, 3);
  queue.SayWaiting(run.run_id);
  EXPECT_TRUE(advanced());
  ASSERT_TRUE(queue.FailRun(run.run_id, "over"));
  queue.SayWaiting(run.run_id);  // of a closed run: nothing
  EXPECT_EQ(ReadRun(session_, run.run_id).state, "failed");
}

}  // namespace
}  // namespace ferry
