// Messages as the stores send them, by their documentation, and what is none of theirs.
#include "batch/events/event_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "batch/base/error.h"

namespace ferry {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

struct Said {
  std::string version = "2.1";
  std::string source = "aws:s3";
  std::string name = "ObjectCreated:Put";
  std::string bucket = "drop";
};

// "Event message structure" in the Amazon S3 User Guide.
std::string Record(const std::string& key, const Said& said = {}) {
  return R"({"eventVersion":")" + said.version + R"(","eventSource":")" + said.source +
         R"(","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":")" +
         said.name + R"(","userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},)" +
         R"("requestParameters":{"sourceIPAddress":"172.16.0.1"},"s3":{"s3SchemaVersion":"1.0",)" +
         R"("configurationId":"testConfigRule","bucket":{"name":")" + said.bucket +
         R"(","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::drop"},)" +
         R"("object":{"key":")" + key +
         R"(","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e",)" +
         R"("versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}})";
}

std::string Records(const std::string& records) { return R"({"Records":[)" + records + "]}"; }

std::vector<ObjectEvent> EventsOf(const std::string& body) {
  return ParseEventMessage(body).events;
}

// Of the one event.
std::string KeyOf(const std::string& body) {
  const std::vector<ObjectEvent> events = EventsOf(body);
  EXPECT_EQ(events.size(), 1U);
  return events.empty() ? "" : events.front().key.bytes();
}

std::string Refusal(const std::string& body) {
  try {
    ParseEventMessage(body);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

std::string InSns(const std::string& message) {
  return Json{{"Type", "Notification"},
              {"MessageId", "22b80b92"},
              {"TopicArn", "arn:aws:sns:us-west-2:123456789012:drops"},
              {"Subject", "Amazon S3 Notification"},
              {"Message", message},
              {"SignatureVersion", "1"}}
      .dump();
}

TEST(EventMessage, NamesTheBucketAndKeyOfARecord) {
  EXPECT_EQ(EventsOf(Records(Record("in/a.mp4"))),
            (std::vector<ObjectEvent>{{"drop", Key("in/a.mp4")}}));
}

TEST(EventMessage, KeysOfRecordsAreFormEncodedOnce) {
  const std::pair<const char*, std::string> cases[] = {
      {"a+b", "a b"},
      {"a%2Bb", "a+b"},
      {"a%20b", "a b"},
      {"100%25", "100%"},
      {"%2525", "%25"},
      {"a%2Fb", "a/b"},
      {"a%40b", "a@b"},
      {"%E6%96%87.txt", "\xE6\x96\x87.txt"},
      {"\xE6\x96\x87.txt", "\xE6\x96\x87.txt"},
      {"%FF%00x", std::string("\xFF\0x", 3)},
      {"%0A", "\n"},
      {"a%5Cb", "a\\b"},
  };
  for (const auto& [encoded, key] : cases) EXPECT_EQ(KeyOf(Records(Record(encoded))), key);
}

TEST(EventMessage, AnyEventOfAnObjectNamesAKeyToLookAt) {
  for (const char* name :
       {"ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Post",
        "ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRemoved:Delete", "ObjectRestore:Completed",
        "LifecycleExpiration:Delete", "ObjectTagging:Put", "s3:ObjectAcl:Put",
        "s3:Replication:OperationFailedReplication", "ReducedRedundancyLostObject"}) {
    EXPECT_EQ(KeyOf(Records(Record("k", {.name = name}))), "k") << name;
  }
}

TEST(EventMessage, OnlyTheMajorNumberOfAVersionCounts) {
  for (const char* version : {"2.0", "2.1", "2.6", "2.99"}) {
    EXPECT_EQ(KeyOf(Records(Record("k", {.version = version}))), "k") << version;
  }
  EXPECT_EQ(Refusal(Records(Record("k", {.version = "3.0"}))), "eventVersion is \"3.0\", not 2.x");
  EXPECT_EQ(Refusal(Records(Record("k", {.version = "20.0"}))),
            "eventVersion is \"20.0\", not 2.x");
}

TEST(EventMessage, RecordsOfOtherServicesAreRefused) {
  EXPECT_EQ(Refusal(Records(Record("k", {.source = "aws:sqs"}))),
            "eventSource is \"aws:sqs\", not aws:s3, ceph:s3 or minio:s3");
}

// doc/radosgw/s3-notification-compatibility of Ceph: sizes as texts, no version, extras. Whether a
// key is encoded is not the same in all versions of it.
TEST(EventMessage, ReadsWhatCephSends) {
  EXPECT_EQ(
      EventsOf(
          R"({"Records":[{"eventVersion":"2.2","eventSource":"ceph:s3","awsRegion":"default",)"
          R"("eventTime":"2019-11-22T13:47:35.124724Z","eventName":"ObjectCreated:Post",)"
          R"("userIdentity":{"principalId":"tester"},"requestParameters":{"sourceIPAddress":""},)"
          R"("responseElements":{"x-amz-request-id":"503a4c37","x-amz-id-2":"14d2-zone1"},)"
          R"("s3":{"s3SchemaVersion":"1.0","configurationId":"mynotif1","bucket":{"name":"drop",)"
          R"("ownerIdentity":{"principalId":"tester"},"arn":"arn:aws:s3:zg::drop","id":"503a"},)"
          R"("object":{"key":"my%20image.jpg","size":"1024","eTag":"37b51d19","versionId":"",)"
          R"("sequencer":"F7E6D75DC742D108","metadata":[{"key":"x-amz-meta-a","val":"b"}],)"
          R"("tags":[]}},"eventId":"","opaqueData":"me@example.com"}]})"),
      (std::vector<ObjectEvent>{{"drop", Key("my%20image.jpg")}, {"drop", Key("my image.jpg")}}));
}

TEST(EventMessage, AKeyOfCephMayBeAsItIs) {
  const Said ceph{.version = "2.2", .source = "ceph:s3"};
  for (const char* key : {"plain", "100%", "a/\u00e9"}) {
    EXPECT_EQ(EventsOf(Records(Record(key, ceph))).size(), 1U) << key;
  }
  const std::vector<ObjectEvent> both = EventsOf(Records(Record("a+b", ceph)));
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].key, Key("a+b"));
  EXPECT_EQ(both[1].key, Key("a b"));
}

// MinIO's internal/event: a whole key is query-escaped, and stands at the top as it is.
TEST(EventMessage, ReadsWhatMinioSends) {
  const std::string record = Record(
      "in%2Fa+b.mp4", {.version = "2.0", .source = "minio:s3", .name = "s3:ObjectCreated:Put"});
  EXPECT_EQ(KeyOf(R"({"EventName":"s3:ObjectCreated:Put","Key":"drop/in/a b.mp4","Records":[)" +
                  record + "]}"),
            "in/a b.mp4");
  EXPECT_EQ(EventsOf(R"({"EventName":"s3:ObjectCreated:Put","Key":"drop/in/a+b%20"})"),
            (std::vector<ObjectEvent>{{"drop", Key("in/a+b%20")}}));
}

TEST(EventMessage, EventsOfBucketsAreLeft) {
  const EventMessage message = ParseEventMessage(
      Records(Record("", {.version = "2.0", .source = "minio:s3", .name = "s3:BucketCreated:*"})));
  EXPECT_TRUE(message.events.empty());
  EXPECT_EQ(message.ignored, 1);
}

TEST(EventMessage, ReadsWhatSnsWraps) {
  EXPECT_EQ(KeyOf(InSns(Records(Record("in/a+b")))), "in/a b");
  EXPECT_EQ(ParseEventMessage(InSns(R"({"Service":"Amazon S3","Event":"s3:TestEvent"})")).ignored,
            1);
  EXPECT_EQ(Refusal(InSns(InSns(Records(Record("k"))))), "the body is no message of a store");
  EXPECT_THAT(
      Refusal(R"({"Type":"SubscriptionConfirmation","Message":"You have chosen",)"
              R"("SubscribeURL":"https://sns/?Token=secret"})"),
      testing::AllOf(HasSubstr("SubscriptionConfirmation"), testing::Not(HasSubstr("secret"))));
}

// "EventBridge event message structure" in the Amazon S3 User Guide.
TEST(EventMessage, KeysFromEventBridgeAreNotEncoded) {
  const auto bridged = [](const std::string& type, const std::string& key) {
    return R"({"version":"0","id":"17793124","detail-type":")" + type +
           R"(","source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z",)" +
           R"("region":"ca-central-1","resources":["arn:aws:s3:::drop"],"detail":{"version":"0",)" +
           R"("bucket":{"name":"drop"},"object":{"key":")" + key +
           R"(","size":5,"etag":"b1946ac9","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"},)" +
           R"("request-id":"N4N7GDK58NMKJ12R","reason":"PutObject"}})";
  };
  EXPECT_EQ(KeyOf(bridged("Object Created", "a+b%20c d")), "a+b%20c d");
  EXPECT_EQ(KeyOf(bridged("Object Deleted", "k")), "k");
  EXPECT_EQ(KeyOf(bridged("Object Restore Completed", "k")), "k");
  EXPECT_THAT(Refusal(bridged("EC2 Instance State-change Notification", "k")),
              HasSubstr("no event of an object"));
}

TEST(EventMessage, TheTestEventIsNone) {
  const EventMessage message = ParseEventMessage(
      R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z",)"
      R"("Bucket":"drop","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw"})");
  EXPECT_TRUE(message.events.empty());
  EXPECT_EQ(message.ignored, 1);
}

TEST(EventMessage, AMessageMayHoldThousandsOfRecords) {
  std::string records = Record("k0");
  for (int i = 1; i < 1000; ++i) records += "," + Record("k" + std::to_string(i));
  EXPECT_EQ(EventsOf(Records(records)).size(), 1000U);
  Json keys = Json::array();
  for (std::size_t i = 0; i <= kEventsMax; ++i) keys.push_back(std::to_string(i));
  EXPECT_EQ(Refusal(Json{{"bucket", "drop"}, {"keys", keys}}.dump()),
            "the message holds more than 10000 events");
}

TEST(EventMessage, AnEventMayBeAsLargeAsAMessageOfAQueue) {
  std::string large = Record("k");
  large.insert(1, R"("extra":")" + std::string(64 * 1024, 'x') + R"(",)");
  EXPECT_EQ(KeyOf(Records(large)), "k");
}

TEST(EventMessage, ReadsWhatPeoplePost) {
  EXPECT_EQ(EventsOf(R"({"bucket":"drop","key":"a+b%20"})"),
            (std::vector<ObjectEvent>{{"drop", Key("a+b%20")}}));
  EXPECT_EQ(EventsOf(R"({"bucket":"drop","keys":["a","b"]})").size(), 2U);
  EXPECT_EQ(KeyOf(R"({"bucket":"drop","object":"a"})"), "a");
  EXPECT_EQ(KeyOf(R"({"bucket":"drop","key_base64":"/wA="})"), std::string("\xFF\0", 2));
  EXPECT_EQ(Refusal(R"({"bucket":"drop"})"), "the message names no key");
  EXPECT_EQ(Refusal(R"({"bucket":"drop","keys":"a"})"), "keys is no list");
  EXPECT_EQ(Refusal(R"({"bucket":"drop","keys":[1]})"), "a key is no text");
  EXPECT_EQ(Refusal(R"({"bucket":"drop","key_base64":"???"})"), "key_base64 is no base64");
  EXPECT_EQ(Refusal(R"({"bucket":"","key":"a"})"), "the message names no bucket");
}

TEST(EventMessage, KeysThatNoStoreHoldsAreRefused) {
  EXPECT_EQ(KeyOf(Records(Record(std::string(1024, 'k')))).size(), 1024U);
  EXPECT_EQ(Refusal(Records(Record(std::string(1025, 'k')))),
            "a key of 1025 bytes, which no store holds");
  EXPECT_EQ(Refusal(Records(Record(""))), "the message names no key");
  EXPECT_EQ(Refusal(Records(Record("a%2"))), "a % without two hex digits in \"a%2\"");
}

TEST(EventMessage, WhatIsNoMessageIsRefused) {
  EXPECT_EQ(
      Refusal(R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"x"}]})"),
      "the event has no s3");
  EXPECT_EQ(Refusal(R"({"Records":{}})"), "Records is no list");
  EXPECT_EQ(Refusal("{}"), "the body is no message of a store");
  EXPECT_EQ(Refusal(std::string(1000, '{')), "the body is no JSON object");
  EXPECT_EQ(Refusal(R"({"Records":)" + std::string(100, '[') + std::string(100, ']') + "}"),
            "the body nests too deeply");
  const std::string whole = Records(Record("k"));
  for (const std::string& body :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("[]"), std::string("null"),
        std::string("hello"), std::string("{\"bucket\":\"drop\",\"key\":\"\xFF\"}")}) {
    EXPECT_EQ(Refusal(body), "the body is no JSON object") << body;
  }
}

TEST(EventMessage, AWebhookTakesFormsToo) {
  const auto first = [](const std::string& body, const std::string& query = "") {
    return ParseWebhookMessage(body, query).events.at(0);
  };
  const ObjectEvent event{"drop", Key("in/a b.mp4")};
  // The templates of callbacks: OSS's and COS's "object", Kodo's "key".
  EXPECT_EQ(first("bucket=drop&object=in%2Fa+b.mp4&size=5&mimeType=video%2Fmp4"), event);
  EXPECT_EQ(first("key=in%2Fa%20b.mp4&bucket=drop"), event);
  EXPECT_EQ(first("bucket=drop&key_base64=aW4vYSBiLm1wNA%3D%3D"), event);
  EXPECT_EQ(first("", "bucket=drop&key=in/a%20b.mp4"), event);
  EXPECT_EQ(first(" {\"bucket\":\"drop\",\"key\":\"in/a b.mp4\"}"), event);
  EXPECT_EQ(ParseWebhookMessage("bucket=drop&key=a&key=b", "").events.size(), 2U);
  for (const char* body : {"", "hello", "bucket=drop", "key=a", "bucket=drop&key=%zz"}) {
    EXPECT_THROW(ParseWebhookMessage(body, ""), Error) << body;
  }
}

}  // namespace
}  // namespace ferry
