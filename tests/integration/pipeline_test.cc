// From the last byte of a run to a file that artists see, through everything that stands in
// between.
#include "tests/integration/pipeline.h"

namespace ferry {
namespace {

using test::Eventually;
using test::ExitsWith;
using test::Json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

using SignalPipeline = test::Pipeline;

constexpr auto kPatience = 90s;

TEST_F(SignalPipeline, ShowsNewFilesInAMountAndTellsPeople) {
  EXPECT_THAT(Mounted(), IsEmpty()) << "an hour of cache begins";
  S3({"src", "put", source_bucket(), "a=100", "b=100"});
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const std::int64_t run = LastRunId();
  EXPECT_THAT(Mounted(), IsEmpty()) << "so that it is the refresh that shows them";
  ASSERT_TRUE(Eventually([&] { return IsTold(run, "refreshed"); }, kPatience)) << hook_->err();
  EXPECT_THAT(Mounted(), ElementsAre("a", "b"));
  EXPECT_EQ(Unacknowledged(), 0);
  EXPECT_EQ(LocalCalls(), std::to_string(run) + "\n");

  const double seconds =
      static_cast<double>(Number(
          "select (1000 * extract(epoch from max(acknowledged_at) - max(required_at)))::bigint"
          " as n from bucketferry.refresh where target = 'mount'")) /
      1000;
  std::printf("from the end of the run to the acknowledged refresh: %.1f s (scrapes every %d s)\n",
              seconds, kIntervalSeconds);
  RecordProperty("seconds_to_refresh", std::to_string(seconds));

  ASSERT_TRUE(
      Eventually([&] { return IsTold(run, "started") && IsTold(run, "ended"); }, kPatience));
  std::map<std::string, Json> told;
  for (int i = 0; i < 3; ++i) {
    const Json message = Json::parse(people_.Take().body);
    told[message.at("event")] = message;
  }
  EXPECT_EQ(told["started"]["objects"]["planned"], 2);
  EXPECT_EQ(told["ended"]["state"], "complete");
  EXPECT_EQ(told["ended"]["objects"]["done"], 2);
  EXPECT_EQ(told["refreshed"]["refreshes"], Json({{"local", "done"}, {"mount", "done"}}));

  // Nothing to do: nothing refreshed, nobody told.
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const std::int64_t idle = LastRunId();
  ASSERT_TRUE(Eventually([&] { return IsTold(idle, "ended", "dropped"); }, kPatience));
  EXPECT_EQ(Required(), run);
  EXPECT_EQ(LocalCalls(), std::to_string(run) + "\n");
  EXPECT_EQ(people_.seen(), 3U);
}

TEST_F(SignalPipeline, LosesNoRefreshWhateverIsDown) {
  const auto change = [&](const std::string& key) {
    S3({"src", "put", source_bucket(), key + "=100"});
    ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0)) << key;
  };
  const auto await = [&](const std::string& key) {
    ASSERT_TRUE(Eventually([&] { return Unacknowledged() == 0; }, kPatience))
        << key << hook_->err();
    EXPECT_THAT(Mounted(), Contains(key));
    EXPECT_THAT(LocalCalls(), HasSubstr(std::to_string(Required()) + "\n"));
  };

  // The hook answers 500, and later takes it.
  gate_.Shut(true);
  change("refused");
  ASSERT_TRUE(Eventually([&] { return gate_.refused() >= 2; }, kPatience));
  EXPECT_GT(Unacknowledged(), 0);
  gate_.Shut(false);
  await("refused");

  // Alertmanager is killed after it has sent, and forgets that it did.
  change("killed");
  await("killed");
  Kill(alertmanager_);
  StartAlertmanager();
  change("after-the-kill");
  await("after-the-kill");

  // Prometheus does not see the completion happen.
  Kill(prometheus_);
  change("unseen");
  const std::int64_t unseen = Required();
  StartPrometheus();
  await("unseen");
  ASSERT_TRUE(Eventually([&] { return IsTold(unseen, "ended"); }, kPatience));

  // The hook is killed while it is asked.
  change("hook");
  Kill(hook_);
  StartHook();
  await("hook");

  EXPECT_THAT(LocalCalls(), Not(HasSubstr("overlap")));
  EXPECT_EQ(Number("select sum(failures)::bigint as n from bucketferry.refresh"), 0);
}

TEST_F(SignalPipeline, SaysThatARunFailedAndShowsWhatItHadCopied) {
  EXPECT_THAT(Mounted(), IsEmpty());
  test::Proxy proxy(environment().at("DST_ENDPOINT"));
  const std::string before = config().destination_endpoint;
  config().destination_endpoint = proxy.endpoint();
  config().transfer = "{concurrency: 1, lease: 10s, outage_patience: 2s}";
  S3({"src", "put", source_bucket(), "a=100", "b=100", "c=100"});
  proxy.Hold("PUT ", 1);
  const auto child = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return LastObjects("done") == 1; }, kPatience)) << child->err();
  proxy.Refuse(true);
  proxy.Disconnect();
  EXPECT_THAT(Checked(child->Wait()), ExitsWith(3));
  config().destination_endpoint = before;
  const std::int64_t run = LastRunId();
  EXPECT_EQ(LastRun().at("state"), "failed");

  ASSERT_TRUE(Eventually([&] { return Unacknowledged() == 0; }, kPatience)) << hook_->err();
  EXPECT_EQ(Required(), run);
  EXPECT_EQ(Mounted().size(), 1U);
  ASSERT_TRUE(Eventually([&] { return IsTold(run, "ended"); }, kPatience));
  EXPECT_TRUE(Eventually([&] { return Fires("BucketferryRunFailed", run); }, kPatience));
  EXPECT_FALSE(Fires("BucketferryRunCompleted", run));
  bool said = false;
  while (people_.seen() > 0 && !said) {
    const Json message = Json::parse(people_.Take().body);
    said = message.at("event") == "ended" && message.at("state") == "failed" &&
           !message.at("error").is_null();
  }
  EXPECT_TRUE(said);
}

TEST_F(SignalPipeline, FillsEveryPanelOfTheDashboards) {
  const auto run_and_scrape = [&](const std::vector<std::string>& objects) {
    std::vector<std::string> words = {"src", "put", source_bucket()};
    words.insert(words.end(), objects.begin(), objects.end());
    S3(words);
    ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
    const std::string last = std::to_string(LastRunId());
    ASSERT_TRUE(Eventually(
        [&] { return !Query("bucketferry_task_last_completed_run_id == " + last).empty(); },
        kPatience));
  };
  // Rates want two scrapes that differ.
  run_and_scrape({"a=100", "large=7000000"});
  run_and_scrape({"b=100", "larger=8000000"});
  run_and_scrape({"c=100"});
  const test::Finished asked =
      test::Child({"/usr/bin/python3", "-B", FERRY_SOURCE_DIR "/tests/grafana/query_panels.py",
                   "--prometheus", "http://127.0.0.1:" + std::to_string(port_), "--task", "media"},
                  environment(), dir())
          .Wait();
  EXPECT_THAT(asked, ExitsWith(0));
}

}  // namespace
}  // namespace ferry
