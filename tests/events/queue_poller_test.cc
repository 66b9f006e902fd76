// Messages of a queue are deleted after their events are stored, and not before.
#include "batch/events/queue_poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/events/event_message.h"
#include "tests/config/config_file.h"
#include "tests/support/aws_signature.h"
#include "tests/support/loopback_listener.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using Json = nlohmann::json;
using test::HttpText;
using test::SeenRequest;
using testing::ElementsAre;
using testing::HasSubstr;

// Real time but for pauses, which are over at once and written down.
class PauselessClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return real_.SteadyNow(); }
  WallTime WallNow() const override { return real_.WallNow(); }
  bool SleepFor(std::chrono::milliseconds delay, std::stop_token stop) override {
    const std::lock_guard lock(mutex_);
    pauses_.push_back(delay);
    return !stop.stop_requested();
  }
  std::vector<std::chrono::milliseconds> pauses() const {
    const std::lock_guard lock(mutex_);
    return pauses_;
  }

 private:
  const SystemClock real_;
  mutable std::mutex mutex_;
  std::vector<std::chrono::milliseconds> pauses_;
};

class QueuePollerTest : public testing::Test {
 protected:
  QueuePollerTest() {
    TaskConfig task;
    task.name = "media";
    task.source.bucket = "drop";
    task.events.from = {"drops"};
    tasks_ = {task};
    queue_.name = "drops";
    queue_.region = "eu-west-1";
    queue_.credentials.kind = CredentialsConfig::Kind::kStatic;
    queue_.credentials.keys = {"AKID", Secret("sEcret/key"), Secret("")};
    Point(server_.url());
    // Of a queue that is empty; late, so that an idle poller asks a few times only.
    server_.AnswerAlways(
        {.bytes = HttpText(200, {}, "{}"), .delay = std::chrono::milliseconds(50)});
  }

  void Point(const std::string& endpoint) {
    queue_.url = endpoint + "/123456789012/drops";
    queue_.endpoint = ParseEndpoint(endpoint);
  }
  std::unique_ptr<QueuePoller> Poll() {
    QueuePoller::Sinks sinks;
    sinks.events = [this](const std::vector<NewEvent>& events) { Keep(events); };
    sinks.poison = [this](const PoisonMessage& message) { Keep(message); };
    return std::make_unique<QueuePoller>(queue_, tasks_, sinks, counters_, environment_, clock_);
  }
  void Keep(const std::vector<NewEvent>& events) {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      throw Error(ErrorKind::kUnavailable, "the database is away");
    }
    stored_.insert(stored_.end(), events.begin(), events.end());
  }
  void Keep(const PoisonMessage& message) {
    const std::lock_guard lock(mutex_);
    if (poison_refusals_ > 0) {
      --poison_refusals_;
      throw Error(ErrorKind::kUnavailable, "the database is away");
    }
    aside_.push_back(message);
  }

  static std::string Body(const std::string& key, const std::string& bucket = "drop") {
    return R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":)"
           R"("ObjectCreated:Put","s3":{"bucket":{"name":")" +
           bucket + R"("},"object":{"key":")" + key + R"("}}}]})";
  }
  // ReceiveMessage of the SQS API reference; the ids are m0, m1, and the receipts r0, r1.
  void Give(const std::vector<std::string>& bodies) {
    Json messages = Json::array();
    for (const std::string& body : bodies) {
      const std::string number = std::to_string(messages.size());
      messages.push_back({{"MessageId", "m" + number},
                          {"ReceiptHandle", "r" + number},
                          {"MD5OfBody", "fafb00f5732ab283681e124bf8747ed1"},
                          {"Body", body}});
    }
    Answer(200, Json{{"Messages", messages}}.dump());
  }
  void Answer(int status, const std::string& body) {
    server_.Answer({.bytes = HttpText(status, {}, body)});
  }
  void Deleted() { Answer(200, R"({"Successful":[{"Id":"0"}],"Failed":[]})"); }

  // The next one that is no empty ask; of that many.
  SeenRequest NextOf(const std::string& action) {
    for (int i = 0; i < 100; ++i) {
      SeenRequest request = server_.Take();
      if (request.Header("x-amz-target") == "AmazonSQS." + action) return request;
    }
    ADD_FAILURE() << "nobody asked for " << action;
    return {};
  }
  static std::vector<std::string> ReceiptsIn(const SeenRequest& request) {
    std::vector<std::string> receipts;
    const Json body = Json::parse(request.body);
    for (const Json& entry : body.at("Entries")) {
      receipts.push_back(entry.at("ReceiptHandle"));
    }
    return receipts;
  }

  test::ScriptedHttpServer server_;
  EventQueue queue_;
  std::vector<TaskConfig> tasks_;
  EventCounters counters_;
  test::MapEnvironment environment_;
  PauselessClock clock_;
  std::mutex mutex_;
  int refusals_ = 0;
  int poison_refusals_ = 0;
  std::vector<NewEvent> stored_;
  std::vector<PoisonMessage> aside_;
};

TEST_F(QueuePollerTest, AsksForTenMessagesForTwentySecondsWithASignature) {
  const auto poller = Poll();
  const SeenRequest request = server_.Take();
  EXPECT_EQ(request.method + " " + request.target, "POST /");
  EXPECT_EQ(request.Header("x-amz-target"), "AmazonSQS.ReceiveMessage");
  EXPECT_EQ(request.Header("content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(Json::parse(request.body),
            (Json{{"QueueUrl", queue_.url}, {"MaxNumberOfMessages", 10}, {"WaitTimeSeconds", 20}}));
  EXPECT_TRUE(test::IsSignedWith("AKID", "sEcret/key", "eu-west-1", "sqs", request));
  EXPECT_FALSE(test::IsSignedWith("AKID", "another", "eu-west-1", "sqs", request));
}

TEST_F(QueuePollerTest, MessagesAreDeletedOnceTheirEventsAreStored) {
  Give({Body("a+b"), R"({"Service":"Amazon S3","Event":"s3:TestEvent"})", Body("k", "other"),
        Body("a%20b")});
  Deleted();
  const auto poller = Poll();
  const SeenRequest request = NextOf("DeleteMessageBatch");
  EXPECT_TRUE(test::IsSignedWith("AKID", "sEcret/key", "eu-west-1", "sqs", request));
  EXPECT_EQ(Json::parse(request.body).at("QueueUrl"), queue_.url);
  EXPECT_THAT(ReceiptsIn(request), ElementsAre("r0", "r1", "r2", "r3"));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("a b")}})) << "once, of two messages";
  EXPECT_EQ(counters_.received, 3);
  EXPECT_EQ(counters_.stored, 2);
  EXPECT_EQ(counters_.foreign, 1);
  EXPECT_EQ(counters_.ignored, 1);
}

TEST_F(QueuePollerTest, WhatCouldNotBeStoredStaysInTheQueue) {
  refusals_ = 2;
  Give({Body("a")});
  Give({Body("a")});
  Give({Body("b")});
  Deleted();
  const auto poller = Poll();
  EXPECT_EQ(NextOf("DeleteMessageBatch").method, "POST");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("b")}}));
  EXPECT_EQ(counters_.failed, 2);
  EXPECT_GE(clock_.pauses().size(), 2U) << "it does not ask again at once";
}

TEST_F(QueuePollerTest, APoisonMessageIsPutAsideAndHoldsUpNothing) {
  Give({"hello", Body("a"), std::string(kQueueMessageBytesMax + 1, 'x')});
  Deleted();
  const auto poller = Poll();
  EXPECT_THAT(ReceiptsIn(NextOf("DeleteMessageBatch")), ElementsAre("r1", "r0", "r2"));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(stored_, (std::vector<NewEvent>{{"media", Key("a")}}));
  ASSERT_EQ(aside_.size(), 2U);
  EXPECT_EQ(aside_[0].source, "drops");
  EXPECT_EQ(aside_[0].id, "m0");
  EXPECT_EQ(aside_[0].body, "hello");
  EXPECT_EQ(aside_[0].reason, "the body is no JSON object");
  EXPECT_EQ(aside_[1].body.size(), kQueueMessageBytesMax);
  EXPECT_THAT(aside_[1].reason, HasSubstr("262144"));
  EXPECT_EQ(counters_.poison, 2);
}

TEST_F(QueuePollerTest, APoisonMessageThatCouldNotBePutAsideStaysInTheQueue) {
  poison_refusals_ = 1;
  Give({"hello", Body("a")});
  Deleted();
  Give({"hello"});
  Deleted();
  const auto poller = Poll();
  EXPECT_THAT(ReceiptsIn(NextOf("DeleteMessageBatch")), ElementsAre("r1"));
  EXPECT_THAT(ReceiptsIn(NextOf("DeleteMessageBatch")), ElementsAre("r0"));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(aside_.size(), 1U);
}

TEST_F(QueuePollerTest, ARefusalIsOneWarningAndAskedAgainLaterAndLater) {
  for (int i = 0; i < 5; ++i) {
    Answer(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified)"
                R"( queue does not exist."})");
  }
  Give({Body("a")});
  Deleted();
  testing::internal::CaptureStderr();
  auto poller = Poll();
  NextOf("DeleteMessageBatch");
  poller.reset();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("queue drops: HTTP 400: QueueDoesNotExist: The specified queue does "
                              "not exist.; check the queue's url, region and account"));
  EXPECT_EQ(said.find("QueueDoesNotExist"), said.rfind("QueueDoesNotExist")) << said;
  EXPECT_THAT(said, testing::Not(HasSubstr("sEcret")));
  EXPECT_EQ(counters_.failed, 5);
  for (const auto pause : clock_.pauses()) EXPECT_LE(pause, std::chrono::minutes(1));
}

TEST_F(QueuePollerTest, KeysThatAreRefusedAreSaidToBe) {
  Answer(403, R"({"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User is not)"
              R"( authorized to perform: sqs:receivemessage"})");
  testing::internal::CaptureStderr();
  auto poller = Poll();
  NextOf("ReceiveMessage");
  NextOf("ReceiveMessage");
  poller.reset();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("grant sqs:ReceiveMessage and sqs:DeleteMessage"));
}

TEST_F(QueuePollerTest, AnAnswerThatIsTooLargeIsAskedForPieceByPiece) {
  Answer(200, std::string((std::size_t{16} << 20) + 1, ' '));
  Give({Body("a")});
  Deleted();
  const auto poller = Poll();
  EXPECT_EQ(Json::parse(NextOf("ReceiveMessage").body).at("MaxNumberOfMessages"), 10);
  EXPECT_EQ(Json::parse(NextOf("ReceiveMessage").body).at("MaxNumberOfMessages"), 1);
  NextOf("DeleteMessageBatch");
  EXPECT_EQ(Json::parse(NextOf("ReceiveMessage").body).at("MaxNumberOfMessages"), 10);
}

TEST_F(QueuePollerTest, OneConnectionServesAllThatIsAsked) {
  Give({Body("a")});
  Deleted();
  const auto poller = Poll();
  EXPECT_EQ(NextOf("ReceiveMessage").connection, 1);
  EXPECT_EQ(NextOf("DeleteMessageBatch").connection, 1);
  EXPECT_EQ(NextOf("ReceiveMessage").connection, 1);
}

TEST_F(QueuePollerTest, AQueueThatDoesNotWaitIsNotAskedWithoutAPause) {
  const auto poller = Poll();
  NextOf("ReceiveMessage");
  NextOf("ReceiveMessage");
  EXPECT_FALSE(clock_.pauses().empty());
  EXPECT_EQ(counters_.failed, 0);
}

TEST_F(QueuePollerTest, AStopDoesNotWaitForTheQueueToAnswer) {
  test::LoopbackListener silent;
  Point("http://127.0.0.1:" +
        std::to_string(ntohs(reinterpret_cast<const sockaddr_in*>(silent.address())->sin_port)));
  auto poller = Poll();
  ASSERT_TRUE(silent.Await(1));
  poller.reset();
  // It would have failed, had it waited until the request's time was over.
  EXPECT_EQ(counters_.failed, 0);
}

}  // namespace
}  // namespace ferry
