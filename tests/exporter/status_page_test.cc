#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/status.h"
#include "tests/exporter/exporter_fixture.h"

namespace ferry::exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

Status OneBadRun() {
  Status status;
  status.runs = {{.task = "media",
                  .run = 7,
                  .state = "incomplete",
                  .started_at = "2026-11-21 00:00:00",
                  .seconds = 3725,
                  .planned = 12,
                  .done = 11,
                  .dead = 1,
                  .bytes_planned = 4096,
                  .bytes_done = 3000,
                  .error = {}}};
  status.dead = {{.task = "media",
                  .run = 7,
                  .key = Key(std::string("a<script>\0&\xff", 12)),
                  .attempts = 5,
                  .error = "\"refused\""}};
  return status;
}

TEST(StatusPage, ShowsRunsAndDeadObjects) {
  const std::string page =
      RenderStatus(test::MakeConfig({"media", "other"}), OneBadRun(), Detail::kFull);
  EXPECT_THAT(page, HasSubstr("<td>7</td><td class=\"text bad\">incomplete</td>"));
  EXPECT_THAT(page, HasSubstr("<td>1 h 02 m</td>"));
  EXPECT_THAT(page, HasSubstr("2.9 KiB / 4.0 KiB"));
  EXPECT_THAT(page, HasSubstr("overseas/media-src/in/ &rarr; china/media-dst/from-partner/"));
  EXPECT_THAT(page, HasSubstr("<p>No run yet.</p>"));
}

TEST(StatusPage, EscapesKeysAndErrors) {
  const std::string page = RenderStatus(test::MakeConfig({"media"}), OneBadRun(), Detail::kFull);
  EXPECT_THAT(page, HasSubstr("a&lt;script&gt;\\x00&amp;\\xff"));
  EXPECT_THAT(page, HasSubstr("&quot;refused&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

TEST(StatusPage, LoadsNothingFromElsewhere) {
  const std::string page = RenderStatus(test::MakeConfig({"media"}), OneBadRun(), Detail::kFull);
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
}

TEST(StatusPage, SaysWhenThereAreNoNumbers) {
  Status status;
  status.problem = "<away>";
  const std::string page = RenderStatus(test::MakeConfig({"media"}), status, Detail::kFull);
  EXPECT_THAT(page, HasSubstr("No numbers: &lt;away&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("No run yet")));
}

}  // namespace
}  // namespace ferry::exporter
