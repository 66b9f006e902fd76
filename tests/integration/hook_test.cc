// The hook as a program, and runs that call their targets themselves.
#include "tests/integration/pipeline.h"

namespace ferry {
namespace {

using test::Eventually;
using test::ExitsWith;
using test::Json;
using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Hook : public test::Voyage {
 protected:
  void SetUp() override {
    Voyage::SetUp();
    cdn_.AnswerAlways({.bytes = test::HttpText(200)});
    team_.AnswerAlways({.bytes = test::HttpText(200)});
    SetTargets("");
    Via("alertmanager");
  }
  void SetTargets(const std::string& hook) {
    config().before = "refresh_targets: {cdn: {type: webhook, url: \"" + cdn_.url() +
                      "\"}}\nnotify_targets: {team: {type: webhook, url: \"" + team_.url() +
                      "\"}}\n" + hook;
  }
  void Via(const std::string& via) {
    task().more = ", refresh: {targets: [cdn], via: " + via +
                  "}, notify: {targets: [team], via: " + via + "}";
  }
  void StartHook() {
    hook_ = Start({"hook", "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(Eventually([&] { return test::ListeningPort(*hook_) != 0; })) << hook_->err();
    port_ = test::ListeningPort(*hook_);
  }
  void StopHook() {
    hook_->Signal(SIGTERM);
    EXPECT_THAT(Checked(hook_->Wait(30s)), ExitsWith(0));
  }
  test::Finished Curl(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/curl", "-sS", "--max-time", "20", "-o", "/dev/null",
                                 "-w", "%{http_code}"});
    return test::Child(words, environment(), dir()).Wait();
  }
  std::string RefreshDue(std::int64_t run) {
    return R"({"alerts":[{"status":"firing","labels":{"bucketferry_event":"refresh",)"
           R"("task":"media","target":"cdn","run_id":")" +
           std::to_string(run) + "\"}}]}";
  }
  std::int64_t Unacknowledged() {
    return Number(
        "select count(*) as n from bucketferry.refresh"
        " where acknowledged_seq < required_seq");
  }
  void Bring(const std::string& key) {
    S3({"src", "put", source_bucket(), key + "=100"});
    EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  }

  test::ScriptedHttpServer cdn_;
  test::ScriptedHttpServer team_;
  std::unique_ptr<test::Child> hook_;
  int port_ = 0;
};

TEST_F(Hook, IsNotOpenToAnybody) {
  const test::Finished open = Bucketferry({"hook", "--listen", "0.0.0.0:0"});
  EXPECT_THAT(open, ExitsWith(2));
  EXPECT_THAT(open.err, AllOf(HasSubstr("anybody could come in"), HasSubstr("token_file")));
}

TEST_F(Hook, SaysThatItWouldHaveNothingToDo) {
  task().more = "";
  const test::Finished idle = Bucketferry({"hook", "--listen", "127.0.0.1:0"});
  EXPECT_THAT(idle, ExitsWith(2));
  EXPECT_THAT(idle.err, HasSubstr("refresh or notify"));
}

TEST_F(Hook, DoesAfterAKillWhatItHadAccepted) {
  Bring("a");
  cdn_.AnswerAlways({.bytes = test::HttpText(503)});
  StartHook();
  const std::string url = "http://127.0.0.1:" + std::to_string(port_) + "/refresh";
  EXPECT_EQ(Curl({"-d", RefreshDue(LastRun().at("run")), url}).out, "200");
  ASSERT_TRUE(Eventually([&] { return cdn_.seen() >= 1; }));
  hook_->Signal(SIGKILL);
  hook_->Wait();
  EXPECT_EQ(Unacknowledged(), 1);
  cdn_.AnswerAlways({.bytes = test::HttpText(200)});
  StartHook();
  EXPECT_TRUE(Eventually([&] { return Unacknowledged() == 0; }, 120s)) << hook_->err();
  StopHook();
}

TEST_F(Hook, AsksForACertificateWhereItIsToldTo) {
  const auto openssl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/openssl");
    EXPECT_THAT(test::Child(words, environment(), dir()).Wait(), ExitsWith(0));
  };
  const auto file = [&](const std::string& name) { return (dir() / name).string(); };
  const std::vector<std::string> key = {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                        "-nodes"};
  const auto request = [&](std::vector<std::string> words, std::vector<std::string> more) {
    words.insert(words.end(), key.begin(), key.end());
    words.insert(words.end(), more.begin(), more.end());
    openssl(words);
  };
  request({"req", "-x509", "-days", "1", "-subj", "/CN=authority"},
          {"-keyout", file("ca.key"), "-out", file("ca.pem")});
  for (const std::string name : {"server", "client"}) {
    // A client's certificate says who it is, and nothing of where it is.
    std::ofstream(dir() / (name + ".ext"))
        << (name == "server" ? "subjectAltName=IP:127.0.0.1\n" : "keyUsage=digitalSignature\n");
    request({"req", "-new", "-subj", "/CN=" + name},
            {"-keyout", file(name + ".key"), "-out", file(name + ".csr")});
    openssl({"x509", "-req", "-days", "1", "-in", file(name + ".csr"), "-CA", file("ca.pem"),
             "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file(name + ".ext"), "-out",
             file(name + ".pem")});
  }
  SetTargets("hook: {tls: {certificate: " + file("server.pem") + ", key: " + file("server.key") +
             ", client_ca: " + file("ca.pem") + "}}\n");
  StartHook();
  const std::string url = "https://127.0.0.1:" + std::to_string(port_) + "/events";
  const std::vector<std::string> message = {"--cacert", file("ca.pem"), "-d", R"({"alerts":[]})"};
  std::vector<std::string> without = message, with = message;
  without.push_back(url);
  with.insert(with.end(), {"--cert", file("client.pem"), "--key", file("client.key"), url});
  EXPECT_NE(Curl(without).out, "200");
  EXPECT_EQ(Curl(with).out, "200");
  StopHook();

  SetTargets("hook: {tls: {certificate: " + file("none.pem") + ", key: " + file("server.key") +
             "}}\n");
  EXPECT_THAT(Bucketferry({"hook", "--listen", "127.0.0.1:0"}), ExitsWith(2));
}

TEST_F(Hook, IsNotNeededByARunThatCallsItsTargetsItself) {
  Via("run");
  Bring("a");
  const std::int64_t run = LastRun().at("run");
  const Json call = Json::parse(cdn_.Take().body);
  EXPECT_EQ(call.at("run"), run);
  EXPECT_EQ(call.at("state"), "complete");
  EXPECT_EQ(Unacknowledged(), 0);
  EXPECT_EQ(team_.seen(), 3U) << "started, ended, refreshed";

  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(cdn_.seen(), 1U);
  EXPECT_EQ(team_.seen(), 3U);

  // What could not be done is the next run's to do, although that one changes nothing.
  cdn_.AnswerAlways({.bytes = test::HttpText(503)});
  S3({"src", "put", source_bucket(), "b=100"});
  const test::Finished late = Bucketferry({"run"}, 180s);
  EXPECT_THAT(late, ExitsWith(0)) << "the objects are there";
  EXPECT_THAT(late.err, HasSubstr("the next run of the task tries again"));
  cdn_.AnswerAlways({.bytes = test::HttpText(200)});
  Number("update bucketferry.refresh set next_try_at = clock_timestamp() returning 1::bigint as n");
  EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_EQ(Unacknowledged(), 0);
}

}  // namespace
}  // namespace ferry
