// What a task with a bad `list` or `compare` is answered.
#include <gtest/gtest.h>

#include "tests/config/config_file.h"

namespace ferry {
namespace {

class BadListTest : public testing::Test, protected test::ConfigFile {
 protected:
  std::string Task(const std::string& line) const {
    return test::kSmallest + ("    " + line + "\n");
  }
};

TEST_F(BadListTest, WhatIsNotComparedIsNeitherDeletedNorDividedIntoRuns) {
  EXPECT_EQ(Failure(Task("compare: non")),
            "f.yaml:8: tasks[0].compare: \"non\" is unknown; did you mean \"none\"?");
  EXPECT_EQ(Failure(Task("compare: none\n    delete: extra")),
            "f.yaml:9: tasks[0].delete: deletes need to know what the destination has: not with "
            "`compare: none`");
  EXPECT_EQ(Failure(Task("compare: none\n    max_objects: 5")),
            "f.yaml:8: tasks[0].compare: none, with max_objects or max_bytes: each run would plan "
            "the same objects");
  EXPECT_EQ(Failure(Task("compare: none")), "accepted");
}

TEST_F(BadListTest, AListIsOfKeysOrPrefixesAndDeletesNothing) {
  EXPECT_EQ(Failure(Task("list: {}")),
            "f.yaml:8: tasks[0].list: is one of {keys: FILE}, {prefixes: FILE} and {inventory: "
            "{...}}");
  EXPECT_EQ(Failure(Task("list: {keys: a, prefixes: b}")),
            "f.yaml:8: tasks[0].list: is one of {keys: FILE}, {prefixes: FILE} and {inventory: "
            "{...}}");
  EXPECT_EQ(Failure(Task("list: {keys: a}\n    delete: extra")),
            "f.yaml:9: tasks[0].delete: deletes need to know all that the source has: not with "
            "`list`");
  EXPECT_EQ(Failure(Task("list: {prefixes: b}")), "accepted");
  EXPECT_EQ(Failure(Task("list: {inventory: {bucket: reports, manifest: inv/}}")), "accepted");
  EXPECT_EQ(Failure(Task("list: {inventory: {bucket: reports, manifest: inv/x.csv}}")),
            "f.yaml:8: tasks[0].list.inventory.manifest: \"inv/x.csv\" is neither the key of a "
            "manifest.json nor a folder, which ends in /");
  EXPECT_EQ(Failure(Task("list: {inventory: {bucket: reports}}")),
            "f.yaml:8: tasks[0].list.inventory: lacks \"manifest\"");
}

TEST_F(BadListTest, EventsNameAnyKeyAndSoDoNotGoWithAListOfThem) {
  EXPECT_EQ(Failure(Task("list: {keys: a}\n    events: {from: [webhook]}")),
            "f.yaml:9: tasks[0].events: an event may name any key: not with `list: keys` or "
            "`prefixes`");
}

}  // namespace
}  // namespace ferry
