#include <gmock/gmock.h>

#include <set>

#include "tests/copy/multipart_fixture.h"

namespace ferry {
namespace {

using MultipartTest = MultipartFixture;

TEST_F(MultipartTest, PartsBecomeTheObjectProvenByItsCompositeEtag) {
  const ObjectToCopy object = Add("a", bytes_);
  source_.objects().at(Key("s/a")).metadata = {{{"content-type", "video/mp4"}}, {{"t", "1"}}};
  const OpenUpload upload = SendAll(object);
  EXPECT_EQ(upload.parts.size(), 4U);
  const Copied copied = Finish(object, upload);
  EXPECT_EQ(copied.proof, kProofComposite);
  EXPECT_EQ(copied.destination_etag, CompositeEtag(upload.parts));
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
  EXPECT_EQ(At("d/a")->metadata.headers[0].second, "video/mp4");
  EXPECT_EQ(traffic_.written_bytes, bytes_.size());
}

TEST_F(MultipartTest, OpaqueEtagsAreProvenByReadingBackPartByPart) {
  destination_.opaque_etags = true;
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  EXPECT_EQ(Finish(object, upload).proof, kProofReadBack);
  EXPECT_EQ(destination_.CountCalls("get"), 4);
}

TEST_F(MultipartTest, ACorruptPartIsFoundWhenItIsSentOrAtTheEnd) {
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(FailSpoiltPart(object), "destination:corrupt");
  destination_provider_.etag = EtagHabit::kUnknown;
  const OpenUpload spoilt = SendAll(object);
  EXPECT_EQ(FailFinish(object, spoilt), "destination:corrupt");
}

TEST_F(MultipartTest, AMissingPartCannotBeProvenAway) {
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  upload.parts.pop_back();
  EXPECT_EQ(FailFinish(object, upload), "destination:corrupt");
  EXPECT_EQ(At("d/a"), nullptr);
}

TEST_F(MultipartTest, AnObjectThatBecameEmptyOpensNoUpload) {
  const ObjectToCopy object = Add("a", bytes_);
  source_.Add("s/a", "");
  SplitOptions options;
  options.part_bytes = kPart;
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
            "source:conflict");
  EXPECT_EQ(destination_.CountCalls("create_upload"), 0);
}

TEST_F(MultipartTest, APartOfAnObjectThatChangedIsAConflictAndNotSent) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = Open(object);
  source_.Add("s/a", Bytes(bytes_.size() + 1));
  const PartToCopy first{upload.upload_id, {1, 0, kPart}};
  EXPECT_EQ(Failure([&] { return CopyPart(ends(), object, first, kRing, traffic_); }),
            "source:conflict");
  EXPECT_EQ(destination_.CountCalls("put"), 0);
}

TEST_F(MultipartTest, ACompletionWhoseAnswerWasLostIsSettledByTheDestination) {
  for (const ErrorKind kind :
       {ErrorKind::kInDoubt, ErrorKind::kUnavailable, ErrorKind::kThrottled}) {
    const ObjectToCopy object = Add("a", bytes_);
    const OpenUpload upload = SendAll(object);
    destination_.FailCall("complete_upload", 1, Moment::kAfterEffect, Error(kind, "lost"));
    EXPECT_EQ(Finish(object, upload).proof, kProofComposite) << ToString(kind);
  }
}

TEST_F(MultipartTest, ACompletionThatNamesNoEtagIsLookedAtOnceAndNotDoubted) {
  destination_.completes_without_etag = true;
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.ForgetCalls();
  const Copied copied = Finish(object, upload);
  EXPECT_EQ(copied.proof, kProofComposite);
  EXPECT_EQ(copied.destination_etag, CompositeEtag(upload.parts));
  EXPECT_THAT(destination_.calls(), testing::ElementsAre("complete_upload d/a", "head d/a"));
}

TEST_F(MultipartTest, ACompletionThatNamesNoEtagCountsAlsoWhenTheSourceIsGoneByThen) {
  destination_.completes_without_etag = true;
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  source_.objects().clear();
  EXPECT_EQ(Finish(object, upload).proof, kProofComposite);
}

TEST_F(MultipartTest, NoSuchUploadAfterASuccessIsSettledByTheDestination) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  Finish(object, upload);
  EXPECT_EQ(Finish(object, upload).proof, kProofComposite);  // a second attempt after a crash
}

TEST_F(MultipartTest, AnOlderObjectOfTheSameBytesDoesNotPassForAnUploadThatIsGone) {
  destination_provider_.tags_on_create = true;
  const ObjectToCopy object = Add("a", bytes_);
  source_.objects().at(Key("s/a")).metadata = {{{"content-type", "video/mp4"}}, {{"t", "1"}}};
  Finish(object, SendAll(object));
  for (const ObjectMetadata& now :
       {ObjectMetadata{{{"content-type", "audio/ogg"}}, {{"t", "1"}}},
        ObjectMetadata{{{"content-type", "video/mp4"}}, {{"t", "2"}}}}) {
    source_.objects().at(Key("s/a")).metadata = now;
    const OpenUpload upload = SendAll(object);
    destination_.ForgetUploads();
    EXPECT_EQ(FailFinish(object, upload), "destination:not_found");
  }
}

TEST_F(MultipartTest, ALostCompletionBehindAnEtagThatHidesItsMd5IsSettledByReading) {
  destination_.opaque_etags = true;
  destination_.hides_md5 = true;
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.FailCall("complete_upload", 1, Moment::kAfterEffect,
                        Error(ErrorKind::kUnavailable, "lost"));
  EXPECT_EQ(Finish(object, upload).proof, kProofReadBack);
  At("d/a")->bytes[7] ^= 1;
  EXPECT_EQ(FailFinish(object, upload), "destination:not_found");
}

TEST_F(MultipartTest, WhereEtagsSayNothingANonceTellsWhoseCompletionItWas) {
  destination_.opaque_etags = true;
  destination_provider_.etag = EtagHabit::kUnknown;
  const ObjectToCopy object = Add("a", bytes_);
  source_.objects().at(Key("s/a")).metadata.headers = {{"x-amz-meta-title", "theirs"}};
  nonce_ = "first";
  const OpenUpload upload = SendAll(object);
  destination_.FailCall("complete_upload", 1, Moment::kAfterEffect,
                        Error(ErrorKind::kUnavailable, "lost"));
  EXPECT_EQ(Finish(object, upload).proof, kProofReadBack);
  EXPECT_EQ(Finish(object, upload).proof, kProofReadBack);  // a second attempt after a crash
  const ObjectHead head = Await([&] { return destination_.Head(Key("d/a")); });
  EXPECT_EQ(head.metadata_headers, (NameValues{{"x-amz-meta-title", "theirs"}}));
  // Another upload of the same bytes is not this one.
  nonce_ = "second";
  const OpenUpload other = SendAll(object);
  destination_.ForgetUploads();
  EXPECT_EQ(FailFinish(object, other), "destination:not_found");
}

TEST_F(MultipartTest, ACompletionIsNotBelievedForItsNonceAlone) {
  destination_.opaque_etags = true;
  destination_provider_.etag = EtagHabit::kUnknown;
  const ObjectToCopy object = Add("a", bytes_);
  nonce_ = "n";
  const OpenUpload upload = SendAll(object);
  destination_.FailCall("complete_upload", 1, Moment::kAfterEffect,
                        Error(ErrorKind::kInDoubt, "lost"));
  destination_.before = [&](std::string_view operation, const Key&) {
    if (operation == "get") destination_.objects().at(Key("d/a")).bytes[5] ^= 1;
  };
  EXPECT_EQ(FailFinish(object, upload), "destination:corrupt");
}

TEST_F(MultipartTest, WhereTheCompositeEtagTellsNoNonceTravels) {
  const ObjectToCopy object = Add("a", bytes_);
  nonce_ = "n";
  const OpenUpload upload = SendAll(object);
  Finish(object, upload);
  EXPECT_EQ(At("d/a")->metadata.upload_nonce, "");
}

TEST_F(MultipartTest, ACompletionThatDidNotHappenStaysAFailure) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.FailCall("complete_upload", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kInDoubt, "lost"));
  EXPECT_EQ(FailFinish(object, upload), "destination:in_doubt");
  destination_.Add("d/a", "an older object");
  destination_.FailCall("complete_upload", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "lost"));
  EXPECT_EQ(FailFinish(object, upload), "destination:unavailable");
  EXPECT_EQ(Finish(object, upload).proof, kProofComposite);
}

TEST_F(MultipartTest, APartThatIsNotThereAnyMoreIsAConflict) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.ForgetPart(upload.upload_id, 2);
  EXPECT_EQ(FailFinish(object, upload), "destination:conflict");
}

TEST_F(MultipartTest, FewerPartsThanTheObjectHasAreNeverCompleted) {
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  upload.parts.pop_back();
  EXPECT_EQ(FailFinish(object, upload), "destination:corrupt");
  EXPECT_EQ(destination_.CountCalls("complete_upload"), 0);
}

TEST_F(MultipartTest, AnUploadThatCannotBecomeTheObjectIsAbortedAndAnyOtherKept) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  const auto complete = [&] { return CompleteOrAbort(ends(), object, upload, traffic_); };
  destination_.FailCall("complete_upload", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "away"));
  EXPECT_EQ(Failure(complete), "destination:unavailable");
  EXPECT_EQ(destination_.open_uploads(), 1U);
  destination_.ForgetUploads();
  EXPECT_EQ(Failure(complete), "destination:not_found");
  const OpenUpload spoilt = SendAll(object);
  destination_provider_.etag = EtagHabit::kUnknown;
  destination_.FailCall("complete_upload", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kConflict, "no", "InvalidPart"));
  // All parts are there, and still it cannot be completed.
  EXPECT_EQ(Failure([&] { return CompleteOrAbort(ends(), object, spoilt, traffic_); }),
            "destination:conflict");
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(MultipartTest, PartsThatAreNotThereAsTheyWereSentAreNamedAndTheUploadStays) {
  destination_.opaque_etags = true;
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  destination_.ForgetPart(upload.upload_id, 4);
  // A first attempt that hung lands after its second one: the same bytes under another ETag.
  SendPart(object, upload, {2, kPart, kPart});
  std::vector<std::uint32_t> lost;
  try {
    Await([&] { return CompleteOrAbort(ends(), object, upload, traffic_); });
  } catch (const LostParts& error) {
    lost = error.numbers();
  }
  EXPECT_EQ(lost, (std::vector<std::uint32_t>{2, 4}));
  EXPECT_EQ(destination_.open_uploads(), 1U);
  for (const Part& part : PlanParts(bytes_.size(), kPart)) {
    if (part.number % 2 == 0) upload.parts[part.number - 1] = SendPart(object, upload, part);
  }
  EXPECT_EQ(Finish(object, upload).proof, kProofReadBack);
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
}

TEST_F(MultipartTest, ADestinationThatCannotSayWhichPartsAreLostKeepsTheUpload) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.ForgetPart(upload.upload_id, 1);
  destination_.FailCall("list_parts", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "away"));
  EXPECT_EQ(Failure([&] { return CompleteOrAbort(ends(), object, upload, traffic_); }),
            "destination:unavailable");
  EXPECT_EQ(destination_.open_uploads(), 1U);
}

TEST_F(MultipartTest, AnObjectThatBecameEmptyHasNoUpload) {
  const ObjectToCopy object = Add("a", bytes_);
  source_.Add("s/a", "");
  SplitOptions options;
  options.part_bytes = kPart;
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
            "source:conflict");
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(MultipartTest, AnOpenUploadGoesOnWithThePartsThatTheStoreStillHas) {
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  destination_.ForgetPart(upload.upload_id, 2);
  upload.parts[2].etag = "another attempt";
  destination_.page_parts = 1;
  const OpenUpload resumed = Open(object, upload);
  EXPECT_EQ(resumed.upload_id, upload.upload_id);
  EXPECT_EQ(resumed.part_bytes, upload.part_bytes);
  ASSERT_EQ(resumed.parts.size(), 2U);
  EXPECT_EQ(resumed.parts[0].number, 1U);
  EXPECT_EQ(resumed.parts[1].number, 4U);
  EXPECT_EQ(destination_.CountCalls("create_upload"), 1);
}

TEST_F(MultipartTest, AnUploadOfOtherBytesIsAbortedAndBegunAnew) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  source_.Add("s/a", Bytes(bytes_.size() + 5));
  const OpenUpload fresh = Open(object, upload);
  EXPECT_NE(fresh.upload_id, upload.upload_id);
  EXPECT_TRUE(fresh.parts.empty());
  EXPECT_EQ(fresh.source.size_bytes, bytes_.size() + 5);
  EXPECT_EQ(fresh.source.etag, source_.objects().at(Key("s/a")).etag);
  EXPECT_EQ(destination_.open_uploads(), 1U);
}

TEST_F(MultipartTest, AnUploadThatIsGoneIsBegunAnew) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.ForgetUploads();
  const OpenUpload fresh = Open(object, upload);
  EXPECT_NE(fresh.upload_id, upload.upload_id);
  EXPECT_TRUE(fresh.parts.empty());
}

TEST_F(MultipartTest, AnAbortThatFailsDoesNotStopTheCopy) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  source_.Add("s/a", Bytes(5));
  destination_.FailCall("abort_upload", 1, Moment::kBeforeEffect, Error(ErrorKind::kDenied, "no"));
  EXPECT_NE(Open(object, upload).upload_id, upload.upload_id);
}

TEST_F(MultipartTest, ADestinationThatCannotSayItsPartsLosesNone) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  SplitOptions options;
  options.part_bytes = kPart;
  options.open = upload;
  destination_.FailCall("list_parts", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kUnavailable, "away"));
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
            "destination:unavailable");
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_EQ(Open(object, upload).parts.size(), 4U);
}

TEST_F(MultipartTest, WhatVanishedBeforeItsUploadLeavesNoUpload) {
  const ObjectToCopy object = Add("a", bytes_);
  source_.objects().clear();
  SplitOptions options;
  options.part_bytes = kPart;
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
            "source:not_found");
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(MultipartTest, WhatNoPartsCanHoldIsRefusedBeforeAnUploadIsOpen) {
  destination_provider_.limits.parts_max = 2;
  destination_provider_.limits.part_bytes_max = kPart;
  const ObjectToCopy object = Add("a", bytes_);
  SplitOptions options;
  options.part_bytes = kPart;
  const std::string failure =
      Failure([&] { return OpenOrResume(ends(), object, options, settlement_); });
  EXPECT_TRUE(failure.ends_with(":invalid")) << failure;
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

class FaultSweepTest : public MultipartTest {
 protected:
  // One attempt, which goes on with what `known_` says and adds to it.
  Task<Copied> Attempt(const ObjectToCopy& object) {
    SplitOptions options;
    options.part_bytes = kPart;
    options.open = known_;
    options.nonce = "attempt " + std::to_string(++attempts_);
    for (const std::string& nonce : rows_) {
      options.intents.push_back({nonce, runner_.clock().SteadyNow()});
    }
    if (known_) options.recorded_ids.push_back(known_->upload_id);
    rows_.insert(options.nonce);
    known_ = co_await OpenAndSettle(object, options);
    for (const Part& part : PlanParts(object.source.size_bytes, known_->part_bytes)) {
      const auto is_it = [&](const DonePart& one) { return one.number == part.number; };
      if (std::any_of(known_->parts.begin(), known_->parts.end(), is_it)) continue;
      const PartToCopy one{known_->upload_id, part};
      known_->parts.push_back(co_await CopyPart(ends(), object, one, kRing, traffic_));
    }
    std::sort(known_->parts.begin(), known_->parts.end(),
              [](const DonePart& a, const DonePart& b) { return a.number < b.number; });
    co_return co_await CompleteOrAbort(ends(), object, *known_, traffic_);
  }
  // Keeps the rows of intents as the queue does.
  Task<OpenUpload> OpenAndSettle(const ObjectToCopy& object, const SplitOptions& options) {
    Settlement settlement;
    std::exception_ptr problem;
    OpenUpload upload;
    try {
      upload = co_await OpenOrResume(ends(), object, options, settlement);
    } catch (const Error&) {
      problem = std::current_exception();
    }
    for (const std::string& nonce : settlement.settled) rows_.erase(nonce);
    if (problem) std::rethrow_exception(problem);
    rows_.erase(upload.nonce);  // now in use
    co_return upload;
  }

  // False: the fault lay beyond the last call.
  bool SurvivesFaultAt(int call, Moment moment, test::FakeStore& store) {
    destination_.objects().clear();
    destination_.ForgetUploads();
    known_.reset();
    rows_.clear();
    const ObjectToCopy object = Add("a", bytes_);
    store.FailCall("any", call, moment, Error(ErrorKind::kUnavailable, "away"));
    const bool failed = Failure([&] { return Attempt(object); }) != "none";
    store.ForgetFaults();
    if (failed) {
      EXPECT_EQ(Failure([&] { return Attempt(object); }), "none") << "call " << call;
    }
    EXPECT_TRUE(At("d/a") != nullptr && At("d/a")->bytes == bytes_) << "call " << call;
    EXPECT_EQ(destination_.open_uploads(), 0U) << "nobody knows of an upload, call " << call;
    return failed;
  }

  std::optional<OpenUpload> known_;
  std::set<std::string> rows_;  // nonces of intents
  int attempts_ = 0;
};

// Every request fails once, before and after its effect, wherever it stands in the copy: the next
// attempt goes on with what was recorded, and the object comes out whole.
TEST_F(FaultSweepTest, AFaultAtAnyCallEndsInTheWholeObjectOnceTriedAgain) {
  for (const Moment moment : {Moment::kBeforeEffect, Moment::kAfterEffect}) {
    for (test::FakeStore* store : {&source_, &destination_}) {
      int failed = 0;
      for (int call = 1; call <= 12; ++call) {
        failed += SurvivesFaultAt(call, moment, *store) ? 1 : 0;
      }
      EXPECT_GE(failed, 5);  // the head or create, and each part
    }
  }
}

TEST(CompositeEtag, IsTheMd5OfTheMd5sAndTheirCount) {
  const auto part = [](std::uint32_t number, const char* bytes) {
    return DonePart{number, "", Digest{DigestKind::kMd5, Md5::Of(bytes)}};
  };
  const std::vector<DonePart> parts = {part(1, "a"), part(2, "b")};
  EXPECT_EQ(CompositeEtag(parts), ToHex(Md5::Of(Md5::Of("a") + Md5::Of("b"))) + "-2");
}

}  // namespace
}  // namespace ferry
