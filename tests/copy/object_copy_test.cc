#include "batch/copy/object_copy.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

using test::FakeStore;

class CopyWholeTest : public CopyFixture {};

TEST_F(CopyWholeTest, BringsBytesMetadataAndTagsWhateverTheSize) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kWholeBytesMax, kLarge}) {
    const ObjectToCopy object = Add("a", Bytes(size));
    ObjectMetadata& metadata = source_.objects().at(Key("s/a")).metadata;
    metadata = {{{"content-type", "video/mp4"}, {"x-amz-meta-a", ""}}, {{"tag", "1"}}};
    const Copied copied = Whole(object);
    ASSERT_NE(At("d/a"), nullptr);
    EXPECT_TRUE(At("d/a")->bytes == Bytes(size)) << size;
    EXPECT_EQ(At("d/a")->metadata.headers, metadata.headers);
    EXPECT_EQ(At("d/a")->metadata.tags, metadata.tags);
    EXPECT_EQ(copied.proof, kProofEtag);
    EXPECT_EQ(copied.destination_etag, At("d/a")->etag);
    EXPECT_TRUE(copied.source.SameAs(object.source));
  }
}

TEST_F(CopyWholeTest, CountsWhatItMoved) {
  Whole(Add("a", Bytes(1000)));
  Whole(Add("b", Bytes(kLarge)));
  EXPECT_EQ(traffic_.read_bytes, 1000 + kLarge);
  EXPECT_EQ(traffic_.written_bytes, 1000 + kLarge);
}

TEST_F(CopyWholeTest, AsksForTagsOnlyWhereThereAreSome) {
  Whole(Add("a", "1"));
  EXPECT_EQ(source_.CountCalls("get_tags"), 0);
}

TEST_F(CopyWholeTest, AnEtagThatIsTheMd5ProvesEvenWhereNobodyPromisedIt) {
  destination_provider_.etag = EtagHabit::kUnknown;
  EXPECT_EQ(Whole(Add("a", "small")).proof, kProofEtag);
  EXPECT_EQ(Whole(Add("b", Bytes(kLarge))).proof, kProofEtag);
}

TEST_F(CopyWholeTest, AnOpaqueEtagIsProvenByContentMd5OrByReadingBack) {
  destination_.opaque_etags = true;
  EXPECT_EQ(Whole(Add("a", "small")).proof, kProofContentMd5);
  EXPECT_EQ(destination_.CountCalls("get"), 0);
  EXPECT_EQ(Whole(Add("b", Bytes(kLarge))).proof, kProofReadBack);
  EXPECT_EQ(destination_.CountCalls("get"), 1);
}

TEST_F(CopyWholeTest, AnEtagThatHidesTheMd5IsNoEvidenceAgainstTheBytes) {
  destination_.hides_md5 = true;  // KMS: 32 hex digits that are something else
  EXPECT_EQ(Whole(Add("a", "small")).proof, kProofContentMd5);
  EXPECT_EQ(Whole(Add("b", Bytes(kLarge))).proof, kProofReadBack);
}

TEST_F(CopyWholeTest, OtherBytesAtTheDestinationAreNeverDone) {
  destination_.spoils_writes = true;
  for (const bool opaque : {false, true}) {
    destination_.opaque_etags = opaque;
    EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "destination:corrupt") << opaque;
  }
  destination_.opaque_etags = false;
  EXPECT_EQ(FailWhole(Add("a", "small")), "destination:corrupt");
  destination_provider_.etag = EtagHabit::kUnknown;
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "destination:corrupt");
}

TEST_F(CopyWholeTest, BytesThatAreNotThoseOfTheEtagAreNeverDone) {
  source_.spoils_reads = true;
  EXPECT_EQ(FailWhole(Add("a", "small")), "source:corrupt");
  EXPECT_EQ(At("d/a"), nullptr);  // found before it was sent
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "source:corrupt");
}

TEST_F(CopyWholeTest, ASourceWhoseEtagHidesTheMd5CannotBeHeldToIt) {
  source_.hides_md5 = true;
  EXPECT_EQ(Whole(Add("a", "small")).proof, kProofEtag);
}

TEST_F(CopyWholeTest, AnObjectThatChangedSinceItWasListedIsCopiedAsItIsNow) {
  for (const std::size_t size : {std::size_t{10}, kLarge}) {
    const ObjectToCopy object = Add("a", Bytes(size));
    source_.Add("s/a", "the new bytes").modified_ms = 1'800'000'000'000;
    const Copied copied = Whole(object);
    EXPECT_EQ(At("d/a")->bytes, "the new bytes");
    EXPECT_EQ(copied.source.etag, ToHex(Md5::Of("the new bytes")));
    EXPECT_EQ(copied.source.size_bytes, 13U);
    EXPECT_EQ(copied.source.modified_ms, 1'800'000'000'000);
  }
}

TEST_F(CopyWholeTest, AnObjectThatGrewIsCopiedByTheWayOfItsNewSize) {
  const ObjectToCopy object = Add("a", "small");
  source_.Add("s/a", Bytes(kLarge));
  Whole(object);
  EXPECT_TRUE(At("d/a")->bytes == Bytes(kLarge));
}

TEST_F(CopyWholeTest, AnObjectThatNeverHoldsStillIsAConflictAfterThreeLooks) {
  const ObjectToCopy object = Add("a", "0");
  int version = 0;
  source_.before = [&](std::string_view operation, const Key&) {
    if (operation == "get") source_.Add("s/a", std::to_string(++version));
  };
  EXPECT_EQ(FailWhole(object), "source:conflict");
  EXPECT_EQ(source_.CountCalls("get"), 3);
}

TEST_F(CopyWholeTest, WhatVanishedIsSaidOfTheSource) {
  for (const std::size_t size : {std::size_t{1}, kLarge}) {
    const ObjectToCopy object = Add("a", Bytes(size));
    source_.objects().clear();
    EXPECT_EQ(FailWhole(object), "source:not_found");
    EXPECT_EQ(destination_.CountCalls("put"), 0);
  }
}

TEST_F(CopyWholeTest, WhatIsArchivedIsSaidOfTheSource) {
  const ObjectToCopy object = Add("a", "1");
  source_.objects().at(Key("s/a")).storage_class = "GLACIER";
  EXPECT_EQ(FailWhole(object), "source:archived");
}

TEST_F(CopyWholeTest, ABodyCutOnTheWayLeavesNothingBehind) {
  source_.cut_reads_at = 500'000;
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "source:unavailable");
  EXPECT_EQ(At("d/b"), nullptr);
  EXPECT_GE(traffic_.read_bytes, 500'000U);
}

TEST_F(CopyWholeTest, EachFailureNamesItsSideBeforeAndAfterItsEffect) {
  const std::pair<const char*, const char*> cases[] = {{"get", "source"}, {"put", "destination"}};
  for (const auto& [operation, side] : cases) {
    for (const Moment moment : {Moment::kBeforeEffect, Moment::kAfterEffect}) {
      for (const std::size_t size : {std::size_t{5}, kLarge}) {
        FakeStore& store = std::string(side) == "source" ? source_ : destination_;
        store.FailCall(operation, 1, moment, Error(ErrorKind::kThrottled, "slow"));
        const ObjectToCopy object = Add("a", Bytes(size));
        EXPECT_EQ(FailWhole(object), std::string(side) + ":throttled")
            << operation << static_cast<int>(moment) << " " << size;
        EXPECT_EQ(FailWhole(object), "none");  // and it is safe to repeat
      }
    }
  }
}

TEST_F(CopyWholeTest, ManyCopiesShareALoop) {
  std::vector<std::future<Copied>> copies;
  for (int i = 0; i < 20; ++i) {
    const ObjectToCopy object = Add(std::to_string(i), Bytes(kLarge + static_cast<std::size_t>(i)));
    copies.push_back(runner_.Start([this, object]() -> Task<Copied> {
      static Traffic ignored;
      co_return co_await CopyWhole(ends(), object, kRing, ignored);
    }));
  }
  for (auto& copy : copies) EXPECT_EQ(copy.get().proof, kProofEtag);
  EXPECT_EQ(destination_.objects().size(), 20U);
}

class CompareBytesTest : public CopyFixture {
 protected:
  std::optional<Copied> Compare(const ObjectToCopy& object) {
    return Await([&] { return CompareBytes(ends(), object, traffic_); });
  }
};

TEST_F(CompareBytesTest, EqualBytesAreAdoptedWhateverTheEtags) {
  destination_.opaque_etags = true;
  const ObjectToCopy object = Add("a", Bytes(kLarge));
  destination_.Add("d/a", Bytes(kLarge));
  const auto equal = Compare(object);
  ASSERT_TRUE(equal);
  EXPECT_EQ(equal->proof, kProofAdopted);
  EXPECT_EQ(equal->destination_etag, At("d/a")->etag);
  EXPECT_EQ(traffic_.read_bytes, 2 * kLarge);
  EXPECT_EQ(traffic_.written_bytes, 0U);
}

TEST_F(CompareBytesTest, ADifferenceIsAnAnswerAndAnotherSizeNeedsNoReading) {
  const ObjectToCopy object = Add("a", "abcd");
  destination_.Add("d/a", "abXd");
  EXPECT_FALSE(Compare(object));
  destination_.Add("d/a", "abc");
  EXPECT_FALSE(Compare(object));
  EXPECT_EQ(source_.CountCalls("get"), 1);
}

TEST_F(CompareBytesTest, FailuresNameTheirSide) {
  const ObjectToCopy object = Add("a", "abcd");
  const auto compare = [&] { return CompareBytes(ends(), object, traffic_); };
  destination_.Add("d/a", "abcd");
  source_.Add("s/a", "changed!");
  EXPECT_EQ(Failure(compare), "source:conflict");
  source_.Add("s/a", "abcd");
  destination_.FailCall("get", 1, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "away"));
  EXPECT_EQ(Failure(compare), "destination:unavailable");
  source_.objects().clear();
  EXPECT_EQ(Failure(compare), "source:not_found");
}

TEST_F(CompareBytesTest, WhatIsGoneAtTheDestinationDiffers) {
  EXPECT_FALSE(Compare(Add("a", "abcd")));
}

TEST(BodyMemory, IsTheWholeOfASmallBodyAndTheRingOfALargeOneAndWhatIsBesideIt) {
  EXPECT_EQ(BodyMemory(0, 65536), 0U);
  EXPECT_EQ(BodyMemory(kWholeBytesMax, 65536), kWholeBytesMax);
  EXPECT_EQ(BodyMemory(kWholeBytesMax + 1, 65536), 65536U + kBesideRing);
  EXPECT_EQ(FlowMemory(1000, 65536), 1000U + kBesideRing);
}

}  // namespace
}  // namespace ferry
