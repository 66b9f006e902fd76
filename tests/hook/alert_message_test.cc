#include "batch/hook/alert_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/base/error.h"

namespace ferry {
namespace {

// As Alertmanager 0.25 sends it.
std::string Message(const std::string& alerts) {
  return R"({"receiver":"bucketferry-refresh","status":"firing","alerts":[)" + alerts +
         R"(],"groupLabels":{"task":"media"},"commonLabels":{},"commonAnnotations":{},)"
         R"("externalURL":"http://am:9093","version":"4","groupKey":"{}","truncatedAlerts":0})";
}

std::string Alert(const std::string& labels, const std::string& status = "firing") {
  return R"({"status":")" + status + R"(","labels":{)" + labels +
         R"(},"annotations":{"summary":"x"},"startsAt":"2026-11-27T01:00:00Z",)"
         R"("endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"f00"})";
}

TEST(AlertMessage, TellsWhatIsForUs) {
  const AlertMessage message = ParseAlertMessage(Message(
      Alert(R"("alertname":"BucketferryRefreshDue","bucketferry_event":"refresh","task":"media",)"
            R"("target":"cdn","run_id":"1795000007")") +
      "," + Alert(R"("bucketferry_event":"completed","task":"media","run_id":"1795000007")") + "," +
      Alert(R"("alertname":"NodeDown","instance":"a")")));
  ASSERT_EQ(message.signals.size(), 2U);
  EXPECT_EQ(message.signals[0].event, AlertSignal::Event::kRefresh);
  EXPECT_EQ(message.signals[0].task, "media");
  EXPECT_EQ(message.signals[0].target, "cdn");
  EXPECT_EQ(message.signals[0].run_id, 1'795'000'007);
  EXPECT_EQ(message.signals[1].event, AlertSignal::Event::kCompleted);
  EXPECT_EQ(message.foreign, 1);
}

TEST(AlertMessage, WhatIsResolvedSaysNothing) {
  const AlertMessage message = ParseAlertMessage(
      Message(Alert(R"("bucketferry_event":"completed","task":"media","run_id":"7")", "resolved")));
  EXPECT_TRUE(message.signals.empty());
  EXPECT_EQ(message.malformed, 0);
}

TEST(AlertMessage, WhatLacksItsTaskTargetOrRunIsCountedAndLeft) {
  for (const char* labels :
       {R"("bucketferry_event":"refresh","task":"media","run_id":"7")",
        R"("bucketferry_event":"refresh","target":"cdn","run_id":"7")",
        R"("bucketferry_event":"started","task":"media")",
        R"("bucketferry_event":"started","task":"media","run_id":"")",
        R"("bucketferry_event":"started","task":"media","run_id":"1.8e9")",
        R"("bucketferry_event":"started","task":"media","run_id":"-7")",
        R"("bucketferry_event":"started","task":"media","run_id":"99999999999999999999")",
        R"("bucketferry_event":"started","task":"media","run_id":7)"}) {
    const AlertMessage message = ParseAlertMessage(Message(Alert(labels)));
    EXPECT_TRUE(message.signals.empty()) << labels;
    EXPECT_EQ(message.malformed, 1) << labels;
  }
}

TEST(AlertMessage, AnEventOfALaterVersionIsNotForUs) {
  EXPECT_EQ(
      ParseAlertMessage(Message(Alert(R"("bucketferry_event":"paused","task":"media")"))).foreign,
      1);
}

TEST(AlertMessage, WhatIsNoMessageIsRefused) {
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        std::string(R"({"alerts":{}})"), std::string(R"({"alerts":[)"), std::string("\xff\x00", 2),
        std::string(100'000, '['), std::string(kAlertBytesMax + 1, ' ')}) {
    EXPECT_THROW(ParseAlertMessage(body), Error) << body.substr(0, 20);
  }
}

TEST(AlertMessage, AlertsThatAreNoObjectsAreNotForUs) {
  EXPECT_EQ(
      ParseAlertMessage(Message(R"(1, null, "x", [], {"labels": []}, {"labels": 3})")).foreign, 6);
}

}  // namespace
}  // namespace ferry
