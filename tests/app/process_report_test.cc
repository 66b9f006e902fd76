// What a process says of itself in rows, over real stores' answers and a real database.
#include "batch/app/process_report.h"

#include <gmock/gmock.h>

#include <fstream>

#include "batch/app/commands.h"
#include "batch/store/s3_values.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using test::HttpText;
using test::KindOf;

class ProcessReportTest : public QueueFixture {
 protected:
  ProcessReportTest() {
    config_.database.kind = DatabaseConfig::Kind::kExternal;
    config_.database.uri = Secret(database_.options().uri);
    config_.database_schema = database_.options().schema;
    for (const auto& [name, url] : {std::pair("far", far_.url()), std::pair("near", near_.url())}) {
      StoreConfig store;
      store.name = name;
      store.region = "us-east-1";
      store.endpoint = ParseEndpoint(url);
      store.credentials.kind = CredentialsConfig::Kind::kFile;
      store.credentials.file = folder_.path() + "/" + name + ".json";
      config_.stores.push_back(store);
      WriteKeys(name);
    }
    TaskConfig task;
    task.name = "media";
    task.source = {"far", "src", ""};
    task.destination = {"near", "dst", ""};
    config_.tasks.push_back(task);
  }
  ~ProcessReportTest() override { runner_.Stop(); }

  void WriteKeys(const std::string& store, const std::string& more = "") {
    std::ofstream(folder_.path() + "/" + store + ".json")
        << R"({"access_key_id": "k", "secret_access_key": "s")" << more << "}";
  }
  static test::ScriptedAnswer Refusal(const std::string& code, int status = 403) {
    return {.bytes = HttpText(status, {}, "<Error><Code>" + code + "</Code></Error>")};
  }
  static test::ScriptedAnswer EmptyList() {
    return {.bytes = HttpText(200, {},
                              "<ListBucketResult><IsTruncated>false</IsTruncated>"
                              "</ListBucketResult>")};
  }
  void Begin() {
    stores_.emplace(config_, environment_, runner_.clock());
    report_.emplace(*stores_, runner_.clock());
    ends_ = stores_->Make(runner_.loop(), "media");
  }
  // Requests to the destination.
  std::string Put() {
    PutRequest put;
    put.key = Key("k");
    put.body = "abc";
    put.bytes = 3;
    return KindOf([&] { runner_.Await([&] { return ends_->ends().destination.Put(put); }); });
  }
  std::string PutThatIsAnswered() {
    near_.Answer({.bytes = HttpText(200, {{"ETag", "\"900150983cd24fb0d6963f7d28e17f72\""}})});
    return Put();
  }
  std::string List() {
    return KindOf([&] { runner_.Await([&] { return ends_->ends().destination.List({}); }); });
  }
  // "destination put 2 1, ..." with requests and errors.
  std::string Requests() {
    return Ask<std::string>(
        "select coalesce(string_agg(side || ' ' || operation || ' ' || requests || ' ' || errors,"
        " ', ' order by side, operation), '') as v from bucketferry.request_total");
  }
  // "destination refused"
  std::string Credentials() {
    return Ask<std::string>(
        "select coalesce(string_agg(side || ' ' || case when coalesce(refused_at > accepted_at,"
        " refused_at is not null) then 'refused' else 'accepted' end, ', ' order by side), '') as v"
        " from bucketferry.credential");
  }
  std::optional<std::string> Expiry() {
    return Ask<std::optional<std::string>>(
        "select to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as v"
        " from bucketferry.credential where side = 'destination'");
  }

  test::TemporaryDir folder_;
  test::ScriptedHttpServer far_, near_;
  test::LoopRunner runner_;
  ProcessEnvironment environment_;
  Config config_;
  std::optional<Stores> stores_;
  std::optional<ProcessReport> report_;
  std::unique_ptr<TaskEnds> ends_;
};

TEST_F(ProcessReportTest, CountsEachAttemptAndWhatCameOfIt) {
  Begin();
  EXPECT_EQ(PutThatIsAnswered(), "none");
  near_.Answer(Refusal("SlowDown", 503));
  EXPECT_EQ(Put(), "throttled");
  report_->Write(session_);
  EXPECT_EQ(Requests(), "destination put 2 1");
  EXPECT_EQ(Ask<std::int64_t>("select (select sum(b) from unnest(buckets) b)::bigint as v"
                              " from bucketferry.request_total"),
            2);
  EXPECT_GT(Ask<std::int64_t>("select microseconds as v from bucketferry.request_total"), 0);
}

TEST_F(ProcessReportTest, CountsRetriesByWhatWentWrong) {
  Begin();
  near_.Answer(Refusal("SlowDown", 503));
  near_.Answer(Refusal("InternalError", 500));
  near_.Answer({.bytes = HttpText(502)});
  near_.Answer(EmptyList());
  EXPECT_EQ(List(), "none");
  report_->Write(session_);
  EXPECT_EQ(Requests(), "destination list 4 3");
  EXPECT_EQ(Ask<std::string>("select string_agg(reason || ' ' || retries, ', ' order by reason)"
                             " as v from bucketferry.retry_total"),
            "server 2, throttle 1");
}

TEST_F(ProcessReportTest, NothingIsWrittenAfterTheEnd) {
  Begin();
  PutThatIsAnswered();
  report_->Write(session_);
  PutThatIsAnswered();
  report_->End(session_);
  EXPECT_EQ(Requests(), "destination put 2 0");
  PutThatIsAnswered();
  report_->Write(session_);  // a heartbeat that came late
  report_->End(session_);
  EXPECT_EQ(Requests(), "destination put 2 0");
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.request_total"
                              " where process <> ''"),
            0);
}

TEST_F(ProcessReportTest, TellsWhatTheStoresSayToTheCredentials) {
  WriteKeys("near", R"(, "expiration": "2030-01-02T03:04:05Z")");
  Begin();
  report_->Write(session_);
  EXPECT_EQ(Credentials(), "") << "nothing was asked yet";
  PutThatIsAnswered();
  report_->Write(session_);
  EXPECT_EQ(Credentials(), "destination accepted");
  EXPECT_EQ(Expiry(), "2030-01-02 03:04:05");
  // The file says the same when it is read again.
  near_.Answer(Refusal("InvalidAccessKeyId"));
  EXPECT_EQ(Put(), "credentials");
  report_->Write(session_);
  EXPECT_EQ(Credentials(), "destination refused");
  PutThatIsAnswered();
  report_->Write(session_);
  EXPECT_EQ(Credentials(), "destination accepted");
}

TEST_F(ProcessReportTest, KeysThatWereRenewedBringTheirExpiration) {
  WriteKeys("near", R"(, "expiration": "2030-01-02T03:04:05Z")");
  Begin();
  PutThatIsAnswered();
  report_->Write(session_);
  WriteKeys("near", R"(, "expiration": "2031-01-02T03:04:05Z")");
  // The file is looked at once a second.
  for (int i = 0; i < 5000 && Expiry() != "2031-01-02 03:04:05"; ++i) {
    EXPECT_EQ(PutThatIsAnswered(), "none");
    report_->Write(session_);
  }
  EXPECT_EQ(Credentials(), "destination accepted");
  EXPECT_EQ(Expiry(), "2031-01-02 03:04:05");
}

TEST_F(ProcessReportTest, AnonymousRequestsSayNothingOfCredentials) {
  for (StoreConfig& store : config_.stores) {
    store.credentials.kind = CredentialsConfig::Kind::kAnonymous;
  }
  Begin();
  PutThatIsAnswered();
  report_->Write(session_);
  EXPECT_EQ(Credentials(), "");
  EXPECT_EQ(Requests(), "destination put 1 0");
}

// The end of a command, whatever it ended with.
class LastWordsTest : public ProcessReportTest {
 protected:
  int Plan() {
    const CommandLine line;
    CommandContext context{line,         config_,         {&config_.tasks.front()},
                           environment_, runner_.clock(), {}};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = PlanTasks(context);
    testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
    return code;
  }
};

TEST_F(LastWordsTest, AFirstListThatIsRefusedIsToldWhenThePlanFailsAtOnce) {
  far_.AnswerAlways(Refusal("InvalidAccessKeyId"));
  near_.AnswerAlways(EmptyList());
  EXPECT_EQ(Plan(), kExitFailed);
  EXPECT_THAT(Credentials(), testing::HasSubstr("source refused"));
  EXPECT_THAT(Requests(), testing::HasSubstr("source list 1 1"));
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.request_total"
                              " where process <> ''"),
            0);
}

TEST_F(LastWordsTest, KeysThatAreNotToBeHadAreRefusedKeys) {
  config_.stores[0].credentials.file = "/nowhere.json";
  near_.AnswerAlways(EmptyList());
  EXPECT_EQ(Plan(), kExitFailed);
  EXPECT_THAT(Credentials(), testing::HasSubstr("source refused"));
}

}  // namespace
}  // namespace ferry
