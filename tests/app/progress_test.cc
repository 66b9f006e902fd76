#include "batch/app/progress.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

using std::chrono::milliseconds;

SteadyTime At(int ms) { return SteadyTime(milliseconds(ms)); }

RunState Copying() {
  RunState run;
  run.state = "copying";
  run.totals.planned = 10;
  run.totals.done = 3;
  run.totals.bytes_planned = 2LL << 30;
  run.totals.bytes_done = 1LL << 29;
  return run;
}

TEST(Pace, IsWhatCameBetweenLooksAndNotWhatWasThereBefore) {
  Pace pace;
  pace.Look(At(0), 1'000'000'000);
  EXPECT_EQ(pace.bytes_per_second(), 0);
  pace.Look(At(2000), 1'000'004'000);
  EXPECT_DOUBLE_EQ(pace.bytes_per_second(), 2000);
}

TEST(Pace, FollowsSlowly) {
  Pace pace;
  pace.Look(At(0), 0);
  pace.Look(At(1000), 1000);
  pace.Look(At(2000), 1000);
  EXPECT_DOUBLE_EQ(pace.bytes_per_second(), 700);
}

TEST(Pace, TwoLooksInARowSayNothing) {
  Pace pace;
  pace.Look(At(0), 0);
  pace.Look(At(1000), 1000);
  pace.Look(At(1001), 9000);
  EXPECT_DOUBLE_EQ(pace.bytes_per_second(), 1000);
  pace.Look(At(2000), 9000);
  EXPECT_DOUBLE_EQ(pace.bytes_per_second(), 0.7 * 1000 + 0.3 * 8000);
}

TEST(ProgressLine, CountsWhatHasComeOverOfObjectsThatAreNotDone) {
  RunState run = Copying();
  EXPECT_EQ(ProgressLine("media", run, 0), "media: 3 of 10 objects, 512.0 MiB of 2.0 GiB, 0 B/s");
  run.bytes_under_way = 1LL << 29;
  EXPECT_EQ(ProgressLine("media", run, 10 << 20),
            "media: 3 of 10 objects, 1.0 GiB of 2.0 GiB, 10.0 MiB/s, 1m42s left");
}

TEST(ProgressLine, OfATaskOutsideItsWindowSaysUntilWhen) {
  RunState run;
  run.state = "copying";
  run.totals.planned = 10;
  run.totals.done = 3;
  run.totals.bytes_planned = 1 << 20;
  EXPECT_EQ(ProgressLine("media", run, 1024, "outside its window until 22:00 (UTC)"),
            "media: 3 of 10 objects, 0 B of 1.0 MiB, 1.0 KiB/s, outside its window until 22:00 "
            "(UTC)");
}

TEST(ProgressLine, OfAPlanThatGoesOnPromisesNoEnd) {
  RunState run = Copying();
  run.state = "planning";
  run.totals.dead = 1;
  run.totals.retry_wait = 2;
  EXPECT_EQ(ProgressLine("media", run, 1 << 20),
            "media: 3 of 10+ objects, 512.0 MiB of 2.0 GiB, 1.0 MiB/s, 1 dead, 2 waiting");
}

}  // namespace
}  // namespace ferry
