#include "batch/queue/event_table.h"

#include <algorithm>
#include <future>

#include "batch/queue/prune.h"
#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class EventTableTest : public QueueFixture {
 protected:
  void Tell(const std::vector<std::string>& keys, const std::string& task = "media") {
    std::vector<NewEvent> events;
    for (const std::string& key : keys) events.push_back({task, Key(key)});
    AddEvents(session_, events);
  }
  std::vector<std::string> Waiting(const std::string& task = "media") {
    std::vector<std::string> keys;
    for (const WaitingEvent& event : ReadEvents(session_, task, 1000)) {
      keys.push_back(event.key.bytes());
    }
    return keys;
  }
  void Forget(const std::vector<WaitingEvent>& events) {
    session_.Transact([&](pg::Transaction& tx) { ForgetEvents(tx, "media", events); });
  }
};

using Keys = std::vector<std::string>;

TEST_F(EventTableTest, AKeyWaitsOnceHoweverOftenItIsToldOf) {
  Tell({"in/a", "in/a", "in/b"});
  Tell({"in/a"});
  EXPECT_EQ(Waiting(), (Keys{"in/b", "in/a"}));
  EXPECT_EQ(Waiting("other"), Keys{});
}

TEST_F(EventTableTest, KeysAreBytes) {
  const std::string odd("in/\0\xff{,}\"\\", 9);
  Tell({odd});
  EXPECT_EQ(Waiting(), Keys{odd});
}

TEST_F(EventTableTest, EachTaskHasItsOwn) {
  Tell({"in/a"});
  Tell({"in/a"}, "other");
  Forget(ReadEvents(session_, "media", 10));
  EXPECT_EQ(Waiting(), Keys{});
  EXPECT_EQ(Waiting("other"), Keys{"in/a"});
}

TEST_F(EventTableTest, AreReadAPageAfterAnother) {
  Tell({"in/a"});
  Tell({"in/b"});
  Tell({"in/c"});
  const std::vector<WaitingEvent> first = ReadEvents(session_, "media", 2);
  ASSERT_EQ(first.size(), 2U);
  const std::vector<WaitingEvent> rest = ReadEvents(session_, "media", 2, first.back().number);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].key, Key("in/c"));
}

TEST_F(EventTableTest, WhatIsToldOfAgainMeanwhileIsNotForgotten) {
  Tell({"in/a", "in/b"});
  const std::vector<WaitingEvent> seen = ReadEvents(session_, "media", 10);
  Tell({"in/a"});
  Forget(seen);
  EXPECT_EQ(Waiting(), Keys{"in/a"});
}

TEST_F(EventTableTest, ManyMayTellOfTheSameKeysInAnyOrder) {
  Keys keys;
  for (int i = 0; i < 200; ++i) keys.push_back("in/" + std::to_string(i));
  std::vector<std::future<void>> all;
  for (int teller = 0; teller < 4; ++teller) {
    std::rotate(keys.begin(), keys.begin() + 50, keys.end());
    all.push_back(std::async(std::launch::async, [this, keys] {
      pg::Session session(database_.options());
      std::vector<NewEvent> events;
      for (const std::string& key : keys) events.push_back({"media", Key(key)});
      for (int i = 0; i < 5; ++i) AddEvents(session, events);
    }));
  }
  for (auto& one : all) one.get();
  EXPECT_EQ(Waiting().size(), 200U);
}

TEST_F(EventTableTest, TasksWithKeysThatWaitHaveSomethingToDo) {
  EXPECT_EQ(FindEventTasks(session_, {"media", "other"}), Keys{});
  Tell({"in/a"}, "other");
  EXPECT_EQ(FindEventTasks(session_, {"media", "other"}), Keys{"other"});
}

TEST_F(EventTableTest, AMessageThatIsHandedOutAgainIsSetAsideOnce) {
  const PoisonMessage message{"queue", "id-1", std::string("{\0", 2), "no JSON"};
  AddPoison(session_, message);
  AddPoison(session_, message);
  AddPoison(session_, {"webhook", "", "", "empty"});
  AddPoison(session_, {"webhook", "", "", "empty"});
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.event_aside"), 3);
}

TEST_F(EventTableTest, OfALongMessageTheBeginningIsKept) {
  AddPoison(session_, {std::string("a\0b", 3), "\xff", std::string(kPoisonBytesMax + 1, 'x'),
                       std::string(100'000, 'y')});
  EXPECT_EQ(Ask<std::int64_t>("select octet_length(body) as v from bucketferry.event_aside"),
            static_cast<std::int64_t>(kPoisonBytesMax));
  EXPECT_EQ(Ask<std::string>("select source || message_id as v from bucketferry.event_aside"),
            "a\\x00b\\xff");
}

TEST_F(EventTableTest, WhatWasSetAsideEndsWithHistory) {
  AddPoison(session_, {"webhook", "old", "", "empty"});
  Run("update bucketferry.event_aside set set_aside_at = set_aside_at - interval '40 days'");
  AddPoison(session_, {"webhook", "new", "", "empty"});
  EXPECT_EQ(PruneHistory(session_, std::chrono::hours(30 * 24), {}).messages, 1);
  EXPECT_EQ(Ask<std::string>("select message_id as v from bucketferry.event_aside"), "new");
}

}  // namespace
}  // namespace ferry
