// The server over real sockets, with and without a database.
#include "exporter/http_server.h"

#include <Poco/Exception.h>
#include <Poco/InflatingStream.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "batch/base/error.h"
#include "batch/pg/migrator.h"
#include "batch/serve/bearer.h"
#include "batch/serve/bounded_socket.h"
#include "tests/exporter/exporter_fixture.h"
#include "tests/support/test_database.h"

namespace ferry::exporter {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  Poco::Net::HTTPResponse headers;
  std::string body;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret("postgresql://nobody@127.0.0.1:1/none");
  }

  void UseDatabase() {
    test_database_ = std::make_unique<test::TestDatabase>();
    config_.database.uri = Secret(test_database_->options().uri);
    config_.database_schema = test_database_->schema();
    pg::Session session(test_database_->options());
    pg::EnsureSchema(session, pg::SchemaPolicy::kMigrate);
    session.Transact([](pg::Transaction& tx) {
      tx.ExecuteScript(
          "insert into bucketferry.task (name, source_store, source_bucket, source_prefix,"
          "  destination_store, destination_bucket, destination_prefix)"
          " values ('media', 's', 'b', '', 'd', 'b', '');"
          "insert into bucketferry.run (run_id, task_id, task_name, kind, state, finished_at,"
          "  error, dead) values (7, 1, 'media', 'scheduled', 'incomplete',"
          "  clock_timestamp(), 'why it is so', 1);"
          "create table if not exists bucketferry.job_all partition of bucketferry.job default;"
          "insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
          "  source_etag, source_modified_at, finished_at, error) values (7, 1, 'secret/key',"
          "  'copy', 'missing', 'dead', 1, 'e', now(), now(), 'refused by the bucket')",
          "test");
    });
  }

  void Start(const ConnectionBounds& bounds = {}) {
    endpoints_ = std::make_unique<Endpoints>(config_, database_, clock_, Secret("let me in"),
                                             ending_, stop_.get_token());
    server_ = std::make_unique<HttpServer>("127.0.0.1:0", *endpoints_, bounds);
  }

  Poco::UInt16 Port() const { return Poco::Net::SocketAddress(server_->address()).port(); }

  Answer Ask(const std::string& method, const std::string& path, const Headers& headers = {}) {
    Poco::Net::HTTPClientSession client("127.0.0.1", Port());
    client.setTimeout(Poco::Timespan(20, 0));
    Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
    for (const auto& [name, value] : headers) request.set(name, value);
    client.sendRequest(request);
    Answer answer;
    std::istream& body = client.receiveResponse(answer.headers);
    answer.status = static_cast<int>(answer.headers.getStatus());
    Poco::StreamCopier::copyToString(body, answer.body);
    return answer;
  }
  Answer Get(const std::string& path, const Headers& headers = {}) {
    return Ask("GET", path, headers);
  }

  Poco::Net::StreamSocket Connect() const {
    return Poco::Net::StreamSocket(Poco::Net::SocketAddress("127.0.0.1", Port()));
  }

  // What the server says to these bytes, until it closes.
  std::string Send(const std::string& bytes) {
    Poco::Net::StreamSocket socket = Connect();
    socket.setReceiveTimeout(Poco::Timespan(20, 0));
    std::string answer;
    try {
      for (std::size_t sent = 0; sent < bytes.size();) {
        sent += static_cast<std::size_t>(socket.sendBytes(
            bytes.data() + sent, static_cast<int>(bytes.size() - sent), MSG_NOSIGNAL));
      }
      socket.shutdownSend();
      char buffer[4096];
      for (int n; (n = socket.receiveBytes(buffer, sizeof(buffer))) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(n));
      }
    } catch (const Poco::Exception&) {  // it closed with bytes of ours unread
    }
    return answer;
  }

  SystemClock clock_;
  std::stop_source stop_;
  std::unique_ptr<test::TestDatabase> test_database_;
  Config config_ = test::MakeConfig({"media"});
  Database database_{config_, clock_};
  Ending ending_{clock_, 1h, [] {}};
  std::unique_ptr<Endpoints> endpoints_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, IsHealthyButNotReadyWithoutADatabase) {
  Start();
  EXPECT_EQ(Get("/-/healthy").status, 200);
  EXPECT_EQ(Get("/-/ready").status, 503);
  const Answer metrics = Get("/metrics?x=y");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(test::ValueOf(metrics.body, "bucketferry_up"), "0");
  EXPECT_THAT(metrics.body, Not(HasSubstr("task=")));
  const Answer status = Get("/status.json");
  EXPECT_EQ(status.status, 503);
  EXPECT_THAT(status.body, HasSubstr("\"problem\":"));
  EXPECT_THAT(status.body, Not(HasSubstr("\"tasks\"")));
  EXPECT_EQ(Get("/objects.json?task=media").status, 503);
  EXPECT_EQ(Get("/").status, 200);
}

TEST_F(HttpServerTest, ServesPrometheusText) {
  UseDatabase();
  Start();
  EXPECT_EQ(Get("/-/ready").status, 200);
  const Answer metrics = Get("/metrics", {{"X-Prometheus-Scrape-Timeout-Seconds", "10.0"}});
  EXPECT_EQ(metrics.headers.getContentType(), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(metrics.headers.getContentLength(), static_cast<int>(metrics.body.size()));
  EXPECT_EQ(test::ValueOf(metrics.body, "bucketferry_up"), "1");
  EXPECT_EQ(test::ValueOf(metrics.body, "bucketferry_jobs{task=\"media\",state=\"dead\"}"), "1");
}

TEST_F(HttpServerTest, AScrapeThatHasNoTimeSaysThatItHasNoNumbers) {
  UseDatabase();
  Start();
  const Answer metrics = Get("/metrics", {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}});
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(test::ValueOf(metrics.body, "bucketferry_up"), "0");
  EXPECT_THAT(metrics.body, Not(HasSubstr("task=")));
}

TEST_F(HttpServerTest, CompressesWhereThatIsAccepted) {
  UseDatabase();
  Start();
  const Answer packed = Get("/metrics", {{"Accept-Encoding", "deflate, gzip;q=0.8"}});
  EXPECT_EQ(packed.headers.get("Content-Encoding", ""), "gzip");
  std::istringstream bytes(packed.body);
  Poco::InflatingInputStream unpack(bytes, Poco::InflatingStreamBuf::STREAM_GZIP);
  std::string body;
  Poco::StreamCopier::copyToString(unpack, body);
  EXPECT_EQ(test::ValueOf(body, "bucketferry_up"), "1");
  EXPECT_EQ(Get("/metrics", {{"Accept-Encoding", "gzip;q=0"}}).headers.get("Content-Encoding", ""),
            "");
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  const std::string answer = Send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("bucketferry_up")));
}

TEST_F(HttpServerTest, KnowsNoOtherPathsAndMethods) {
  Start();
  EXPECT_EQ(Get("/metrics/").status, 404);
  EXPECT_EQ(Get("/../etc/passwd").status, 404);
  const Answer post = Ask("POST", "/metrics");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.headers.get("Allow", ""), "GET, HEAD");
  EXPECT_EQ(Get("/-/quit").headers.get("Allow", ""), "POST");
  EXPECT_EQ(Get("/%zz").status, 400);
}

TEST_F(HttpServerTest, ShowsKeysToThisHostOnly) {
  UseDatabase();
  Start();
  const std::string objects = "/objects.json?task=media";
  EXPECT_THAT(Get("/status.json").body, HasSubstr("why it is so"));
  EXPECT_THAT(Get(objects).body, HasSubstr("secret/key"));
  EXPECT_THAT(Get(objects).body, HasSubstr("refused by the bucket"));
  const std::vector<Headers> elsewhere = {
      {{"X-Forwarded-For", "192.0.2.1"}},
      {{"Forwarded", "for=192.0.2.1"}},
      {{"Host", "rebound.example"}},
      {{"Host", "10.1.2.3:9847"}},  // forwarded from there
      {{"Host", "[2001:db8::1]:9847"}},
      {{"Host", "rebound.example"}, {"Authorization", "Bearer let me iN"}}};
  for (const Headers& headers : elsewhere) {
    const Answer there = Get("/status.json", headers);
    EXPECT_EQ(there.status, 200);
    EXPECT_THAT(there.body, HasSubstr("incomplete"));
    EXPECT_THAT(there.body, Not(HasSubstr("why it is so")));
    EXPECT_EQ(there.body.find("\"token_refused\":true") != std::string::npos, headers.size() > 1);
    const Answer refused = Get(objects, headers);
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, Not(HasSubstr("secret/key")));
  }
  const Headers with_token = {{"X-Forwarded-For", "192.0.2.1"},
                              {"Authorization", "Bearer let me in"}};
  EXPECT_THAT(Get("/status.json", with_token).body, HasSubstr("why it is so"));
  EXPECT_THAT(Get(objects, with_token).body, HasSubstr("secret/key"));
}

TEST_F(HttpServerTest, ThePageRunsOnlyWhatStandsInIt) {
  Start();
  const Answer page = Get("/", {{"Host", "anywhere.example"}});
  EXPECT_EQ(page.headers.getContentType(), "text/html; charset=utf-8");
  const std::string policy = page.headers.get("Content-Security-Policy", "");
  EXPECT_THAT(policy, testing::StartsWith("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(policy, HasSubstr("connect-src 'self'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(page.body, HasSubstr("<noscript>"));
  for (const char* const elsewhere : {"src=", "http:", "https:", "//cdn", "@import"}) {
    EXPECT_THAT(page.body, Not(HasSubstr(elsewhere)));
  }
}

TEST_F(HttpServerTest, EndsWhenThisHostSaysSo) {
  Start();
  const std::vector<Headers> others = {{{"X-Forwarded-For", "192.0.2.1"}},
                                       {{"Origin", "http://elsewhere.example"}},
                                       {{"Authorization", "Bearer x"}, {"Via", "1.1 p"}}};
  for (const Headers& headers : others) EXPECT_EQ(Ask("POST", "/-/quit", headers).status, 403);
  EXPECT_EQ(ending_.Left(), std::nullopt);
  EXPECT_EQ(Ask("POST", "/-/quit").status, 200);
  server_.reset();  // all that is said after an answer was said
  EXPECT_EQ(ending_.Left(), 0ms);
}

TEST_F(HttpServerTest, EndsWhenAFinalStateWasScrapedTwice) {
  UseDatabase();
  Start();
  const Headers scraper = {{"X-Prometheus-Scrape-Timeout-Seconds", "10"}};
  ending_.Terminate();
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_EQ(Get("/-/healthy", scraper).status, 200);
  EXPECT_EQ(Get("/metrics", scraper).status, 200);
  server_.reset();
  EXPECT_GT(ending_.Left(), 0ms);
  Start();
  EXPECT_EQ(Get("/metrics", scraper).status, 200);
  server_.reset();
  EXPECT_EQ(ending_.Left(), 0ms);
}

TEST_F(HttpServerTest, WhatIsNotFinalOrNotReadDoesNotCountAsScraped) {
  UseDatabase();
  pg::Session session(test_database_->options());
  session.Transact([](pg::Transaction& tx) {
    tx.ExecuteScript(
        "insert into bucketferry.worker (host, process_id, leased_until)"
        " values ('h', 1, clock_timestamp() + interval '1 hour');"
        "insert into bucketferry.run (run_id, task_id, task_name, kind, state)"
        " values (8, 1, 'media', 'scheduled', 'planning');"
        "insert into bucketferry.tally (run_id, worker_id) values (8, 1)",
        "test");
  });
  Start();
  ending_.Terminate();
  const Headers scraper = {{"X-Prometheus-Scrape-Timeout-Seconds", "10"}};
  for (int i = 0; i < 3; ++i) Get("/metrics", scraper);
  server_.reset();
  EXPECT_GT(ending_.Left(), 0ms);

  config_.database.uri = Secret("postgresql://nobody@127.0.0.1:1/none");
  Start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(test::ValueOf(Get("/metrics", scraper).body, "bucketferry_up"), "0");
  }
  server_.reset();
  EXPECT_GT(ending_.Left(), 0ms);
}

TEST_F(HttpServerTest, ReadsNoEndlessRequest) {
  Start();
  std::string endless = "GET / HTTP/1.1\r\n";
  while (endless.size() < 4 * static_cast<std::size_t>(ConnectionBounds().request_bytes)) {
    endless += "X-Field: " + std::string(64, 'x') + "\r\n";
  }
  EXPECT_THAT(Send(endless), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send("\x16\x03\x01 not http"), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"),
              Not(HasSubstr("200 OK")));
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

// All wait for one read while the database is locked, and share the one after it.
TEST_F(HttpServerTest, AnswersFiftyScrapesAtOnceAndProbesMeanwhile) {
  UseDatabase();
  pg::Session other(test_database_->options());
  auto blocker = std::make_unique<pg::Transaction>(other);
  blocker->ExecuteText("lock table bucketferry.run");
  Start();
  std::atomic<int> good = 0;
  std::vector<std::jthread> scrapes;
  for (int i = 0; i < 50; ++i) {
    scrapes.emplace_back([&] {
      const Answer answer = Get("/metrics", {{"X-Prometheus-Scrape-Timeout-Seconds", "20"}});
      good += answer.status == 200 && test::ValueOf(answer.body, "bucketferry_up") == "1" &&
              test::ValueOf(answer.body, test::OfTask("task_last_started_run_id")) == "7";
    });
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("/-/healthy").status, 200);
    EXPECT_EQ(Get("/-/ready").status, 200);
  }
  EXPECT_EQ(good, 0);
  blocker.reset();
  scrapes.clear();
  EXPECT_EQ(good, 50);
}

TEST_F(HttpServerTest, ASlowClientHoldsNobodyUp) {
  UseDatabase();
  Start();
  std::vector<Poco::Net::StreamSocket> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(Connect());
    // Half a request; or a whole one, of which the answer is never taken.
    const std::string request = i % 2 == 0 ? "GET /metrics HTTP/1.1\r\nX-Half:"
                                           : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    slow.back().sendBytes(request.data(), static_cast<int>(request.size()));
  }
  const SteadyTime started = clock_.SteadyNow();
  EXPECT_EQ(test::ValueOf(Get("/metrics").body, "bucketferry_up"), "1");
  EXPECT_LT(clock_.SteadyNow() - started, 3s);  // a slow client has longer
}

TEST_F(HttpServerTest, WaitsForARequestOnlySoLong) {
  Start({.request_time = 100ms});
  Poco::Net::StreamSocket slow = Connect();
  const std::string half = "GET /-/healthy HTTP/1.1\r\nX-Half:";
  slow.sendBytes(half.data(), static_cast<int>(half.size()));
  slow.setReceiveTimeout(Poco::Timespan(20, 0));
  std::string answer;
  char buffer[4096];
  for (int n; (n = slow.receiveBytes(buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_THAT(answer, Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, PeopleDoNotTakeThePlacesOfScrapes) {
  UseDatabase();
  pg::Session other(test_database_->options());
  auto blocker = std::make_unique<pg::Transaction>(other);
  blocker->ExecuteText("lock table bucketferry.job");  // what pages read, and scrapes do not
  Start();
  std::vector<std::jthread> readers;
  for (int i = 0; i < Endpoints::kPagesMax; ++i) {
    readers.emplace_back([this] { Get("/objects.json?task=media"); });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(test::ValueOf(Get("/metrics").body, "bucketferry_up"), "1");
  }
  blocker.reset();
  readers.clear();
  EXPECT_EQ(Get("/objects.json?task=media").status, 200);
}

TEST_F(HttpServerTest, AStopDoesNotWaitForTheDatabase) {
  UseDatabase();
  pg::Session other(test_database_->options());
  pg::Transaction blocker(other);
  blocker.ExecuteText("lock table bucketferry.run");
  Start();
  std::jthread scrape([this] {
    try {
      Get("/metrics", {{"X-Prometheus-Scrape-Timeout-Seconds", "30"}});
    } catch (const Poco::Exception&) {  // the server has gone
    }
  });
  std::this_thread::sleep_for(300ms);
  const SteadyTime started = clock_.SteadyNow();
  stop_.request_stop();
  server_.reset();
  EXPECT_LT(clock_.SteadyNow() - started, 3s);
}

TEST_F(HttpServerTest, RefusesAPortThatIsTaken) {
  Start();
  try {
    HttpServer second(server_->address(), *endpoints_);
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("cannot listen on 127.0.0.1:"));
  }
}

TEST(ListenBounded, RefusesWhatIsNoAddress) {
  for (const char* const address : {"", "9847", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000",
                                    "::1:9847", "127.0.0.1:-1", "no such host:1"}) {
    try {
      ListenBounded(address, {});
      ADD_FAILURE() << address << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig) << address << ": " << error.what();
    }
  }
}

TEST(ListenBounded, TakesAnyFormOfAddress) {
  for (const char* const address : {"127.0.0.1:0", ":0", "localhost:0"}) {
    EXPECT_GT(ListenBounded(address, {}).address().port(), 0) << address;
  }
}

// However often a client takes a little: the time is for the whole answer.
TEST(ListenBounded, GivesUpOnWhoDoesNotTakeHisAnswer) {
  Poco::Net::ServerSocket listener = ListenBounded("127.0.0.1:0", {.answer_time = 200ms});
  std::jthread client([address = listener.address()](const std::stop_token& stop) {
    Poco::Net::StreamSocket socket(address);
    char buffer[64];
    while (!stop.stop_requested() && socket.receiveBytes(buffer, sizeof buffer) > 0) {
      std::this_thread::sleep_for(1ms);  // this is how slow it is
    }
  });
  Poco::Net::StreamSocket connection = listener.acceptConnection();
  const std::string answer(64 << 20, 'x');
  EXPECT_THROW(connection.sendBytes(answer.data(), static_cast<int>(answer.size())),
               Poco::TimeoutException);
  connection.close();
}

TEST(ScrapeBudget, IsTheTimeoutLessHalfASecond) {
  EXPECT_EQ(ScrapeBudget("10"), 9500ms);
  EXPECT_EQ(ScrapeBudget("15.000000"), 14500ms);
  EXPECT_EQ(ScrapeBudget("0.6"), 300ms);
  EXPECT_EQ(ScrapeBudget("86400"), 59500ms);
  for (const char* const text : {"", "soon", "-1", "0", "nan", "inf", "10s", " 10"}) {
    EXPECT_EQ(ScrapeBudget(text), 9500ms) << text;
  }
}

TEST(IsBearer, ComparesTheWholeToken) {
  EXPECT_TRUE(IsBearer("Bearer abc", Secret("abc")));
  EXPECT_FALSE(IsBearer("Bearer ab", Secret("abc")));
  EXPECT_FALSE(IsBearer("Bearer abd", Secret("abc")));
  EXPECT_FALSE(IsBearer("Basic abc", Secret("abc")));
  EXPECT_FALSE(IsBearer("Bearer ", Secret()));
  EXPECT_FALSE(IsBearer("", Secret()));
}

}  // namespace
}  // namespace ferry::exporter
