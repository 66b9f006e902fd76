#include "exporter/objects.h"

#include <gmock/gmock.h>

#include "batch/base/error.h"
#include "tests/exporter/status_fixture.h"

namespace ferry::exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ObjectsTest : public test::StatusFixture {
 protected:
  ObjectsPage Read(const ObjectsQuestion& question) {
    Database database(config_, clock_);
    return ReadObjects(question, database, clock_, clock_.SteadyNow() + std::chrono::seconds(20),
                       {});
  }
  std::vector<std::string> Keys(const ObjectsQuestion& question) {
    const ObjectsPage page = Read(question);
    EXPECT_EQ(page.problem, "");
    std::vector<std::string> keys;
    for (const FoundObject& object : page.objects) keys.push_back(Escape(object.key));
    return keys;
  }
  void AddDead(int run, int job, const std::string& key, const std::string& error) {
    AddJob(run, job, key, "dead", ", error, attempts", ", '" + error + "', 5");
  }
};

TEST_F(ObjectsTest, AreThoseOfTheLatestClosedRunUnlessAnotherIsNamed) {
  AddRun(300, "incomplete");
  AddRun(301, "incomplete");
  AddRun(302, "skipped");
  AddRun(303, "copying");
  AddDead(300, 1, "old", "no");
  AddDead(301, 1, "new", "no");
  AddDead(303, 1, "now", "no");
  EXPECT_THAT(Keys({.task = "media"}), ElementsAre("new"));
  EXPECT_THAT(Keys({.task = "media", .run = 300}), ElementsAre("old"));
  EXPECT_THAT(Keys({.task = "media", .run = 303}), ElementsAre("now"));
  EXPECT_THAT(Keys({.task = "other", .run = 300}), IsEmpty()) << "a run of another task";
  EXPECT_THAT(Keys({.task = "media", .run = 302}), IsEmpty());
}

TEST_F(ObjectsTest, ComeByPages) {
  AddRun(300, "incomplete");
  for (int job = 1; job <= 5; ++job) AddDead(300, job, "k" + std::to_string(job), "no");
  const ObjectsPage first = Read({.task = "media", .limit = 2});
  ASSERT_EQ(first.objects.size(), 2U);
  EXPECT_EQ(first.run, 300);
  EXPECT_EQ(first.next, 2);
  EXPECT_EQ(first.objects[0].attempts, 5);
  EXPECT_THAT(Keys({.task = "media", .after = 2, .limit = 2}), ElementsAre("k3", "k4"));
  const ObjectsPage last = Read({.task = "media", .after = 4, .limit = 2});
  EXPECT_EQ(last.objects.size(), 1U);
  EXPECT_EQ(last.next, std::nullopt);
}

TEST_F(ObjectsTest, AreFoundByPartOfTheirKeyOrError) {
  AddRun(300, "incomplete");
  AddDead(300, 1, "reels/a.mov", "Access Denied by the bucket");
  AddDead(300, 2, "reels/b_%.mov", "the source went away");
  AddDead(300, 3, "raw\\377\\001", "the source went away");
  AddJob(300, 4, "reels/done", "pending");
  const auto found = [&](const std::string& text) { return Keys({.task = "media", .find = text}); };
  EXPECT_THAT(found("reels/"), ElementsAre("reels/a.mov", "reels/b_%.mov"));
  EXPECT_THAT(found("REELS/"), IsEmpty()) << "keys are told apart by their case";
  EXPECT_THAT(found("access denied"), ElementsAre("reels/a.mov"));
  EXPECT_THAT(found("_%"), ElementsAre("reels/b_%.mov")) << "no pattern";
  EXPECT_THAT(found("\\xff\\x01"), ElementsAre("raw\\xff\\x01"));
  EXPECT_THAT(found("\\xff"), ElementsAre("raw\\xff\\x01"));
  EXPECT_THAT(found("C:\\dir"), IsEmpty()) << "no escape, and no mistake";
  EXPECT_THAT(found("\xff"), ElementsAre("raw\\xff\\x01"));
  EXPECT_THAT(found("'; drop table x; --"), IsEmpty());
}

TEST_F(ObjectsTest, ASearchLooksAtSoManyAndSaysWhereToGoOn) {
  AddRun(300, "incomplete");
  Sql("insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes,"
      "  source_etag, source_modified_at, finished_at, error)"
      " select 300, i, ('k' || i)::bytea, 'copy', 'missing', 'dead', 1, 'e', now(), now(), 'no'"
      " from generate_series(1, 20001) as i");
  const ObjectsPage first = Read({.task = "media", .find = "k20001"});
  EXPECT_THAT(first.objects, IsEmpty());
  EXPECT_EQ(first.looked_at, 20000);
  EXPECT_EQ(first.next, 20000);
  const ObjectsPage second = Read({.task = "media", .after = *first.next, .find = "k20001"});
  EXPECT_EQ(second.objects.size(), 1U);
  EXPECT_EQ(second.next, std::nullopt);
}

TEST_F(ObjectsTest, MayBeThoseThatVanished) {
  AddRun(300, "complete");
  AddJob(300, 1, "gone", "vanished", ", error", ", 'it is not there any more'");
  AddDead(300, 2, "dead", "no");
  const ObjectsQuestion question{.task = "media", .state = "vanished"};
  EXPECT_THAT(Keys(question), ElementsAre("gone"));
  EXPECT_THAT(ToJson(question, Read(question)),
              HasSubstr("\"error\":\"it is not there any more\""));
}

TEST_F(ObjectsTest, HaveKeysOfAnyBytesInTheirJson) {
  AddRun(300, "incomplete");
  AddDead(300, 1, "<b>\"\\001", "no");
  AddDead(300, 2, "\\303(", "no");
  const ObjectsQuestion question{.task = "media"};
  const Parsed json = Parsed::parse(ToJson(question, Read(question)));
  EXPECT_EQ(json["objects"][0]["key"], std::string("<b>\"\x01"));
  EXPECT_EQ(json["objects"][0]["shown"], "<b>\"\\x01");
  EXPECT_EQ(json["objects"][1]["key_base64"], "wyg=");
  EXPECT_EQ(json["objects"][1]["shown"], "\\xc3(");
}

TEST_F(ObjectsTest, AreNoneWithoutASchema) {
  Sql("drop schema " + database_.schema() + " cascade");
  EXPECT_THAT(Keys({.task = "media"}), IsEmpty());
}

TEST(ObjectsQuestion, IsReadFromTheQuery) {
  HttpRequest request;
  request.query = {{"task", "media"}, {"run", "300"},  {"state", "vanished"},
                   {"after", "7"},    {"find", "a b"}, {"limit", "9"}};
  const ObjectsQuestion question = ParseQuestion(request);
  EXPECT_EQ(question.task, "media");
  EXPECT_EQ(question.run, 300);
  EXPECT_EQ(question.state, "vanished");
  EXPECT_EQ(question.after, 7);
  EXPECT_EQ(question.find, "a b");
  EXPECT_EQ(question.limit, 9);
}

TEST(ObjectsQuestion, IsRefusedWhereItMeansNothing) {
  const std::pair<std::string, std::string> cases[] = {{"run", "x"},
                                                       {"run", "-1"},
                                                       {"state", "done"},
                                                       {"after", "1.5"},
                                                       {"limit", "201"},
                                                       {"find", std::string(1101, 'x')},
                                                       {"after", "99999999999999999999"}};
  for (const auto& parameter : cases) {
    HttpRequest request;
    request.query = {parameter};
    EXPECT_THROW(ParseQuestion(request), Error) << parameter.first << "=" << parameter.second;
  }
}

}  // namespace
}  // namespace ferry::exporter
