// What a task may do at which hour, by the clock on the wall of its zone and ours in between.
#include "batch/app/task_hours.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_worker.h"

namespace ferry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint8_t kWorkdays = 0x1F;
constexpr std::uint64_t kNoLimit = UINT64_MAX;

constexpr int Clock(int hour) { return hour * 60; }

class TaskHoursTest : public testing::Test {
 protected:
  TaskHours& Make(std::vector<BandwidthLimit> bandwidth, std::vector<WeekHours> window) {
    Config config;
    config.tasks.resize(2);
    config.tasks[0].name = "media";
    config.tasks[0].timezone = "Asia/Shanghai";
    config.tasks[0].bandwidth = std::move(bandwidth);
    config.tasks[0].window = std::move(window);
    config.tasks[1].name = "free";
    return hours_.emplace(config, clock_);
  }
  // The clock on the wall shows this hour of that day.
  void Show(int day, int hour, int workers = 1) {
    hours_->Learn({{"media", {hours(24 * day + hour), workers}}});
  }
  // In KiB a second, of which bodies may be 30 s long.
  double Rate() {
    const std::uint64_t max = hours_->BodyBytesMax("media");
    return max == kNoLimit ? -1 : static_cast<double>(max) / 30 / 1024;
  }

  test::TickedClock clock_;
  std::optional<TaskHours> hours_;
};

TEST_F(TaskHoursTest, ATaskWithoutLimitsHasNone) {
  Make({{WeekHours{}, 1 << 20}}, {});
  EXPECT_EQ(hours_->BucketOf("free"), nullptr);
  EXPECT_EQ(hours_->Closed("free"), "");
  EXPECT_EQ(hours_->BodyBytesMax("free"), kNoLimit);
  EXPECT_NE(hours_->BucketOf("media"), nullptr);
}

TEST_F(TaskHoursTest, TheLimitFollowsTheTimetable) {
  Make({{{kWorkdays, Clock(8), Clock(19)}, 10 << 10}, {{kWorkdays, 0, Clock(24)}, 200 << 10}}, {});
  Show(0, 12);
  EXPECT_EQ(Rate(), 10);
  Show(0, 20);
  EXPECT_EQ(Rate(), 200);
  Show(6, 12);
  EXPECT_EQ(Rate(), -1) << "no entry applies";
}

TEST_F(TaskHoursTest, TheLiveWorkersShareIt) {
  Make({{WeekHours{}, 100 << 10}}, {});
  Show(0, 12, 4);
  EXPECT_EQ(Rate(), 25);
  Show(0, 12, 1000);
  EXPECT_EQ(Rate(), 1) << "less than servers bear";
}

TEST_F(TaskHoursTest, BetweenTwoWordsOfTheDatabaseOurClockGoesOn) {
  Make({{{kWorkdays, Clock(8), Clock(19)}, 10 << 10}},
       {{WeekHours::kEveryDay, Clock(22), Clock(6)}});
  Show(4, 18);  // Friday
  EXPECT_EQ(Rate(), 10);
  EXPECT_NE(hours_->Closed("media"), "");
  clock_.Advance(hours(4));
  EXPECT_EQ(Rate(), -1);
  EXPECT_EQ(hours_->Closed("media"), "");
  clock_.Advance(hours(24 * 3 - 8));  // over the end of the week
  EXPECT_EQ(Rate(), 10);
}

TEST_F(TaskHoursTest, ASummerTimeHourIsKnownWithTheNextWord) {
  Make({}, {{WeekHours::kEveryDay, Clock(3), Clock(4)}});
  Show(6, 1);
  clock_.Advance(minutes(59));
  Show(6, 3);  // 02:00 was left out
  EXPECT_EQ(hours_->Closed("media"), "");
  Show(6, 2);  // or comes again
  EXPECT_NE(hours_->Closed("media"), "");
}

TEST_F(TaskHoursTest, SaysUntilWhenAWindowIsClosed) {
  Make({}, {{kWorkdays, Clock(22), Clock(6)}});
  Show(0, 12);
  EXPECT_EQ(hours_->Closed("media"), "outside its window until 22:00 (Asia/Shanghai)");
  Show(5, 12);
  EXPECT_EQ(hours_->Closed("media"), "outside its window until Mon 22:00 (Asia/Shanghai)");
  Show(5, 5);
  EXPECT_EQ(hours_->Closed("media"), "");
}

TEST_F(TaskHoursTest, MoreBodiesMayBeUnderWayWhereTheyDoNotUseUpTheLimit) {
  Make({{WeekHours{}, 100 << 10}}, {});
  Show(0, 12);
  EXPECT_EQ(Rate(), 100);
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    Rate();
  }
  EXPECT_GT(Rate(), 500) << "each of them comes slowly";
  TokenBucket& bucket = *hours_->BucketOf("media");
  bucket.TakePlace(std::uint64_t{1} << 30, clock_.SteadyNow());
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    Rate();
  }
  EXPECT_EQ(Rate(), 100) << "they wait for each other";
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(minutes(10));
    EXPECT_EQ(Rate(), 100) << "there was nothing to be started";
  }
}

TEST_F(TaskHoursTest, BeforeTheDatabaseSaidWhatTimeItIsTheSmallestLimitHoldsAndNoWindowIsOpen) {
  Make({{{kWorkdays, Clock(8), Clock(19)}, 200 << 10}, {WeekHours{}, 10 << 10}}, {WeekHours{}});
  EXPECT_EQ(Rate(), 10);
  EXPECT_EQ(hours_->Closed("media"), "the database has not said yet what time it is");
}

TEST_F(TaskHoursTest, TheBucketFlowsAtTheLimitOfTheHour) {
  Make({{{kWorkdays, Clock(8), Clock(19)}, 64 << 10}}, {});
  Show(0, 18);
  TokenBucket& bucket = *hours_->BucketOf("media");
  EXPECT_EQ(bucket.PieceBytes(clock_.SteadyNow()), 16U << 10);
  clock_.Advance(hours(2));
  EXPECT_GT(bucket.PieceBytes(clock_.SteadyNow()), std::size_t{1} << 30);
}

}  // namespace
}  // namespace ferry
