// What the commands that only look say, and that they only look.
#include "tests/integration/voyage.h"

namespace ferry {
namespace {

using test::ExitsWith;
using test::Finished;
using test::Json;
using testing::HasSubstr;

class Commands : public test::Voyage {
 protected:
  std::vector<Json> Lines(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }
};

TEST_F(Commands, ADryRunChangesNothingAndMakesNoDatabase) {
  S3({"src", "put", source_bucket(), "a=10", "b=20", "c.tmp=1"});
  S3({"dst", "put", destination_bucket(), "b=20"});
  task().more = ", exclude: [\"*.tmp\"]";
  const Finished finished = Bucketferry({"run", "--dry-run"});
  EXPECT_THAT(finished, ExitsWith(0));
  EXPECT_THAT(finished.out, HasSubstr("copy a ("));
  EXPECT_THAT(finished.out, HasSubstr("copy b ("));
  EXPECT_THAT(finished.out, Not(HasSubstr("c.tmp")));
  EXPECT_FALSE(std::filesystem::exists(config().state_dir));
  EXPECT_EQ(S3({"dst", "keys", destination_bucket()}), "b\n");
}

TEST_F(Commands, ADryRunAfterARunWritesNoRow) {
  S3({"src", "put", source_bucket(), "a=10", "b=20"});
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  S3({"src", "put", source_bucket(), "b=20", "new=5"});
  const Finished finished = Bucketferry({"run", "--dry-run"});
  EXPECT_THAT(finished, ExitsWith(0));
  EXPECT_THAT(finished.out, HasSubstr("copy b ("));
  EXPECT_THAT(finished.out, HasSubstr("copy new ("));
  EXPECT_THAT(finished.out, Not(HasSubstr("copy a (")));
  EXPECT_EQ(Runs().size(), 1u);
}

TEST_F(Commands, ADryRunOfAMissingBucketFails) {
  task().source_bucket = "ferry-there-is-no-such-bucket";
  const Finished finished = Bucketferry({"run", "--dry-run"});
  EXPECT_THAT(finished, ExitsWith(3));
  EXPECT_THAT(finished.err, HasSubstr("ferry-there-is-no-such-bucket"));
}

TEST_F(Commands, StatusHasAllThatTheContractNames) {
  S3({"src", "put", source_bucket(), "a=10"});
  const Finished before = Bucketferry({"status", "--json"});
  EXPECT_THAT(before, ExitsWith(0));
  EXPECT_EQ(Json::parse(before.out),
            Json::parse(R"({"tasks":[{"task":"media","active":false,"runs":[]}]})"));
  EXPECT_FALSE(std::filesystem::exists(config().state_dir));

  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const Json task = Json::parse(Bucketferry({"status", "--json"}).out)["tasks"][0];
  EXPECT_EQ(task["task"], "media");
  EXPECT_EQ(task["active"], false);
  const Json run = task["runs"][0];
  EXPECT_TRUE(run["run"].is_number_integer());
  EXPECT_EQ(run["state"], "complete");
  EXPECT_TRUE(run["error"].is_null());
  for (const char* const name : {"started_at", "finished_at"}) {
    EXPECT_THAT(run[name].get<std::string>(),
                testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z"));
  }
  for (const char* const name : {"source", "planned", "pending", "in_flight", "retry_wait", "done",
                                 "adopted", "deleted", "dead", "vanished", "archived"}) {
    EXPECT_TRUE(run["objects"][name].is_number_integer()) << name;
  }
  EXPECT_EQ(run["bytes"], Json::parse(R"({"planned": 10, "done": 10})"));
  EXPECT_TRUE(run["retries"].is_number_integer());
  EXPECT_GE(run["requests"]["source"], 1);
  EXPECT_GE(run["requests"]["destination"], 1);
}

TEST_F(Commands, StatusShowsAsManyRunsAsAskedFor) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const Json all = Runs();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_GT(all[0]["run"], all[1]["run"]);
  EXPECT_GT(all[1]["run"], all[2]["run"]);
  const Finished two = Bucketferry({"status", "--json", "--runs", "2"});
  EXPECT_EQ(Json::parse(two.out)["tasks"][0]["runs"].size(), 2u);
  EXPECT_THAT(Bucketferry({"status"}).out, HasSubstr("complete"));
}

TEST_F(Commands, JobsAreOneJsonObjectALineWithTheKeyAsItIs) {
  Fill({"--small", "0", "--large"});  // control characters, line breaks, backslashes
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const Finished jobs = Bucketferry({"jobs", "--json"});
  EXPECT_THAT(jobs, ExitsWith(0));
  const std::vector<Json> lines = Lines(jobs.out);
  EXPECT_EQ(static_cast<std::int64_t>(lines.size()), LastObjects("done"));
  std::vector<std::string> keys;
  for (const Json& line : lines) {
    ASSERT_TRUE(line.contains("key") != line.contains("key_base64")) << line;
    keys.push_back(line.at("key"));
    EXPECT_EQ(line["state"], "done");
    EXPECT_TRUE(line["proof"].is_string()) << line;
    EXPECT_TRUE(line["run"].is_number_integer());
  }
  for (const char* const key : {"newline\nhere", "control-\x01-\x1f-\x7f", "back\\slash", "../x",
                                "a//b", "+ %25 & 日本", "zero-byte"}) {
    EXPECT_THAT(keys, testing::Contains(key));
  }
}

TEST_F(Commands, JobsOnATerminalShowNoControlCharacter) {
  Fill({"--small", "0", "--large"});
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const Finished jobs = Bucketferry({"jobs"});
  EXPECT_THAT(jobs.out, HasSubstr("control-\\x01-\\x1f-\\x7f"));
  EXPECT_THAT(jobs.out, HasSubstr("back\\\\slash"));
  for (const char c : jobs.out) {
    EXPECT_FALSE((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f)
        << static_cast<int>(c);
  }
  const Finished one = Bucketferry({"jobs", "--json", "--key", "newline\\x0ahere"});
  ASSERT_EQ(Lines(one.out).size(), 1u) << one;
  EXPECT_EQ(Lines(one.out)[0]["key"], "newline\nhere");
}

TEST_F(Commands, JobsAreFilteredByRunStateAndKey) {
  S3({"src", "put", source_bucket(), "a=1", "b=1", "d/a=1"});
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  const std::string run = LastRun()["run"].dump();
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--run", run}).out).size(), 3u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--run", "1"}).out).size(), 0u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--state", "done"}).out).size(), 3u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--state", "dead"}).out).size(), 0u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--key", "a"}).out).size(), 2u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--key", "d/*"}).out).size(), 1u);
  EXPECT_EQ(Lines(Bucketferry({"jobs", "--json", "--ledger"}).out).size(), 3u);
}

TEST_F(Commands, ExplainSaysWhyAKeyWouldOrWouldNotBeCopied) {
  S3({"src", "put", source_bucket(), "a=10", "skipped.tmp=1"});
  task().more = ", exclude: [\"*.tmp\"]";
  const auto explain = [&](const std::string& key) {
    const Finished finished = Bucketferry({"explain", key});
    EXPECT_THAT(finished, ExitsWith(0));
    return finished.out;
  };
  EXPECT_THAT(explain("a"), HasSubstr("copy (missing)"));
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_THAT(explain("a"), HasSubstr("nothing to do"));
  EXPECT_THAT(explain("skipped.tmp"), HasSubstr("*.tmp"));
  EXPECT_THAT(explain("no-such"), HasSubstr("not there"));
  S3({"dst", "put", destination_bucket(), "a=10"});
  EXPECT_THAT(explain("a"), HasSubstr("copy ("));
  S3({"dst", "delete", destination_bucket(), "a"});
  EXPECT_THAT(explain("a"), HasSubstr("copy (missing)"));
}

TEST_F(Commands, VerifyFindsADestinationThatChanged) {
  S3({"src", "put", source_bucket(), "a=10", "b=10"});
  EXPECT_THAT(Bucketferry({"verify"}), ExitsWith(1)) << "nothing was brought yet";
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_THAT(Bucketferry({"verify"}), ExitsWith(0));
  EXPECT_THAT(Bucketferry({"verify", "--deep"}), ExitsWith(0));
  S3({"dst", "put", destination_bucket(), "b=10"});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"verify"}, {"verify", "--deep"}}) {
    const Finished finished = Bucketferry(words);
    EXPECT_THAT(finished, ExitsWith(1));
    EXPECT_THAT(finished.out, HasSubstr(": b\n"));
    EXPECT_THAT(finished.out, Not(HasSubstr(": a\n")));
  }
  EXPECT_EQ(Runs().size(), 1u) << "verify began a run";
}

TEST_F(Commands, MigrateMakesTheDatabaseAndMayBeStartedManyTimesAtOnce) {
  std::vector<std::unique_ptr<test::Child>> all;
  for (int i = 0; i < 6; ++i) all.push_back(Start({"migrate"}));
  for (const auto& one : all) EXPECT_THAT(Checked(one->Wait()), ExitsWith(0));
  EXPECT_EQ(Runs().size(), 0u);
}

TEST_F(Commands, WorkWithoutARunHasNothingToDo) {
  EXPECT_THAT(Bucketferry({"work"}), ExitsWith(0));
}

TEST_F(Commands, RetryWithoutDeadJobsHasNothingToDo) {
  S3({"src", "put", source_bucket(), "a=10"});
  ASSERT_THAT(Bucketferry({"run"}), ExitsWith(0));
  EXPECT_THAT(Bucketferry({"retry"}), ExitsWith(0));
}

}  // namespace
}  // namespace ferry
