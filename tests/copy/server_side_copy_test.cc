#include "batch/copy/server_side_copy.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

using test::FakeStore;

constexpr std::uint64_t kPart = 100'000;

// Both stores are of one endpoint; the source's bucket is "from" to the destination.
class ServerSideCopyTest : public CopyFixture {
 protected:
  ServerSideCopyTest() {
    destination_.copy_sources["from"] = &source_;
    destination_provider_.copy_keeps_redirect = true;
  }

  Ends ends() {
    Ends both = CopyFixture::ends();
    both.versions = versions_;
    both.server_side = &copies_;
    return both;
  }
  Copied Whole(const ObjectToCopy& object) {
    return Await([&] { return CopyWhole(ends(), object, kRing, traffic_); });
  }
  std::string FailWhole(const ObjectToCopy& object) {
    return Failure([&] { return CopyWhole(ends(), object, kRing, traffic_); });
  }
  void FailCopy(ErrorKind kind, const std::string& code = {},
                Moment moment = Moment::kBeforeEffect) {
    destination_.FailCall("copy", 1, moment, Error(kind, "no", code));
  }
  int Copies() const { return destination_.CountCalls("copy"); }

  VersionPolicy versions_ = VersionPolicy::kLatest;
  ServerSideCopies copies_{"media", "from"};
};

TEST_F(ServerSideCopyTest, AnObjectIsOneRequestAndNoByteOfItPassesHere) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kLarge}) {
    const ObjectToCopy object = Add("a", Bytes(size));
    ObjectMetadata& metadata = source_.objects().at(Key("s/a")).metadata;
    metadata = {{{"content-type", "video/mp4"}, {"x-amz-meta-a", ""}}, {{"tag", "1"}}};
    source_.ForgetCalls();
    destination_.ForgetCalls();
    const Copied copied = Whole(object);
    EXPECT_TRUE(At("d/a")->bytes == Bytes(size)) << size;
    EXPECT_EQ(At("d/a")->metadata.headers, metadata.headers);
    EXPECT_EQ(At("d/a")->metadata.tags, metadata.tags);
    EXPECT_EQ(copied.proof, kProofEtag);
    EXPECT_EQ(copied.destination_etag, At("d/a")->etag);
    EXPECT_TRUE(copied.source.SameAs(object.source));
    EXPECT_EQ(destination_.calls(), std::vector<std::string>{"copy d/a"});
    EXPECT_TRUE(source_.calls().empty());
  }
  EXPECT_EQ(traffic_.read_bytes + traffic_.written_bytes, 0U);
}

TEST_F(ServerSideCopyTest, ARefusalIsMovedAroundAndRemembered) {
  for (const ErrorKind kind :
       {ErrorKind::kDenied, ErrorKind::kInvalid, ErrorKind::kCredentials, ErrorKind::kNotFound}) {
    ServerSideCopies copies("media", "from");
    Ends both = ends();
    both.server_side = &copies;
    const auto copy = [&](const ObjectToCopy& object) {
      return Await([&] { return CopyWhole(both, object, kRing, traffic_); });
    };
    destination_.ForgetCalls();
    FailCopy(kind);
    EXPECT_EQ(copy(Add("a", "abc")).proof, kProofEtag);
    EXPECT_EQ(At("d/a")->bytes, "abc");
    copy(Add("b", "abc"));
    EXPECT_EQ(Copies(), 1) << ToString(kind);
    EXPECT_EQ(destination_.CountCalls("put"), 2);
  }
}

TEST_F(ServerSideCopyTest, AnObjectThatNobodyMayReadSaysNothingOfTheOthers) {
  FailCopy(ErrorKind::kDenied);
  source_.FailCall("get", 1, Moment::kBeforeEffect, Error(ErrorKind::kDenied, "closed"));
  EXPECT_EQ(FailWhole(Add("closed", "abc")), "source:denied");
  Whole(Add("open", "abc"));
  EXPECT_EQ(Copies(), 2);
  EXPECT_EQ(destination_.CountCalls("put"), 0);
}

TEST_F(ServerSideCopyTest, WhatTheStoreCopiedUnderAnotherEtagIsMoved) {
  destination_.before = [&](std::string_view operation, const Key&) {
    destination_.spoils_writes = operation == "copy";
  };
  for (int object = 1; object <= 4; ++object) {
    Whole(Add("a", Bytes(1000)));
    EXPECT_TRUE(At("d/a")->bytes == Bytes(1000));
    EXPECT_EQ(destination_.CountCalls("put"), object);
  }
  EXPECT_EQ(Copies(), 3) << "three in a row are not luck";
}

TEST_F(ServerSideCopyTest, AnEtagThatHidesItsMd5ProvesNoCopy) {
  destination_.hides_md5 = true;
  EXPECT_EQ(Whole(Add("a", "abc")).proof, kProofContentMd5);
  EXPECT_EQ(destination_.CountCalls("put"), 1);
}

TEST_F(ServerSideCopyTest, NowAndThenAFailureDoesNotEndCopies) {
  for (int round = 0; round < 5; ++round) {
    FailCopy(ErrorKind::kUnavailable);
    Whole(Add("a", "abc"));
    Whole(Add("b", "abc"));
  }
  EXPECT_EQ(Copies(), 10);
  EXPECT_EQ(destination_.CountCalls("put"), 5);
}

TEST_F(ServerSideCopyTest, ACopyWhoseAnswerWasLostEndsWell) {
  FailCopy(ErrorKind::kUnavailable, "Disconnected", Moment::kAfterEffect);
  EXPECT_EQ(Whole(Add("a", "abc")).proof, kProofEtag);
  EXPECT_EQ(At("d/a")->bytes, "abc");
}

TEST_F(ServerSideCopyTest, AStoreThatHasTooMuchToDoIsNotGivenTheBytesToo) {
  FailCopy(ErrorKind::kThrottled, "SlowDown");
  EXPECT_EQ(FailWhole(Add("a", "abc")), "destination:throttled");
  EXPECT_EQ(source_.CountCalls("get"), 0);
}

TEST_F(ServerSideCopyTest, AnObjectThatChangedSinceItWasListedIsCopiedAsItIsNow) {
  const ObjectToCopy object = Add("a", "abc");
  source_.Add("s/a", "the new bytes");
  const Copied copied = Whole(object);
  EXPECT_EQ(At("d/a")->bytes, "the new bytes");
  EXPECT_EQ(copied.source.etag, ToHex(Md5::Of("the new bytes")));
  EXPECT_EQ(copied.source.size_bytes, 13U);
  EXPECT_EQ(Copies(), 2);
  EXPECT_EQ(destination_.CountCalls("put"), 0);
}

TEST_F(ServerSideCopyTest, WhereTheStoreDoesNotHeedThePinAChangeIsSeenAllTheSame) {
  destination_.copies_heed_pins = false;
  const ObjectToCopy object = Add("a", "abc");
  source_.Add("s/a", "the new bytes");
  EXPECT_EQ(Whole(object).source.etag, ToHex(Md5::Of("the new bytes")));
  EXPECT_EQ(At("d/a")->bytes, "the new bytes");
}

TEST_F(ServerSideCopyTest, AStoreThatCallsTheSameObjectAnotherOneIsMovedAround) {
  FailCopy(ErrorKind::kConflict, "PreconditionFailed");
  Whole(Add("a", "abc"));
  EXPECT_EQ(At("d/a")->bytes, "abc");
  EXPECT_EQ(Copies(), 1);
}

TEST_F(ServerSideCopyTest, WhatVanishedOrIsArchivedIsSaidOfTheSource) {
  const ObjectToCopy object = Add("a", "1");
  source_.objects().at(Key("s/a")).storage_class = "GLACIER";
  EXPECT_EQ(FailWhole(object), "source:archived");
  source_.objects().clear();
  EXPECT_EQ(FailWhole(object), "source:not_found");
  Whole(Add("b", "1"));
  EXPECT_EQ(destination_.CountCalls("put"), 0);
}

TEST_F(ServerSideCopyTest, IsNotAskedForWhatItCouldNotProve) {
  ObjectToCopy composite = Add("a", "abc");
  composite.source.etag = source_.objects().at(Key("s/a")).etag += "-1";
  Whole(composite);
  ObjectToCopy failed = Add("b", "abc");
  failed.store_may_copy = false;
  Whole(failed);
  source_provider_.etag = EtagHabit::kUnknown;
  Whole(Add("c", "abc"));
  source_provider_.etag = EtagHabit::kMd5;
  destination_provider_.limits.single_put_bytes_max = 2;
  Whole(Add("d", "abc"));
  EXPECT_EQ(Copies(), 0);
  EXPECT_EQ(destination_.objects().size(), 4U);
}

// AWS leaves a redirect behind, and a nonce is nobody's to keep.
TEST_F(ServerSideCopyTest, WhereACopyLeavesSomethingBehindTheObjectIsExaminedFirst) {
  destination_provider_.copy_keeps_redirect = false;
  Whole(Add("plain", "abc"));
  EXPECT_EQ(source_.calls(), std::vector<std::string>{"head s/plain"});
  const ObjectToCopy redirect = Add("redirect", "abc"), nonce = Add("nonce", "abc");
  source_.objects().at(Key("s/redirect")).metadata.headers = {
      {"x-amz-website-redirect-location", "/there"}};
  source_.objects().at(Key("s/nonce")).metadata.upload_nonce = "0123";
  Whole(redirect);
  Whole(nonce);
  EXPECT_EQ(At("d/redirect")->metadata.headers.size(), 1U);
  EXPECT_EQ(At("d/nonce")->metadata.upload_nonce, "");
  EXPECT_EQ(Copies(), 1);
}

TEST_F(ServerSideCopyTest, APinnedVersionIsCopiedThoughAnotherIsCurrent) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  versions_ = VersionPolicy::kCompared;
  ObjectToCopy object = Add("a", "old");
  object.source.version = source_.objects().at(Key("s/a")).version_id;
  source_.Add("s/a", "new");
  EXPECT_EQ(Whole(object).source.version, object.source.version);
  EXPECT_EQ(At("d/a")->bytes, "old");
  EXPECT_EQ(Copies(), 1);
}

TEST_F(ServerSideCopyTest, TheVersionThatIsCurrentWhenACopyBeginsIsKnownByItsId) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  versions_ = VersionPolicy::kPinned;
  const ObjectToCopy object = Add("a", "old");
  EXPECT_EQ(Whole(object).source.version, source_.objects().at(Key("s/a")).version_id);
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(source_.calls(), std::vector<std::string>{"head s/a"});
}

class ServerSidePartsTest : public ServerSideCopyTest {
 protected:
  // An object that somebody uploaded in parts of `part_bytes`.
  ObjectToCopy AddInParts(const std::string& name, const std::string& bytes,
                          std::uint64_t part_bytes) {
    ObjectToCopy object = Add(name, bytes);
    std::vector<DonePart> parts;
    for (const Part& part : PlanParts(bytes.size(), part_bytes)) {
      const std::string md5 = Md5::Of(bytes.substr(part.first_byte, part.size_bytes));
      parts.push_back({part.number, "", Digest{DigestKind::kMd5, md5}});
    }
    object.source.etag = source_.objects().at(Key("s/" + name)).etag = CompositeEtag(parts).value();
    return object;
  }
  OpenUpload Open(const ObjectToCopy& object) {
    SplitOptions options;
    options.part_bytes = kPart;
    Settlement settlement;
    return Await([&] { return OpenOrResume(ends(), object, options, settlement); });
  }
  DonePart Send(const ObjectToCopy& object, const OpenUpload& upload, const Part& part) {
    const PartToCopy one{upload.upload_id, part};
    return Await([&] { return CopyPart(ends(), object, one, kRing, traffic_); });
  }
  OpenUpload SendAll(const ObjectToCopy& object) {
    OpenUpload upload = Open(object);
    for (const Part& part : PlanParts(object.source.size_bytes, upload.part_bytes)) {
      upload.parts.push_back(Send(object, upload, part));
    }
    return upload;
  }
  Copied Finish(const ObjectToCopy& object, const OpenUpload& upload) {
    return Await([&] { return CompleteOrAbort(ends(), object, upload, traffic_); });
  }
  std::vector<std::uint32_t> LostAtTheEnd(const ObjectToCopy& object, const OpenUpload& upload) {
    try {
      Finish(object, upload);
    } catch (const LostParts& lost) {
      return lost.numbers();
    }
    return {};
  }

  const std::string bytes_ = Bytes(3 * kPart + 77);
};

TEST_F(ServerSidePartsTest, PartsAreCopiedAsTheSourcesWereCutAndProvenTogether) {
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  source_.objects().at(Key("s/a")).metadata = {{{"content-type", "video/mp4"}}, {{"t", "1"}}};
  const Copied copied = Finish(object, SendAll(object));
  EXPECT_EQ(copied.proof, kProofComposite);
  EXPECT_EQ(copied.destination_etag, object.source.etag);
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
  EXPECT_EQ(At("d/a")->metadata.tags, (NameValues{{"t", "1"}}));
  EXPECT_EQ(Copies(), 4);
  EXPECT_EQ(traffic_.read_bytes + traffic_.written_bytes, 0U);
  EXPECT_EQ(source_.CountCalls("get"), 0);
}

TEST_F(ServerSidePartsTest, TheSourcesOwnPartSizeIsFoundWhereTheTasksIsAnother) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const std::string bytes = Bytes(11 * kMiB);
  const ObjectToCopy object = AddInParts("a", bytes, 5 * kMiB);
  const OpenUpload upload = SendAll(object);
  EXPECT_EQ(upload.part_bytes, 5 * kMiB);
  EXPECT_EQ(Finish(object, upload).destination_etag, object.source.etag);
  EXPECT_TRUE(At("d/a")->bytes == bytes);
}

TEST_F(ServerSidePartsTest, AWrongGuessIsSeenBeforeAnythingIsThereAndItsPartsAreMoved) {
  ObjectToCopy object = AddInParts("a", bytes_, 90'000);  // four parts, too
  OpenUpload upload = SendAll(object);
  EXPECT_EQ(LostAtTheEnd(object, upload), (std::vector<std::uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(At("d/a"), nullptr);
  EXPECT_EQ(destination_.open_uploads(), 1U);
  object.store_may_copy = false;  // it failed once
  for (DonePart& part : upload.parts) {
    part = Send(object, upload, PlanParts(bytes_.size(), kPart)[part.number - 1]);
  }
  EXPECT_EQ(Finish(object, upload).proof, kProofComposite);
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
  EXPECT_EQ(traffic_.written_bytes, bytes_.size());
}

TEST_F(ServerSidePartsTest, PartsOfTwoObjectsAreNeverPutTogetherWhereTheStoreHeedsNoPin) {
  destination_.copies_heed_pins = false;
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  OpenUpload upload = Open(object);
  for (const Part& part : PlanParts(bytes_.size(), kPart)) {
    if (part.number == 3) source_.Add("s/a", std::string(bytes_.size(), 'x'));
    upload.parts.push_back(Send(object, upload, part));
  }
  EXPECT_EQ(Copies(), 4);
  EXPECT_FALSE(LostAtTheEnd(object, upload).empty());
  EXPECT_EQ(At("d/a"), nullptr);
}

TEST_F(ServerSidePartsTest, APartOfAnObjectThatChangedIsAConflictAtTheSource) {
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  const OpenUpload upload = Open(object);
  source_.Add("s/a", Bytes(bytes_.size()));
  const PartToCopy first{upload.upload_id, {1, 0, kPart}};
  EXPECT_EQ(Failure([&] { return CopyPart(ends(), object, first, kRing, traffic_); }),
            "source:conflict");
}

TEST_F(ServerSidePartsTest, PartsThatWereMovedAndCopiedMakeOneObject) {
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  FailCopy(ErrorKind::kUnavailable);
  EXPECT_EQ(Finish(object, SendAll(object)).proof, kProofComposite);
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
  EXPECT_EQ(traffic_.written_bytes, kPart);
}

TEST_F(ServerSidePartsTest, ARefusedPartIsMovedAndTheOthersAreNotAskedFor) {
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  FailCopy(ErrorKind::kInvalid, "NotImplemented");
  EXPECT_EQ(Finish(object, SendAll(object)).proof, kProofComposite);
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(traffic_.written_bytes, bytes_.size());
}

TEST_F(ServerSidePartsTest, WrongGuessesInARowEndTheCopyingOfParts) {
  for (int i = 0; i < 3; ++i) {
    const ObjectToCopy object = AddInParts("a", bytes_, 90'000);
    LostAtTheEnd(object, SendAll(object));
  }
  destination_.ForgetCalls();
  const ObjectToCopy object = AddInParts("a", bytes_, kPart);
  Finish(object, SendAll(object));
  EXPECT_EQ(Copies(), 0);
  Whole(Add("whole", "abc"));
  EXPECT_EQ(Copies(), 1) << "whole objects are another matter";
}

TEST_F(ServerSidePartsTest, AnUploadThatIsCutOtherwiseThanItsSourceIsMoved) {
  const ObjectToCopy object = AddInParts("a", bytes_, 2 * kPart);
  OpenUpload upload = Open(object);
  upload.part_bytes = kPart;  // as an earlier run cut it
  for (const Part& part : PlanParts(bytes_.size(), kPart)) {
    upload.parts.push_back(Send(object, upload, part));
  }
  EXPECT_EQ(Copies(), 0);
  EXPECT_EQ(Finish(object, upload).proof, kProofComposite);
}

TEST_F(ServerSidePartsTest, AnUploadOfABelievedGuessIsRefusedByAProcessThatMayNotCopy) {
  const ObjectToCopy object = AddInParts("a", bytes_, 90'000);
  const OpenUpload upload = SendAll(object);
  std::vector<std::uint32_t> lost;
  try {
    Await([&] { return CompleteOrAbort(CopyFixture::ends(), object, upload, traffic_); });
  } catch (const LostParts& error) {
    lost = error.numbers();
  }
  EXPECT_EQ(lost.size(), 4U);
  EXPECT_EQ(At("d/a"), nullptr);
}

}  // namespace
}  // namespace ferry
