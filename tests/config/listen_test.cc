// Where events come from: what a file may say of it, and what it is answered otherwise.
#include <gtest/gtest.h>

#include "tests/config/config_file.h"

namespace ferry {
namespace {

using test::kSmallest;
using namespace std::chrono_literals;

class ListenConfigTest : public testing::Test, protected test::ConfigFile {
 protected:
  static std::string Queue(const std::string& entries) {
    return std::string(kSmallest) + "listen: {queues: {drops: {" + entries + "}}}\n";
  }
  static std::string Url(const std::string& url) { return Queue("url: \"" + url + "\""); }
  static std::string Events(const std::string& events, const std::string& listen) {
    return std::string(kSmallest) + "    events: " + events + "\nlisten: " + listen + "\n";
  }
};

constexpr const char* kQueue = "{url: \"https://sqs.eu-west-1.amazonaws.com/123456789012/drops\"}";

TEST_F(ListenConfigTest, NothingIsListenedToUnlessTheFileSaysSo) {
  const Config config = Load(kSmallest);
  EXPECT_FALSE(config.tasks[0].events.on());
  EXPECT_EQ(config.listen.listen, "0.0.0.0:9849");
  EXPECT_TRUE(config.listen.queues.empty());
}

TEST_F(ListenConfigTest, PlacesThatEventsComeFromAreRead) {
  const Config config = Load(
      Events("{from: [webhook, drops], quiet: 90s}",
             std::string("{address: \"127.0.0.1:1\", token_file: t, tls: {certificate: c, key: k, "
                         "client_ca: a}, queues: {drops: ") +
                 kQueue + "}}"));
  const ListenConfig& listen = config.listen;
  EXPECT_EQ(listen.listen, "127.0.0.1:1");
  EXPECT_EQ(listen.token_file, folder.path() / "t");
  EXPECT_EQ(listen.certificate, folder.path() / "c");
  EXPECT_EQ(listen.key, folder.path() / "k");
  EXPECT_EQ(listen.client_ca, folder.path() / "a");
  ASSERT_EQ(listen.queues.size(), 1U);
  EXPECT_EQ(listen.queues[0].name, "drops");
  EXPECT_EQ(listen.queues[0].url, "https://sqs.eu-west-1.amazonaws.com/123456789012/drops");
  EXPECT_EQ(listen.queues[0].endpoint.host, "sqs.eu-west-1.amazonaws.com");
  EXPECT_EQ(config.tasks[0].events.from, (std::vector<std::string>{"webhook", "drops"}));
  EXPECT_EQ(config.tasks[0].events.quiet, 90s);
}

TEST_F(ListenConfigTest, TheRegionOfAQueueIsTheOneInItsUrl) {
  EXPECT_EQ(Load(Url("https://sqs.eu-west-1.amazonaws.com/123456789012/d")).listen.queues[0].region,
            "eu-west-1");
  EXPECT_EQ(Load(Url("https://sqs.cn-northwest-1.amazonaws.com.cn/123456789012/d.fifo"))
                .listen.queues[0]
                .region,
            "cn-northwest-1");
  EXPECT_EQ(Load(Queue("url: \"http://127.0.0.1:9324/queue/d\", region: elasticmq"))
                .listen.queues[0]
                .region,
            "elasticmq");
  EXPECT_EQ(Failure(Url("http://127.0.0.1:9324/queue/d")),
            "f.yaml:8: listen.queues.drops: lacks \"region\", which this URL does not name");
  EXPECT_EQ(Failure(Queue("url: \"https://sqs.eu-west-1.amazonaws.com/123456789012/d\", "
                          "region: eu-west-2")),
            "f.yaml:8: listen.queues.drops.region: \"eu-west-2\" is not the region in the URL, "
            "eu-west-1");
}

TEST_F(ListenConfigTest, WhatIsNoQueueIsRefused) {
  const std::string no_url =
      "f.yaml:8: listen.queues.drops.url: is no URL of a queue: "
      "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
  for (const char* url :
       {"drops", "https://sqs.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com/",
        "https://h/a?b=c", "https://h/a b", "https://h/a/", "https://h//a"}) {
    EXPECT_EQ(Failure(Url(url)), no_url) << url;
  }
  EXPECT_EQ(Failure(Url("https://sqs.eu-west-1.amazonaws.com/drops")),
            "f.yaml:8: listen.queues.drops.url: must end with the account and the name of the "
            "queue: /123456789012/NAME");
  EXPECT_EQ(Failure(Url("https://user:secret@sqs.eu-west-1.amazonaws.com/1/d")),
            "f.yaml:8: listen.queues.drops.url: it holds a user or password (credentials have "
            "their own key); an endpoint is http(s)://host[:port]");
  EXPECT_EQ(Failure(Queue("")), "f.yaml:8: listen.queues.drops: lacks \"url\"");
  EXPECT_EQ(Failure(Queue("url: \"http://h/q\", region: r, credentials: {anonymous: true}")),
            "f.yaml:8: listen.queues.drops.credentials: a queue is not read anonymously");
  EXPECT_EQ(Failure(Queue("url: \"http://h/q\", region: r, endpoint: \"http://h\"")),
            "f.yaml:8: listen.queues.drops: unknown key \"endpoint\"; known here: url, region, "
            "credentials");
  EXPECT_EQ(Failure(std::string(kSmallest) + "listen: {queues: {webhook: " + kQueue + "}}"),
            "f.yaml:8: listen.queues.webhook: a queue must have another name: `events` calls that "
            "what comes by HTTP");
}

TEST_F(ListenConfigTest, EventsNameKnownPlaces) {
  const auto failure = [&](const std::string& events) {
    return Failure(Events(events, std::string("{queues: {drops: ") + kQueue + "}}"));
  };
  EXPECT_EQ(failure("{from: [drops]}"), "accepted");
  EXPECT_EQ(failure("{from: [drop]}"),
            "f.yaml:8: tasks[0].events.from[0]: \"drop\" is neither webhook nor one of "
            "listen.queues; did you mean \"drops\"?");
  EXPECT_EQ(failure("{from: [mail]}"),
            "f.yaml:8: tasks[0].events.from[0]: \"mail\" is neither webhook nor one of "
            "listen.queues; known here: webhook, drops");
  EXPECT_EQ(failure("{from: [drops, drops]}"), "f.yaml:8: tasks[0].events.from[1]: is named twice");
  EXPECT_EQ(failure("{from: []}"),
            "f.yaml:8: tasks[0].events.from: is an empty list (leave `events` out for none)");
  EXPECT_EQ(failure("{quiet: 1m}"), "f.yaml:8: tasks[0].events: lacks \"from\"");
  EXPECT_EQ(failure("{from: [webhook]}"),
            "f.yaml:8: tasks[0].events.from[0]: needs listen.token_file: whoever posts events must "
            "show its token");
}

TEST_F(ListenConfigTest, QuietIsFromASecondToAnHour) {
  const auto failure = [&](const std::string& quiet) {
    return Failure(Events("{from: [webhook], quiet: " + quiet + "}", "{token_file: t}"));
  };
  EXPECT_EQ(failure("1s"), "accepted");
  EXPECT_EQ(failure("1h"), "accepted");
  EXPECT_EQ(failure("0"), "f.yaml:8: tasks[0].events.quiet: \"0\" is not within 1s..1h");
  EXPECT_EQ(failure("61m"), "f.yaml:8: tasks[0].events.quiet: \"61m\" is not within 1s..1h");
}

TEST_F(ListenConfigTest, HttpsNeedsBothItsFiles) {
  const auto failure = [&](const std::string& listen) {
    return Failure(std::string(kSmallest) + "listen: " + listen);
  };
  EXPECT_EQ(failure("{tls: {certificate: c}}"), "f.yaml:8: listen.tls: lacks \"key\"");
  EXPECT_EQ(failure("{tls: {key: k}}"), "f.yaml:8: listen.tls: lacks \"certificate\"");
  EXPECT_EQ(failure("{port: 1}"),
            "f.yaml:8: listen: unknown key \"port\"; known here: address, token_file, "
            "tls, queues");
}

}  // namespace
}  // namespace ferry
