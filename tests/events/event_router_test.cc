#include "batch/events/event_router.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

TaskConfig Task(const std::string& name, const std::string& bucket, const std::string& prefix,
                const std::vector<std::string>& from) {
  TaskConfig task;
  task.name = name;
  task.source.bucket = bucket;
  task.source.prefix = prefix;
  task.events.from = from;
  return task;
}

class EventRouterTest : public testing::Test {
 protected:
  std::vector<NewEvent> Route(const std::vector<ObjectEvent>& events,
                              const std::string& source = "webhook") {
    std::vector<NewEvent> routed;
    EventRouter(tasks_, source, counters_).Route(events, routed);
    SortEvents(routed);
    return routed;
  }

  const std::vector<TaskConfig> tasks_ = {
      Task("all", "drop", "", {"webhook", "drops"}), Task("in", "drop", "in/", {"webhook"}),
      Task("other", "elsewhere", "", {"drops"}), Task("quiet", "drop", "", {})};
  EventCounters counters_;
};

TEST_F(EventRouterTest, AnEventIsForEachTaskThatReadsThereAndListensHere) {
  EXPECT_EQ(Route({{"drop", Key("in/a")}}),
            (std::vector<NewEvent>{{"all", Key("in/a")}, {"in", Key("in/a")}}));
  EXPECT_EQ(Route({{"drop", Key("in")}}), (std::vector<NewEvent>{{"all", Key("in")}}));
  EXPECT_EQ(Route({{"drop", Key("in/a")}}, "drops"), (std::vector<NewEvent>{{"all", Key("in/a")}}));
  EXPECT_EQ(counters_.received, 3);
  EXPECT_EQ(counters_.foreign, 0);
}

TEST_F(EventRouterTest, EventsOfOtherBucketsAreCountedAndLeft) {
  EXPECT_TRUE(Route({{"elsewhere", Key("a")}, {"drops", Key("a")}}).empty());
  EXPECT_EQ(counters_.received, 2);
  EXPECT_EQ(counters_.foreign, 2);
}

TEST_F(EventRouterTest, AKeyThatIsNamedTwiceIsOneEvent) {
  EXPECT_EQ(Route({{"drop", Key("b")}, {"drop", Key("a")}, {"drop", Key("b")}}),
            (std::vector<NewEvent>{{"all", Key("a")}, {"all", Key("b")}}));
}

}  // namespace
}  // namespace ferry
