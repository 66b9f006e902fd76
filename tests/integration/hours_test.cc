// Bandwidth, windows and time zones, as a whole program keeps to them.
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::Child;
using test::ExitsWith;
using test::Finished;
using test::Json;
using namespace std::chrono_literals;
using testing::HasSubstr;

class Hours : public test::Voyage {
 protected:
  // A window of two hours that the time of the test is not in, whatever time it is.
  std::string ClosedWindow() {
    const std::int64_t hour = std::chrono::duration_cast<std::chrono::hours>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count() %
                              24;
    const auto text = [](std::int64_t h) {
      return (h % 24 < 10 ? "0" : "") + std::to_string(h % 24) + ":00";
    };
    return ", window: \"" + text(hour + 6) + "-" + text(hour + 8) + "\"";
  }
  std::size_t Lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
};

TEST_F(Hours, ATaskWithABandwidthBringsEverythingExactly) {
  Fill({"--small", "40", "--large", "6m", "2m"});
  task().more =
      ", timezone: Asia/Shanghai, bandwidth: [{days: mon-sun, hours: \"00:00-12:00\", "
      "limit: 4MiB}, {limit: 5MiB}]";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
  EXPECT_EQ(LastRun()["state"], "complete");
  const Finished verify = Bucketferry({"verify", "--deep"});
  EXPECT_THAT(verify, ExitsWith(0));
}

TEST_F(Hours, AStreamOfAFewKibibytesASecondIsNotTakenForADeadOne) {
  S3({"src", "put", source_bucket(), "small=30000", "other=9000"});
  task().more = ", bandwidth: 8KiB";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
  EXPECT_EQ(LastRun()["retries"], 0);
}

TEST_F(Hours, OutsideItsWindowARunIsPlannedAndWaits) {
  S3({"src", "put", source_bucket(), "a=10", "b=10"});
  task().more = ClosedWindow();
  const auto run = Start({"run"});
  ASSERT_TRUE(test::Eventually([&] {
    return run->err().find("nothing new is started: outside its window until") != std::string::npos;
  })) << run->err();
  ASSERT_TRUE(test::Eventually([&] {
    const Json last = LastRun();
    return !last.is_null() && last["state"] == "copying" && last["objects"]["pending"] == 2;
  }));
  EXPECT_THAT(Bucketferry({"status"}).out, HasSubstr("outside its window until"));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
  run->Signal(SIGTERM);
  EXPECT_THAT(Checked(run->Wait(30s)), ExitsWith(5));
  // What it had planned comes over once nothing keeps it.
  task().more = "";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  ExpectEqualBuckets();
}

TEST_F(Hours, AWorkerAloneWaitsForTheWindowToo) {
  S3({"src", "put", source_bucket(), "a=10"});
  task().more = ClosedWindow();
  EXPECT_THAT(Bucketferry({"plan"}), ExitsWith(0));
  const Finished work = Bucketferry({"work", "--for", "3s"});
  EXPECT_THAT(work, ExitsWith(5));
  EXPECT_THAT(work.err, HasSubstr("outside its window until"));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
}

TEST_F(Hours, ATimeZoneThatTheDatabaseDoesNotHaveIsOneClearLine) {
  S3({"src", "put", source_bucket(), "a=10"});
  task().more = ", timezone: Asia/Shangai, bandwidth: 1MiB";
  EXPECT_THAT(Bucketferry({"check"}).out, HasSubstr("will be created"));
  const Finished run = Bucketferry({"run", "--log-level", "error"});
  EXPECT_THAT(run, ExitsWith(2));
  EXPECT_THAT(run.err, HasSubstr("task media: timezone: the database knows no time zone "
                                 "\"Asia/Shangai\""));
  EXPECT_EQ(Lines(run.err), 1U) << run.err;
  const Finished check = Bucketferry({"check"});
  EXPECT_THAT(check, ExitsWith(3));
  EXPECT_THAT(check.out, HasSubstr("no time zone \"Asia/Shangai\""));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "");
}

}  // namespace
}  // namespace ferry
