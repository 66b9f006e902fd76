#include "batch/copy/deep_compare.h"

#include <gmock/gmock.h>

#include "batch/copy/belongings.h"
#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeepCompareTest : public CopyFixture {
 protected:
  // The same bytes on both sides.
  ObjectPair AddPair(const std::string& name, const std::string& bytes) {
    source_.Add("s/" + name, bytes);
    destination_.Add("d/" + name, bytes);
    return PairOf(name);
  }
  ObjectPair PairOf(const std::string& name) {
    const test::StoredObject& here = source_.objects().at(Key("s/" + name));
    const test::StoredObject& there = destination_.objects().at(Key("d/" + name));
    return {Key("s/" + name), Key("d/" + name), here.etag, there.etag, here.bytes.size()};
  }
  // "s/a: bytes differ from byte 3 of 9"; "s/a: equal", "s/a: changed", "s/a: failed: ...".
  std::vector<std::string> Read(const std::vector<ObjectPair>& pairs, DeepOptions options) {
    std::vector<std::string> told;
    DeepCompare deep({ends(), ends()}, options,
                     {[&](const PairFinding& finding) {
                        const std::string key = finding.source_key.bytes() + ": ";
                        if (finding.outcome == PairFinding::Outcome::kChanged) {
                          told.push_back(key + "changed");
                        } else if (finding.outcome == PairFinding::Outcome::kFailed) {
                          told.push_back(key + "failed: " + finding.error->what());
                        } else if (finding.differences.empty()) {
                          told.push_back(key + "equal");
                        }
                        for (const auto& line : finding.differences) told.push_back(key + line);
                      },
                      [] {}});
    for (const ObjectPair& pair : pairs) deep.Add(pair);
    deep.Finish();
    read_bytes_ = deep.read_bytes();
    std::sort(told.begin(), told.end());
    return told;
  }
  std::vector<std::string> Read(const ObjectPair& pair) { return Read({pair}, kOptions); }

  static constexpr DeepOptions kOptions{1000, 4, std::chrono::milliseconds(0)};
  std::uint64_t read_bytes_ = 0;
};

TEST_F(DeepCompareTest, EqualObjectsOfEverySizeAreEqual) {
  std::vector<ObjectPair> pairs;
  std::vector<std::string> expected;
  std::uint64_t bytes = 0;
  for (const std::size_t size : {0, 1, 999, 1000, 1001, 2000, 12'345}) {
    pairs.push_back(AddPair(std::to_string(size), Bytes(size)));
    expected.push_back("s/" + std::to_string(size) + ": equal");
    bytes += 2 * size;
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Read(pairs, kOptions), expected);
  EXPECT_EQ(read_bytes_, bytes) << "each byte is read once on each side";
}

TEST_F(DeepCompareTest, TheFirstDifferingByteIsNamedWhereverItIs) {
  for (const std::size_t at : {0, 999, 1000, 1001, 4999, 5000}) {
    AddPair("a", Bytes(5001));
    std::string other = Bytes(5001);
    other[at] = static_cast<char>(other[at] ^ 1);
    other[5000] = static_cast<char>(other[5000] + 64);
    destination_.Add("d/a", other);
    EXPECT_THAT(Read(PairOf("a")),
                ElementsAre("s/a: bytes differ from byte " + std::to_string(at) + " of 5001"));
  }
}

TEST_F(DeepCompareTest, SidesMayComeInPiecesOfAnySize) {
  AddPair("a", Bytes(5000));
  std::string other = Bytes(5000);
  other[4321] = static_cast<char>(other[4321] ^ 1);
  destination_.Add("d/b", other);
  source_.Add("s/b", Bytes(5000));
  source_.piece_bytes = 7;
  destination_.piece_bytes = 64;
  EXPECT_THAT(Read({PairOf("a"), PairOf("b")}, kOptions),
              ElementsAre("s/a: equal", "s/b: bytes differ from byte 4321 of 5000"));
}

TEST_F(DeepCompareTest, OneSpoiltReadIsReadAgainAndIsNoDifference) {
  const ObjectPair pair = AddPair("a", Bytes(100));
  int reads = 0;
  source_.before = [&](std::string_view operation, const Key&) {
    if (operation == "get") source_.spoils_reads = ++reads == 1;
  };
  EXPECT_THAT(Read(pair), ElementsAre("s/a: equal"));
  EXPECT_EQ(reads, 2);
}

TEST_F(DeepCompareTest, HeadersAndTagsAreComparedToo) {
  AddPair("a", Bytes(5000));
  source_.objects().at(Key("s/a")).metadata = {{{"x-amz-meta-a", "1"}}, {{"team", "film"}}};
  destination_.objects().at(Key("d/a")).metadata = {{{"x-amz-meta-a", "2"}}, {}};
  EXPECT_THAT(Read(PairOf("a")),
              ElementsAre("s/a: metadata x-amz-meta-a differs (source \"1\", destination \"2\")",
                          "s/a: tags differ (source \"team=film\", destination none)"));
}

TEST_F(DeepCompareTest, TagsAreAskedForOnlyWhereThereAreSome) {
  Read(AddPair("a", Bytes(5000)));
  EXPECT_EQ(source_.CountCalls("get_tags") + destination_.CountCalls("get_tags"), 0);
  EXPECT_EQ(source_.CountCalls("head") + destination_.CountCalls("head"), 0);
}

TEST_F(DeepCompareTest, ASourceThatWasOverwrittenIsLookedAtAgain) {
  // Both sides were renewed after they were listed: equal again.
  const ObjectPair listed = AddPair("a", Bytes(5000));
  AddPair("a", "the new bytes");
  EXPECT_THAT(Read(listed), ElementsAre("s/a: equal"));
  // Only the source was: whatever differs now is not a fault of the copy.
  for (const std::string& bytes : {std::string("another length"), std::string(13, 'x')}) {
    const ObjectPair before = AddPair("a", "the new bytes");
    source_.Add("s/a", bytes);
    EXPECT_THAT(Read(before), ElementsAre("s/a: changed"));
  }
}

TEST_F(DeepCompareTest, ADestinationThatWasOverwrittenIsADifference) {
  ObjectPair listed = AddPair("a", Bytes(13));
  destination_.Add("d/a", std::string(13, 'x'));
  EXPECT_THAT(Read(listed), ElementsAre(HasSubstr("bytes differ from byte ")));
  listed = AddPair("a", Bytes(13));
  destination_.objects().clear();
  EXPECT_THAT(Read(listed), ElementsAre("s/a: missing"));
}

TEST_F(DeepCompareTest, WhatNeverHoldsStillIsLookedAtThreeTimesAndNeverADifference) {
  const ObjectPair pair = AddPair("a", Bytes(9));
  int version = 0;
  destination_.before = [&](std::string_view operation, const Key&) {
    if (operation == "get") destination_.Add("d/a", "version " + std::to_string(++version % 10));
  };
  EXPECT_THAT(Read(pair), ElementsAre("s/a: changed"));
  EXPECT_EQ(destination_.CountCalls("head"), 3);
}

TEST_F(DeepCompareTest, AnObjectThatVanishedAtTheSourceHasChanged) {
  const ObjectPair pair = AddPair("a", Bytes(9));
  source_.objects().clear();
  EXPECT_THAT(Read(pair), ElementsAre("s/a: changed"));
}

TEST_F(DeepCompareTest, ARefusedReadIsAFailureAndOthersGoOn) {
  const std::vector<ObjectPair> pairs = {AddPair("a", Bytes(9)), AddPair("b", Bytes(9))};
  destination_.before = [&](std::string_view operation, const Key& key) {
    if (operation == "get" && key == Key("d/a")) throw Error(ErrorKind::kDenied, "denied");
  };
  EXPECT_THAT(Read(pairs, kOptions), ElementsAre("s/a: failed: denied", "s/b: equal"));
}

TEST_F(DeepCompareTest, ACutReadIsTriedAgain) {
  const ObjectPair pair = AddPair("a", Bytes(5000));
  source_.FailCall("get", 2, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "cut"));
  EXPECT_THAT(Read(pair), ElementsAre("s/a: equal"));
}

TEST_F(DeepCompareTest, NoMoreIsUnderWayThanAllowed) {
  std::vector<ObjectPair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back(AddPair(std::to_string(i), Bytes(3000)));
  source_.pauses_reads = true;
  EXPECT_EQ(Read(pairs, kOptions).size(), 20U);
  // Fewer, where reads end sooner than others begin.
  EXPECT_LE(source_.most_reads_at_once(), 4);
}

TEST(Belongings, WhatAStoreFillsInIsNoDifference) {
  EXPECT_THAT(CompareHeaders({}, {{"content-type", "binary/octet-stream"}}), ElementsAre());
  EXPECT_THAT(CompareHeaders({{"content-type", "binary/octet-stream"}}, {}),
              ElementsAre(HasSubstr("metadata content-type differs")));
  EXPECT_THAT(
      CompareHeaders({}, {{"content-type", "text/html"}}),
      ElementsAre("metadata content-type differs (source none, destination \"text/html\")"));
}

TEST(Belongings, OrderHasNoMeaning) {
  EXPECT_THAT(CompareHeaders({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}), ElementsAre());
  EXPECT_THAT(CompareTags({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}), ElementsAre());
}

TEST(Belongings, ValuesAreShownEscaped) {
  EXPECT_THAT(CompareHeaders({{"x-amz-meta-a", "\x1b[1m"}}, {}),
              ElementsAre(HasSubstr("source \"\\x1b[1m\"")));
}

}  // namespace
}  // namespace ferry
