// What the exporter says while a run goes on and afterwards.
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <optional>

#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::Eventually;
using test::ExitsWith;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Exporter : public test::Voyage {
 protected:
  void StartExporter(std::vector<std::string> options = {}) {
    options.insert(options.end(), {"--listen", "127.0.0.1:0"});
    exporter_ = Start(options, "bucketferry-exporter");
    ASSERT_TRUE(Eventually([&] {
      const std::string log = exporter_->err();
      const std::size_t at = log.find("address=127.0.0.1:");
      if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
      port_ = static_cast<Poco::UInt16>(std::stoi(log.substr(at + 18)));
      return true;
    })) << exporter_->err();
  }

  void StopExporter() {
    exporter_->Signal(SIGTERM);
    EXPECT_THAT(Checked(exporter_->Wait(30s)), ExitsWith(0));
  }

  std::string Get(const std::string& path, int expected_status = 200) {
    return Ask("GET", path, expected_status);
  }
  // As Prometheus does, and nobody else.
  std::string ScrapeAsPrometheus() { return Ask("GET", "/metrics", 200, "10"); }

  std::string Ask(const std::string& method, const std::string& path, int expected_status,
                  const std::string& scrape_timeout = "") {
    Poco::Net::HTTPClientSession session("127.0.0.1", port_);
    session.setTimeout(Poco::Timespan(15, 0));
    Poco::Net::HTTPRequest request(method, path, "HTTP/1.1");
    if (!scrape_timeout.empty()) {
      request.set("X-Prometheus-Scrape-Timeout-Seconds", scrape_timeout);
    }
    session.sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::ostringstream body;
    body << session.receiveResponse(response).rdbuf();
    EXPECT_EQ(response.getStatus(), expected_status) << path;
    return body.str();
  }

  // bucketferry_NAME{task="media"}; nullopt where the page does not have it.
  static std::optional<double> Value(const std::string& page, const std::string& series) {
    const std::string line = "\nbucketferry_" + series + " ";
    const std::size_t at = page.find(line);
    if (at == std::string::npos) return std::nullopt;
    return std::stod(page.substr(at + line.size()));
  }
  static std::string Storage(const std::string& name, const std::string& side,
                             const std::string& operation, const std::string& more = "") {
    return "storage_" + name + "{task=\"media\",side=\"" + side + "\",operation=\"" + operation +
           "\"" + more + "}";
  }
  std::optional<double> Scrape(const std::string& series) { return Value(Get("/metrics"), series); }

  void TellToEnd() {
    exporter_->Signal(SIGTERM);
    ASSERT_TRUE(Eventually([&] {
      return exporter_->err().find("exporter lingers") != std::string::npos;
    })) << exporter_->err();
  }
  void ExpectEnd(const std::string& why) {
    const test::Finished finished = Checked(exporter_->Wait(30s));
    EXPECT_THAT(finished, ExitsWith(0));
    EXPECT_THAT(finished.err, HasSubstr("exporter stops reason=" + why));
  }

  std::unique_ptr<test::Child> exporter_;
  Poco::UInt16 port_ = 0;
};

TEST_F(Exporter, HasTheSeriesOfATaskBeforeItsFirstRun) {
  StartExporter();
  ASSERT_TRUE(Eventually([&] { return Scrape("up") == 1.0; })) << exporter_->err();
  const std::string page = Get("/metrics");
  EXPECT_EQ(Value(page, "jobs{task=\"media\",state=\"pending\"}"), 0.0) << page;
  EXPECT_EQ(Value(page, "task_active{task=\"media\"}"), 0.0);
  EXPECT_EQ(Value(page, "task_last_completed_run_id{task=\"media\"}"), 0.0);
  StopExporter();
}

TEST_F(Exporter, FollowsARun) {
  test::Proxy proxy(environment().at("DST_ENDPOINT"));
  config().destination_endpoint = proxy.endpoint();
  config().transfer = "{concurrency: 2}";
  S3({"src", "put", source_bucket(), "a=100", "b=100", "c=100", "d=100", "e=100"});
  StartExporter();
  proxy.Hold("PUT ", 2);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] {
    return Scrape("objects_copied_total{task=\"media\"}") == 2.0 ||
           Scrape("jobs{task=\"media\",state=\"in_flight\"}").value_or(0) >= 2.0;
  })) << Get("/metrics");
  const std::string during = Get("/metrics");
  EXPECT_EQ(Value(during, "task_active{task=\"media\"}"), 1.0);
  EXPECT_EQ(Value(during, "task_last_completed_run_id{task=\"media\"}"), 0.0);
  const auto started = Value(during, "task_last_started_run_id{task=\"media\"}");
  EXPECT_GT(started.value_or(0), 0.0);
  const double left = Value(during, "jobs{task=\"media\",state=\"pending\"}").value_or(-100) +
                      Value(during, "jobs{task=\"media\",state=\"in_flight\"}").value_or(-100);
  EXPECT_GE(left, 3.0) << during;
  EXPECT_GE(Value(during, "workers{task=\"media\"}").value_or(0), 1.0);

  proxy.Release();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  const std::string after = Get("/metrics");
  EXPECT_EQ(Value(after, "task_active{task=\"media\"}"), 0.0);
  EXPECT_EQ(Value(after, "task_last_completed_run_id{task=\"media\"}"), started);
  EXPECT_EQ(Value(after, "task_last_run_success{task=\"media\"}"), 1.0);
  EXPECT_EQ(Value(after, "jobs{task=\"media\",state=\"pending\"}"), 0.0);
  EXPECT_EQ(Value(after, "jobs{task=\"media\",state=\"in_flight\"}"), 0.0);
  EXPECT_EQ(Value(after, "objects_copied_total{task=\"media\"}"), 5.0);
  EXPECT_EQ(Value(after, "bytes_copied_total{task=\"media\"}"), 500.0);
  EXPECT_EQ(Value(after, "runs_total{task=\"media\"}"), 1.0);
  const double now = Value(after, "database_time_seconds").value_or(0);
  const double completed =
      Value(after, "task_last_completion_timestamp_seconds{task=\"media\"}").value_or(0);
  EXPECT_GE(now, completed);
  EXPECT_LT(now - completed, 60.0);

  EXPECT_THAT(Get("/-/healthy"), HasSubstr(""));
  EXPECT_THAT(Get("/-/ready"), HasSubstr(""));
  EXPECT_THAT(Get("/"), HasSubstr("<title>bucketferry</title>"));
  EXPECT_THAT(Get("/status.json"), HasSubstr("\"task\":\"media\",\"active\":false"));
  Get("/nowhere", 404);
  StopExporter();
}

// As a sidecar: it is told to end when the batch has ended, or with it.
TEST_F(Exporter, LingersUntilTheEndOfARunWasScrapedTwice) {
  test::Proxy proxy(environment().at("DST_ENDPOINT"));
  config().destination_endpoint = proxy.endpoint();
  config().transfer = "{concurrency: 2}";
  S3({"src", "put", source_bucket(), "a=100", "b=100", "c=100"});
  StartExporter({"--linger", "10m"});
  proxy.Hold("PUT ", 0);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] { return Scrape("task_active{task=\"media\"}") == 1.0; }));
  TellToEnd();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Value(ScrapeAsPrometheus(), "task_active{task=\"media\"}"), 1.0);
  }
  Get("/-/healthy");
  Get("/-/ready");
  proxy.Release();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  EXPECT_EQ(Value(Get("/metrics"), "task_active{task=\"media\"}"), 0.0);
  EXPECT_TRUE(exporter_->IsRunning());
  EXPECT_EQ(Value(ScrapeAsPrometheus(), "task_last_run_success{task=\"media\"}"), 1.0);
  EXPECT_TRUE(exporter_->IsRunning());
  EXPECT_EQ(Value(ScrapeAsPrometheus(), "task_last_run_success{task=\"media\"}"), 1.0);
  ExpectEnd("\"the final state was scraped\" final_scrapes=2");
}

TEST_F(Exporter, LingersNoLongerThanTheLimit) {
  StartExporter({"--linger", "1s"});
  TellToEnd();
  ExpectEnd("\"the limit to linger for\"");
}

TEST_F(Exporter, EndsAtOnceAfterAnotherSignalOrWhenToldTo) {
  StartExporter({"--linger", "10m"});
  TellToEnd();
  exporter_->Signal(SIGTERM);
  ExpectEnd("\"a second SIGTERM\"");
  StartExporter({"--linger", "10m"});
  exporter_->Signal(SIGINT);
  ExpectEnd("SIGINT");
  StartExporter();
  Ask("POST", "/-/quit", 200);
  ExpectEnd("\"POST /-/quit\"");
  StartExporter();
  exporter_->Signal(SIGTERM);
  ExpectEnd("SIGTERM");
}

TEST_F(Exporter, CountsDeadObjectsOfAnIncompleteRun) {
  S3({"src", "put", source_bucket(), "unreadable-key=10"});
  S3({"src", "acl", source_bucket(), "public-read"});
  config().source_credentials = "{anonymous: true}";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(1));
  StartExporter();
  ASSERT_TRUE(Eventually([&] { return Scrape("up") == 1.0; }));
  const std::string page = Get("/metrics");
  EXPECT_EQ(Value(page, "jobs{task=\"media\",state=\"dead\"}"), 1.0) << page;
  EXPECT_EQ(Value(page, "task_last_run_success{task=\"media\"}"), 0.0);
  EXPECT_GT(Value(page, "task_last_completed_run_id{task=\"media\"}").value_or(0), 0.0);
  EXPECT_EQ(Value(page, "task_last_success_timestamp_seconds{task=\"media\"}"), 0.0);
  EXPECT_EQ(page.find("unreadable-key"), std::string::npos) << "a key on the page";
  StopExporter();
}

TEST_F(Exporter, CountsTheRequestsOfRunsThatAreOver) {
  S3({"src", "put", source_bucket(), "a=100", "b=200", "c=300", "d=0"});
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  StartExporter();
  ASSERT_TRUE(Eventually([&] { return Scrape("up") == 1.0; })) << exporter_->err();
  const std::string first = Get("/metrics");
  EXPECT_EQ(Value(first, Storage("requests_total", "destination", "put")), 4.0) << first;
  EXPECT_EQ(Value(first, Storage("requests_total", "source", "get")), 4.0);
  EXPECT_EQ(Value(first, Storage("requests_total", "source", "list")), 1.0);
  EXPECT_EQ(Value(first, Storage("request_errors_total", "destination", "put")), 0.0);
  EXPECT_EQ(Value(first, Storage("request_duration_seconds_count", "destination", "put")), 4.0);
  EXPECT_GT(Value(first, Storage("request_duration_seconds_sum", "destination", "put")), 0.0);
  EXPECT_EQ(Value(first,
                  Storage("request_duration_seconds_bucket", "destination", "put", ",le=\"+Inf\"")),
            4.0);
  for (const std::string reason :
       {"throttle", "timeout", "server", "network", "checksum", "changed", "other"}) {
    EXPECT_EQ(Value(first, "retries_total{task=\"media\",reason=\"" + reason + "\"}"), 0.0);
  }
  EXPECT_EQ(Number("select count(*) as n from bucketferry.request_total where process <> ''"), 0);

  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const std::string second = Get("/metrics");
  EXPECT_EQ(Value(second, Storage("requests_total", "destination", "put")), 4.0);
  EXPECT_EQ(Value(second, Storage("requests_total", "source", "list")), 2.0);
  StopExporter();
}

TEST_F(Exporter, CountsRetriesByWhatWentWrong) {
  test::Proxy source(environment().at("SRC_ENDPOINT"));
  test::Proxy destination(environment().at("DST_ENDPOINT"));
  config().source_endpoint = source.endpoint();
  config().destination_endpoint = destination.endpoint();
  S3({"src", "put", source_bucket(), "a=100", "b=100"});
  source.Throttle("list-type=2", 2);
  source.LoseAnswers("list-type=2", 1, test::Proxy::Lost::kCut);
  destination.LoseAnswers("PUT ", 1, test::Proxy::Lost::kCut);
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  StartExporter();
  ASSERT_TRUE(Eventually([&] { return Scrape("up") == 1.0; })) << exporter_->err();
  const std::string page = Get("/metrics");
  const auto retries = [&](const std::string& reason) {
    return Value(page, "retries_total{task=\"media\",reason=\"" + reason + "\"}");
  };
  EXPECT_EQ(retries("throttle"), 2.0) << page;
  EXPECT_EQ(retries("network"), 2.0) << "a list, and an object";
  EXPECT_EQ(retries("server"), 0.0);
  EXPECT_EQ(Value(page, Storage("requests_total", "source", "list")), 4.0);
  EXPECT_EQ(Value(page, Storage("request_errors_total", "source", "list")), 3.0);
  EXPECT_EQ(Value(page, Storage("request_errors_total", "destination", "put")), 1.0);
  EXPECT_EQ(Value(page, Storage("request_errors_total", "source", "get")), 0.0);
  StopExporter();
}

TEST_F(Exporter, KeepsTheNumbersOfAProcessThatIsKilled) {
  test::Proxy proxy(environment().at("DST_ENDPOINT"));
  config().destination_endpoint = proxy.endpoint();
  S3({"src", "put", source_bucket(), "a=100", "b=100", "c=100"});
  StartExporter();
  proxy.Hold("PUT ", 1);
  const auto run = Start({"run"});
  const std::string puts = Storage("requests_total", "destination", "put");
  ASSERT_TRUE(Eventually([&] { return Scrape(puts) == 1.0; })) << Get("/metrics");
  run->Signal(SIGKILL);
  run->Wait();
  EXPECT_EQ(Scrape(puts), 1.0);
  StopExporter();
}

TEST_F(Exporter, FollowsALargeObjectWhileItIsUnderWay) {
  constexpr double kMiB = 1 << 20;
  test::Proxy proxy(environment().at("DST_ENDPOINT"));
  config().destination_endpoint = proxy.endpoint();
  S3({"src", "put", source_bucket(), "large=20971520"});
  StartExporter();
  proxy.Hold("partNumber=", 2);
  const auto run = Start({"run"});
  ASSERT_TRUE(Eventually([&] {
    return Scrape("task_run_final_bytes{task=\"media\"}") == 10 * kMiB;
  })) << Get("/metrics");
  const std::string during = Get("/metrics");
  EXPECT_EQ(Value(during, "task_run_planned_bytes{task=\"media\"}"), 20 * kMiB);
  EXPECT_EQ(Value(during, "in_flight_bytes{task=\"media\"}"), 10 * kMiB);
  EXPECT_EQ(Value(during, "bytes_copied_total{task=\"media\"}"), 0.0);
  EXPECT_EQ(Value(during, "task_run_final_objects{task=\"media\"}"), 0.0);
  // And so do the lines of the run itself, every ten seconds.
  EXPECT_TRUE(Eventually([&] {
    return run->err().find(" bytes=10485760 bytes_planned=20971520") != std::string::npos;
  })) << run->err();
  proxy.Release();
  EXPECT_THAT(Checked(run->Wait()), ExitsWith(0));
  const std::string after = Get("/metrics");
  EXPECT_EQ(Value(after, "bytes_copied_total{task=\"media\"}"), 20 * kMiB);
  EXPECT_EQ(Value(after, "task_run_final_bytes{task=\"media\"}"), 0.0);
  EXPECT_EQ(Value(after, Storage("requests_total", "destination", "upload_part")), 4.0);
  StopExporter();
}

TEST_F(Exporter, SaysThatCredentialsAreRefusedUntilTheyAreNot) {
  const std::string right = config().source_credentials;
  config().source_credentials = "{access_key_id: nobody, secret_access_key: nothing}";
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(3));
  StartExporter();
  ASSERT_TRUE(Eventually([&] { return Scrape("up") == 1.0; })) << exporter_->err();
  const auto refused = [&](const std::string& side) {
    return Scrape("task_credentials_refused{task=\"media\",side=\"" + side + "\"}");
  };
  EXPECT_EQ(refused("source"), 1.0);
  EXPECT_EQ(refused("destination"), 0.0);
  config().source_credentials = right;
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(refused("source"), 0.0);
  StopExporter();
}

TEST_F(Exporter, SaysThatABadConfigurationIsBad) {
  config().before = "tasc: []\n";
  const auto exporter = Start({"--listen", "127.0.0.1:0"}, "bucketferry-exporter");
  const test::Finished finished = Checked(exporter->Wait(30s));
  EXPECT_THAT(finished, ExitsWith(2));
  EXPECT_THAT(finished.err, HasSubstr("tasc"));
}

}  // namespace
}  // namespace ferry
