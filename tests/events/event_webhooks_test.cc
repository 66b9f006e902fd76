// What is told by HTTP is stored before it is answered, and nobody gets in without the token.
#include "batch/events/event_webhooks.h"

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <mutex>

#include "batch/base/error.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kBody = R"({"bucket":"drop","key":"in/a"})";

class EventWebhooksTest : public testing::Test {
 protected:
  EventWebhooksTest() {
    TaskConfig task;
    task.name = "media";
    task.source.bucket = "drop";
    task.events.from = {"webhook"};
    tasks_ = {task};
    listen_.listen = "127.0.0.1:0";
    listen_.token_file = folder_.Write("token", "t0ken\n");
  }

  MessageAnswer Post(const std::string& body, const std::string& authorization = "Bearer t0ken",
                     const std::string& query = "") {
    return EventEndpoints(listen_, tasks_, Sink(), counters_)
        .Answer({.method = "POST",
                 .path = "/events",
                 .query = query,
                 .authorization = authorization,
                 .body = body});
  }
  EventSink Sink() {
    return [this](const std::vector<NewEvent>& events) {
      if (away_) throw Error(ErrorKind::kUnavailable, "the database is away");
      const std::lock_guard lock(mutex_);
      stored_.insert(stored_.end(), events.begin(), events.end());
    };
  }
  // Sends these bytes and nothing more, and reads the answer to its end.
  static std::string Send(const EventWebhooks& server, const std::string& bytes) {
    Poco::Net::StreamSocket socket{Poco::Net::SocketAddress(server.address())};
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    socket.shutdownSend();
    std::string answer;
    std::array<char, 4096> buffer{};
    for (int count = 0; (count = socket.receiveBytes(buffer.data(), buffer.size())) > 0;) {
      answer.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return answer;
  }
  static std::string Wire(const std::string& body, std::size_t length,
                          const std::string& target = "/events") {
    return "POST " + target + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t0ken\r\n" +
           "Content-Length: " + std::to_string(length) + "\r\n\r\n" + body;
  }

  const test::TempFolder folder_;
  std::vector<TaskConfig> tasks_;
  ListenConfig listen_;
  EventCounters counters_;
  bool away_ = false;
  std::mutex mutex_;
  std::vector<NewEvent> stored_;
};

TEST_F(EventWebhooksTest, EventsAreStoredBeforeTheyAreAnswered) {
  const EventWebhooks server(listen_, tasks_, Sink(), counters_);
  const std::string body = kBody;
  EXPECT_THAT(Send(server, Wire(body, body.size())), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("in/a")}}));
  EXPECT_EQ(counters_.stored, 1);
}

TEST_F(EventWebhooksTest, WhatCouldNotBeStoredIsToBeSentAgain) {
  away_ = true;
  const MessageAnswer answer = Post(kBody);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.headers, testing::Contains(testing::Key("Retry-After")));
  EXPECT_EQ(counters_.stored, 0);
  EXPECT_EQ(counters_.failed, 1);
  away_ = false;
  EXPECT_EQ(Post(kBody).status, 200);
}

TEST_F(EventWebhooksTest, EventsOfOtherBucketsAreAcceptedAndLeft) {
  away_ = true;
  EXPECT_EQ(Post(R"({"bucket":"other","key":"a"})").status, 200) << "nothing was to be stored";
  EXPECT_EQ(counters_.foreign, 1);
}

TEST_F(EventWebhooksTest, WithoutTheTokenNobodyGetsIn) {
  for (const char* authorization :
       {"", "Bearer", "Bearer ", "Bearer t0kem", "Bearer t0ken ", "t0ken", "Basic t0ken",
        "Basic dXNlcjp0MGtlbQ==" /* user:t0kem */, "Basic dDBrZW46dXNlcg==" /* t0ken:user */}) {
    const MessageAnswer answer = Post(kBody, authorization);
    EXPECT_EQ(answer.status, 401) << authorization;
    EXPECT_THAT(answer.headers, testing::Contains(testing::Key("WWW-Authenticate")));
  }
  EXPECT_EQ(Post(kBody, "", "token=t0ken").status, 401) << "queries are written down on the way";
  EXPECT_TRUE(stored_.empty());
  EXPECT_EQ(counters_.refused, 10);
  EXPECT_EQ(counters_.received, 0);
}

TEST_F(EventWebhooksTest, TheTokenMayBeThePasswordOfAnyUser) {
  EXPECT_EQ(Post(kBody, "Basic dXNlcjp0MGtlbg==").status, 200);
  EXPECT_EQ(Post(kBody, "Basic OnQwa2Vu").status, 200) << "of none, too";
}

TEST_F(EventWebhooksTest, TheTokenMayBeAFieldOfAForm) {
  EXPECT_EQ(Post("bucket=drop&object=in%2Fa&token=t0ken", "").status, 200);
  EXPECT_EQ(Post("bucket=drop&object=in%2Fa&token=t0kem", "").status, 401);
  EXPECT_EQ(Post("bucket=drop&object=in%2Fa&token=%zz", "").status, 401);
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("in/a")}}));
}

TEST_F(EventWebhooksTest, ATokenThatWasReplacedHoldsAtOnce) {
  folder_.Write("token", "another\n");
  EXPECT_EQ(Post(kBody).status, 401);
  EXPECT_EQ(Post(kBody, "Bearer another").status, 200);
  std::filesystem::remove(listen_.token_file);
  EXPECT_EQ(Post(kBody, "Bearer another").status, 503) << "it is being replaced: send it again";
}

TEST_F(EventWebhooksTest, WhatIsNoMessageIsRefusedWithALine) {
  const MessageAnswer answer = Post("{\"bucket\"");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "the body is no JSON object\n");
  EXPECT_EQ(Post(std::string(kWebhookBytesMax + 1, ' ')).status, 413);
  EXPECT_EQ(counters_.poison, 2);
}

TEST_F(EventWebhooksTest, OnlyEventsAndHealthAreServed) {
  EventEndpoints endpoints(listen_, tasks_, Sink(), counters_);
  EXPECT_EQ(endpoints.Answer({.method = "GET", .path = "/healthz"}).status, 200);
  EXPECT_EQ(endpoints.Answer({.method = "GET", .path = "/events"}).status, 405);
  EXPECT_EQ(endpoints.Answer({.method = "POST", .path = "/refresh"}).status, 404);
}

TEST_F(EventWebhooksTest, HalfAMessageIsToBeSentAgain) {
  const EventWebhooks server(listen_, tasks_, Sink(), counters_);
  EXPECT_THAT(Send(server, Wire(kBody, 500)), StartsWith("HTTP/1.1 503"));
  EXPECT_TRUE(stored_.empty());
}

TEST_F(EventWebhooksTest, AQueryMayNameTheObject) {
  const EventWebhooks server(listen_, tasks_, Sink(), counters_);
  EXPECT_THAT(Send(server, Wire("", 0, "/events?bucket=drop&key=a%2Bb")),
              StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("a+b")}}));
}

TEST_F(EventWebhooksTest, ATokenFileThatIsMissingIsToldAtTheStart) {
  std::filesystem::remove(listen_.token_file);
  try {
    const EventWebhooks server(listen_, tasks_, Sink(), counters_);
    FAIL() << "it listens";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("listen.token_file"));
  }
}

}  // namespace
}  // namespace ferry
