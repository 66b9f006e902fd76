// The server over real sockets, with and without a database.
#include "exporter/http_server.h"

#include <Poco/InflatingStream.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "batch/base/error.h"
#include "batch/pg/migrator.h"
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

  void Start() {
    endpoints_ = std::make_unique<Endpoints>(config_, database_, clock_, Secret("let me in"),
                                             stop_.get_token());
    server_ = std::make_unique<HttpServer>("127.0.0.1:0", *endpoints_);
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

  // What the server says to these bytes, until it closes.
  std::string Send(const std::string& bytes) {
    Poco::Net::StreamSocket socket(Poco::Net::SocketAddress("127.0.0.1", Port()));
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
  const Answer page = Get("/");
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.body, HasSubstr("No numbers: "));
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
}

TEST_F(HttpServerTest, ShowsKeysToThisHostOnly) {
  UseDatabase();
  Start();
  const Answer here = Get("/");
  EXPECT_EQ(here.status, 200);
  EXPECT_THAT(here.body, HasSubstr("secret/key"));
  EXPECT_THAT(here.body, HasSubstr("refused by the bucket"));
  EXPECT_THAT(here.body, HasSubstr("why it is so"));
  const std::vector<Headers> elsewhere = {
      {{"X-Forwarded-For", "192.0.2.1"}},
      {{"Forwarded", "for=192.0.2.1"}},
      {{"Host", "rebound.example"}},
      {{"Host", "rebound.example"}, {"Authorization", "Bearer let me iN"}}};
  for (const Headers& headers : elsewhere) {
    const Answer there = Get("/", headers);
    EXPECT_EQ(there.status, 200);
    EXPECT_THAT(there.body, HasSubstr("incomplete"));
    EXPECT_THAT(there.body, Not(HasSubstr("secret/key")));
    EXPECT_THAT(there.body, Not(HasSubstr("refused by")));
    EXPECT_THAT(there.body, Not(HasSubstr("why it is so")));
  }
  EXPECT_THAT(
      Get("/", {{"X-Forwarded-For", "192.0.2.1"}, {"Authorization", "Bearer let me in"}}).body,
      HasSubstr("secret/key"));
}

TEST_F(HttpServerTest, ReadsNoEndlessRequest) {
  Start();
  std::string endless = "GET / HTTP/1.1\r\n";
  while (endless.size() < 4 * kRequestBytesMax)
    endless += "X-Field: " + std::string(64, 'x') + "\r\n";
  EXPECT_THAT(Send(endless), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send("\x16\x03\x01 not http"), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Send("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"),
              Not(HasSubstr("200 OK")));
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(HttpServerTest, StaysHealthyWhileScrapesWait) {
  UseDatabase();
  pg::Session other(test_database_->options());
  auto blocker = std::make_unique<pg::Transaction>(other);
  blocker->ExecuteText("lock table bucketferry.run");
  Start();
  std::vector<std::jthread> scrapes;
  for (int i = 0; i < Endpoints::kDatabaseRequestsMax + 2; ++i) {
    scrapes.emplace_back([this] {
      const Answer answer = Get("/metrics", {{"X-Prometheus-Scrape-Timeout-Seconds", "3"}});
      EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.status;
    });
  }
  std::this_thread::sleep_for(300ms);
  const SteadyTime started = clock_.SteadyNow();
  EXPECT_EQ(Get("/-/healthy").status, 200);
  EXPECT_LT(clock_.SteadyNow() - started, 500ms);
  EXPECT_EQ(Get("/-/ready").status, 503);  // all places at the database are taken
  scrapes.clear();
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
      ListenBounded(address);
      ADD_FAILURE() << address << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig) << address << ": " << error.what();
    }
  }
}

TEST(ListenBounded, TakesAnyFormOfAddress) {
  for (const char* const address : {"127.0.0.1:0", ":0", "localhost:0"}) {
    EXPECT_GT(ListenBounded(address).address().port(), 0) << address;
  }
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
