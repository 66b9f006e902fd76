#include "batch/copy/restore.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

class RestoreTest : public CopyFixture {
 protected:
  ObjectToCopy AddArchived(const std::string& storage_class = "GLACIER") {
    const ObjectToCopy object = Add("a", "1");
    source_.objects().at(Key("s/a")).storage_class = storage_class;
    return object;
  }
  SideError Ask(const ObjectToCopy& object) {
    Ends both = ends();
    both.restore = wanted_ ? &rules_ : nullptr;
    const SideError archived(Side::kSource, Error(ErrorKind::kArchived, "it is archived"));
    return Await([&] { return AskForRestoring(both, object, archived); });
  }

  bool wanted_ = true;
  const RestoreRules rules_{"Bulk", 5};
};

TEST_F(RestoreTest, NothingIsRestoredWithoutBeingAskedFor) {
  wanted_ = false;
  const SideError said = Ask(AddArchived());
  EXPECT_STREQ(said.what(), "it is archived");
  EXPECT_NE(said.code(), kBeingRestored);
  EXPECT_TRUE(source_.calls().empty());
}

TEST_F(RestoreTest, AskingNamesTheTierAndTheDaysAndIsSaid) {
  const SideError said = Ask(AddArchived());
  EXPECT_EQ(said.kind(), ErrorKind::kArchived);
  EXPECT_EQ(said.side(), Side::kSource);
  EXPECT_EQ(said.code(), kBeingRestored);
  EXPECT_STREQ(said.what(), "its restoring was asked for (Bulk, 5 days); a later run copies it");
  ASSERT_EQ(source_.restores().size(), 1U);
  EXPECT_EQ(source_.restores()[0].key, Key("s/a"));
  EXPECT_EQ(source_.restores()[0].tier, "Bulk");
  EXPECT_EQ(source_.restores()[0].days, 5U);
}

TEST_F(RestoreTest, WhatIsBeingRestoredIsNotAskedForAgain) {
  const ObjectToCopy object = AddArchived();
  Ask(object);
  const SideError said = Ask(object);
  EXPECT_EQ(said.code(), kBeingRestored);
  EXPECT_STREQ(said.what(), "the object is being restored from its archive");
  EXPECT_EQ(source_.restores().size(), 1U);
}

TEST_F(RestoreTest, WhatCanBeReadByNowIsNotAskedForAgain) {
  const ObjectToCopy object = AddArchived();
  source_.objects().at(Key("s/a")).restored = true;
  EXPECT_EQ(Ask(object).kind(), ErrorKind::kConflict);
  EXPECT_TRUE(source_.restores().empty());
}

TEST_F(RestoreTest, DaysAreNotSaidWhereTheStoreMovesObjectsByItself) {
  Ask(AddArchived("INTELLIGENT_TIERING"));
  EXPECT_EQ(source_.restores().at(0).days, 0U);
}

TEST_F(RestoreTest, ARefusalToRestoreIsAFailureOfTheSource) {
  const ObjectToCopy object = AddArchived();
  source_.FailCall("restore", 1, Moment::kBeforeEffect, Error(ErrorKind::kDenied, "no"));
  EXPECT_EQ(Failure([&] {
              Ends both = ends();
              both.restore = &rules_;
              const SideError archived(Side::kSource, Error(ErrorKind::kArchived, "archived"));
              return AskForRestoring(both, object, archived);
            }),
            "source:denied");
}

TEST_F(RestoreTest, NoUploadIsBegunForWhatCannotBeRead) {
  const ObjectToCopy object = AddArchived();
  SplitOptions options;
  options.part_bytes = 1;
  Settlement settlement;
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement); }),
            "source:archived");
  EXPECT_EQ(destination_.open_uploads(), 0U);
  source_.objects().at(Key("s/a")).restored = true;
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement); }), "none");
}

}  // namespace
}  // namespace ferry
