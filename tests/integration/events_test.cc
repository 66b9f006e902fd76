// `listen` with a real store's notifications, over a network that loses, doubles and delays them.
#include "tests/integration/pipeline.h"

namespace ferry {
namespace {

using test::Eventually;
using test::ExitsWith;
using test::Finished;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Events : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    std::ofstream(dir() / "token") << "let-me-in\n";
    config().before = "listen: {token_file: \"" + (dir() / "token").string() + "\"}\n";
    task().more = ", events: {from: [webhook], quiet: 1s}, delete: extra, max_delete: 100%";
  }
  void TearDown() override {
    if (listen_) StopListening();
    Voyage::TearDown();
  }

  void Listen() {
    listen_ = Start({"listen", "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(Eventually([&] { return test::ListeningPort(*listen_) != 0; })) << listen_->err();
  }
  void StopListening() {
    listen_->Signal(SIGTERM);
    EXPECT_THAT(Checked(listen_->Wait(60s)), ExitsWith(0));
    listen_.reset();
  }
  std::string Url() const {
    return "http://127.0.0.1:" + std::to_string(test::ListeningPort(*listen_)) + "/events";
  }

  int Python(std::vector<std::string> words, std::chrono::milliseconds patience) {
    words.insert(words.begin(),
                 {"/usr/bin/python3", FERRY_SOURCE_DIR "/tests/servers/event_storm.py"});
    const Finished finished = test::Child(words, environment(), dir()).Wait(patience);
    EXPECT_THAT(finished, ExitsWith(0));
    return finished.exit_code;
  }
  void Tell(const std::string& key) {
    Poco::Net::HTTPClientSession session("127.0.0.1",
                                         static_cast<Poco::UInt16>(test::ListeningPort(*listen_)));
    Poco::Net::HTTPRequest request("POST", "/events", "HTTP/1.1");
    const std::string body = test::Json({{"bucket", source_bucket()}, {"key", key}}).dump();
    request.setContentType("application/json");
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    request.set("Authorization", "Bearer let-me-in");
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    session.receiveResponse(response);
    ASSERT_EQ(response.getStatus(), 200);
  }
  // No key waits, and no run goes on.
  bool Settled() {
    return Number(
               "select (select count(*) from bucketferry.event)"
               " + (select count(*) from bucketferry.run where finished_at is null) as n") == 0;
  }

  std::unique_ptr<test::Child> listen_;
};

TEST_F(Events, WhatAnEventTellsOfIsBroughtWithoutARun) {
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  Listen();
  S3({"src", "put", source_bucket(), "a=10", "b=20"});
  Tell("a");
  ASSERT_TRUE(Eventually([&] {
    return S3({"dst", "keys", destination_bucket()}) == "a\n";
  })) << listen_->err();
  S3({"src", "delete", source_bucket(), "a"});
  Tell("a");
  Tell("b");
  ASSERT_TRUE(Eventually([&] {
    return S3({"dst", "keys", destination_bucket()}) == "b\n";
  })) << listen_->err();
  ASSERT_TRUE(Eventually([&] { return Settled(); }));
  EXPECT_EQ(Number("select count(*) as n from bucketferry.run where kind = 'event'"
                   " and state <> 'complete'"),
            0);
}

TEST_F(Events, AScheduledRunTakesOver) {
  Listen();
  task().more = ", events: {from: [webhook], quiet: 1h}";
  StopListening();
  Listen();
  S3({"src", "put", source_bucket(), "a=10"});
  Tell("a");
  ASSERT_TRUE(Eventually([&] {
    return S3({"dst", "keys", destination_bucket()}) == "a\n";
  })) << listen_->err();
  S3({"src", "put", source_bucket(), "b=10"});
  const Finished run = Bucketferry({"run"});
  EXPECT_THAT(run, ExitsWith(0));
  EXPECT_THAT(run.err, HasSubstr("the run of events was asked to end"));
  ExpectEqualBuckets();
  EXPECT_EQ(Number("select count(*) as n from bucketferry.run where state <> 'complete'"), 0);
}

TEST_F(Events, WhatWaitsWhenTheListenerStopsIsBroughtByTheNext) {
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  Listen();
  StopListening();
  S3({"src", "put", source_bucket(), "a=10"});
  EXPECT_EQ(Number("with x as (insert into bucketferry.event (task, key) values ('media', 'a')"
                   " returning 1) select count(*) as n from x"),
            1);
  Listen();
  ASSERT_TRUE(Eventually([&] {
    return S3({"dst", "keys", destination_bucket()}) == "a\n";
  })) << listen_->err();
}

TEST_F(Events, WithoutATaskThatListensThereIsNothingToDo) {
  task().more = "";
  const Finished finished = Bucketferry({"listen"});
  EXPECT_THAT(finished, ExitsWith(2));
  EXPECT_THAT(finished.err, HasSubstr("`events`"));
  EXPECT_FALSE(std::filesystem::exists(config().state_dir));
}

// $BUCKETFERRY_TEST_EVENTS: of so many objects.
TEST_F(Events, AStormOfThemOverABadNetworkEndsWithEqualBuckets) {
  const char* const given = std::getenv("BUCKETFERRY_TEST_EVENTS");
  const std::string objects = given != nullptr ? given : "2000";
  const auto patience = std::chrono::milliseconds(60'000 + 30 * std::stol(objects));
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  Listen();
  const std::string lost = dir() / "lost.json";
  ASSERT_EQ(
      Python({"write", source_bucket(), Url(), "let-me-in", lost, "--objects", objects}, patience),
      0);
  ASSERT_TRUE(Eventually([&] { return Settled(); }, patience, 200ms)) << listen_->err();
  EXPECT_EQ(Number("select count(*) as n from bucketferry.run where kind = 'scheduled'"), 1);
  EXPECT_EQ(Number("select count(*) as n from bucketferry.run where state <> 'complete'"), 0);
  Python({"compare", source_bucket(), destination_bucket(), "--but", lost}, patience);
  EXPECT_THAT(Bucketferry({"run"}, patience), ExitsWith(0));
  Python({"compare", source_bucket(), destination_bucket()}, patience);
}

}  // namespace
}  // namespace ferry
