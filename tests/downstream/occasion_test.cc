#include "batch/downstream/occasion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "batch/config/config.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

Occasion Ended() {
  Occasion occasion;
  occasion.event = "ended";
  occasion.target = "team";
  occasion.run = {.run_id = 1'795'000'007,
                  .task = "media",
                  .kind = "scheduled",
                  .state = "incomplete",
                  .closed = true,
                  .source_objects = 20'000,
                  .planned = 12,
                  .done = 10,
                  .dead = 2,
                  .bytes_done = 3 * 1024 * 1024,
                  .seconds = 65,
                  .started_at = "2026-11-27T01:00:00Z",
                  .finished_at = "2026-11-27T01:01:05Z"};
  occasion.dead = {{Key("in/\"a\"\n"), "denied"}};
  occasion.idempotency_key = "media-1795000007-team-ended";
  return occasion;
}

TEST(Occasion, AnEndIsToldWithCountsDurationAndWhatDied) {
  EXPECT_EQ(TextOf(Ended()),
            "bucketferry: task media: run 1795000007 incomplete: 10 of 12 planned objects copied "
            "(3.0 MiB), 2 dead, in 1m05s\n"
            "dead: in/\"a\"\\x0a: denied\n"
            "and 1 more (bucketferry jobs --state dead)");
}

TEST(Occasion, AFailureIsToldWithItsError) {
  Occasion failed = Ended();
  failed.run.state = "failed";
  failed.run.error = "the bucket is away";
  failed.run.dead = 0;
  failed.dead.clear();
  EXPECT_THAT(TextOf(failed), HasSubstr("run 1795000007 failed: 10 of 12"));
  EXPECT_THAT(TextOf(failed), HasSubstr("; the bucket is away"));
}

TEST(Occasion, WhoOnlyAcceptsIsNotSaidToHaveRefreshed) {
  Occasion refreshed = Ended();
  refreshed.event = "refreshed";
  refreshed.outcomes = {{"gateway", RefreshOutcome::kAccepted}, {"mount", RefreshOutcome::kDone}};
  EXPECT_THAT(TextOf(refreshed),
              HasSubstr("known downstream: gateway accepted the refresh, mount refreshed"));
}

TEST(Occasion, AStartSaysThatMoreMayCome) {
  Occasion started = Ended();
  started.event = "started";
  started.run.closed = false;
  EXPECT_THAT(TextOf(started), HasSubstr("started; 12 or more objects to copy"));
  started.run.closed = true;
  EXPECT_THAT(TextOf(started), HasSubstr("started; 12 objects to copy"));
}

TEST(Occasion, AsJsonItIsOneObjectWithTheTextThatChatServicesShow) {
  const Json json = Json::parse(JsonOf(Ended()));
  EXPECT_EQ(json["text"], TextOf(Ended()));
  EXPECT_EQ(json["run"], 1'795'000'007);
  EXPECT_EQ(json["objects"]["dead"], 2);
  EXPECT_EQ(json["finished_at"], "2026-11-27T01:01:05Z");
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_EQ(json["dead"][0]["key"], "in/\"a\"\\x0a");
}

TEST(Occasion, JsonOfBytesThatAreNoTextIsJson) {
  Occasion odd = Ended();
  odd.run.error = "\xff\xfe";
  EXPECT_FALSE(Json::parse(JsonOf(odd), nullptr, false).is_discarded());
}

TEST(Occasion, EveryPlaceholderStandsForSomething) {
  const auto facts = FactsOf(Ended());
  ASSERT_EQ(facts.size(), std::size(kPlaceholders));
  for (const auto& [name, value] : facts) {
    EXPECT_TRUE(name == "error" || !value.empty()) << name;
  }
}

TEST(Occasion, ATemplateIsFilledAndWhatIsNoneStays) {
  const std::string text = R"({"run": {{run}}, "t": "{{task}}", "x": {"y": {}}, "z": "{{nope}}"})";
  EXPECT_EQ(FillTemplate(text, Ended()),
            R"({"run": 1795000007, "t": "media", "x": {"y": {}}, "z": "{{nope}}"})");
}

TEST(Occasion, AFactCannotLeaveItsPlaceInATemplate) {
  Occasion sly = Ended();
  sly.run.error = R"(", "admin": true, "x": "{{run}})";
  const Json json = Json::parse(FillTemplate(R"({"e": "{{error}}"})", sly));
  EXPECT_EQ(json.size(), 1U);
  EXPECT_EQ(json["e"], R"(", "admin": true, "x": "{{run}})");
}

}  // namespace
}  // namespace ferry
