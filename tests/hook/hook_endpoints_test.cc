// What is asked of the hook is in the database before it says so.
#include "batch/hook/hook_endpoints.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/downstream/downstream_fixture.h"

namespace ferry {
namespace {

using testing::HasSubstr;

class HookEndpointsTest : public DownstreamFixture {
 protected:
  MessageAnswer Post(const std::string& body, const std::string& authorization = "",
                     const std::string& path = "/refresh") {
    return HookEndpoints(hook_, intake_)
        .Answer({.method = "POST", .path = path, .authorization = authorization, .body = body});
  }
  MessageAnswer Get(const std::string& path) {
    return HookEndpoints(hook_, intake_)
        .Answer({.method = "GET", .path = path, .authorization = {}, .body = {}});
  }
  static std::string Message(const std::string& labels) {
    return R"({"alerts":[{"status":"firing","labels":{)" + labels + "}}]}";
  }
  static std::string RefreshMessage(std::int64_t run, const std::string& target = "cdn",
                                    const std::string& task = "media") {
    return Message(R"("bucketferry_event":"refresh","task":")" + task + R"(","target":")" + target +
                   R"(","run_id":")" + std::to_string(run) + "\"");
  }
  static std::string EventMessage(const std::string& event, std::int64_t run) {
    return Message(R"("bucketferry_event":")" + event + R"(","task":"media","run_id":")" +
                   std::to_string(run) + "\"");
  }
  std::int64_t Waiting(const std::string& event) {
    return QueueFixture::Ask<std::int64_t>(
        "select count(*) as v from bucketferry.notification where event = $1", event);
  }

  HookConfig hook_;
  bool away_ = false;
  int accepted_ = 0;
  Intake intake_{config_,
                 [this]() -> std::unique_ptr<pg::Session> {
                   if (away_) throw Error(ErrorKind::kUnavailable, "the database is away");
                   return std::make_unique<pg::Session>(database_.options());
                 },
                 [this] { ++accepted_; }};
};

TEST_F(HookEndpointsTest, ARefreshThatIsDueIsAcceptedDurably) {
  const std::int64_t run = CompleteRun(1);
  EXPECT_EQ(Post(RefreshMessage(run)).status, 200);
  EXPECT_EQ(OfRefresh("requested_seq - acknowledged_seq"), 1);
  EXPECT_EQ(accepted_, 1);
}

TEST_F(HookEndpointsTest, ADuplicateOfWhatWasDoneIsAcceptedAndChangesNothing) {
  const std::int64_t run = CompleteRun(1);
  Post(RefreshMessage(run));
  Refresh();
  EXPECT_THAT(Post(RefreshMessage(run)).body, HasSubstr("0 refreshes"));
  Refresh();
  EXPECT_EQ(refreshes_["cdn"].made().size(), 1U);
}

TEST_F(HookEndpointsTest, WhatTheConfigurationDoesNotNameIsAcceptedAndLeft) {
  CompleteRun(1);
  EXPECT_EQ(Post(RefreshMessage(7, "nowhere")).status, 200);
  EXPECT_EQ(Post(RefreshMessage(7, "cdn", "nobody")).status, 200);
  EXPECT_EQ(OfRefresh("requested_seq"), 0);
}

TEST_F(HookEndpointsTest, EventsAreAnnouncedOnce) {
  const std::int64_t run = CompleteRun(1);
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(Post(EventMessage("started", run), "", "/events").status, 200);
    EXPECT_EQ(Post(EventMessage("completed", run), "", "/events").status, 200);
    EXPECT_EQ(Post(EventMessage("failed", run), "", "/events").status, 200);
  }
  EXPECT_EQ(Waiting("started"), 1);
  EXPECT_EQ(Waiting("ended"), 1);
}

TEST_F(HookEndpointsTest, ARunWhoseEventWasReplacedByTheNextIsAnnouncedWithIt) {
  const std::int64_t first = CompleteRun(1);
  Post(EventMessage("completed", first));
  CompleteRun(1);
  CompleteRun(0);
  const std::int64_t last = CompleteRun(1);
  Post(EventMessage("completed", last));
  Post(EventMessage("started", last));
  EXPECT_EQ(Waiting("ended"), 4);
  EXPECT_EQ(Waiting("started"), 4);
}

TEST_F(HookEndpointsTest, RunsFromBeforeTheFirstEventAreNoNews) {
  CompleteRun(1);
  Post(EventMessage("completed", CompleteRun(1)));
  EXPECT_EQ(Waiting("ended"), 1);
}

TEST_F(HookEndpointsTest, WhileTheDatabaseIsAwayNothingIsAcceptedAndAllIsToBeSentAgain) {
  const std::int64_t run = CompleteRun(1);
  away_ = true;
  EXPECT_EQ(Post(RefreshMessage(run)).status, 503);
  EXPECT_EQ(Get("/-/ready").status, 503);
  EXPECT_EQ(Get("/-/healthy").status, 200);
  EXPECT_EQ(accepted_, 0);
  away_ = false;
  EXPECT_EQ(Post(RefreshMessage(run)).status, 200);
  EXPECT_EQ(Get("/-/ready").status, 200);
}

TEST_F(HookEndpointsTest, WithoutTheTokenNobodyGetsIn) {
  const std::int64_t run = CompleteRun(1);
  const test::TemporaryDir dir;
  hook_.token_file = dir.path() + "/token";
  EXPECT_EQ(Post(RefreshMessage(run), "Bearer t0ken").status, 503) << "no file yet: send it again";
  std::ofstream(hook_.token_file) << "t0ken\n";
  EXPECT_EQ(Post(RefreshMessage(run)).status, 401);
  EXPECT_EQ(Post(RefreshMessage(run), "Bearer t0kem").status, 401);
  EXPECT_EQ(Post(RefreshMessage(run), "Basic t0ken").status, 401);
  EXPECT_EQ(OfRefresh("requested_seq"), 0);
  EXPECT_EQ(Post(RefreshMessage(run), "Bearer t0ken").status, 200);
  std::ofstream(hook_.token_file) << "another\n";
  EXPECT_EQ(Post(RefreshMessage(run), "Bearer t0ken").status, 401) << "it was replaced";
}

TEST_F(HookEndpointsTest, OnlyWhatCanNeverBeRightIsRefusedForGood) {
  EXPECT_EQ(Post("{").status, 400);
  EXPECT_EQ(Post(std::string(kAlertBytesMax + 1, ' ')).status, 413);
  EXPECT_EQ(Post("{}", "", "/elsewhere").status, 404);
  EXPECT_EQ(Get("/refresh").status, 405);
}

}  // namespace
}  // namespace ferry
