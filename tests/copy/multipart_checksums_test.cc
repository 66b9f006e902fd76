// Multipart copies to a store that keeps checksums.
#include "batch/copy/known_uploads.h"
#include "tests/copy/multipart_fixture.h"

namespace ferry {
namespace {

constexpr DigestKind kNvme = DigestKind::kCrc64Nvme;

class MultipartChecksumsTest : public MultipartFixture {
 protected:
  MultipartChecksumsTest() { DestinationKeepsChecksums(kNvme); }
};

TEST_F(MultipartChecksumsTest, TheWholeIsProvenByThatOfItsParts) {
  for (const bool of_parts : {true, false}) {
    destination_.answers_part_checksums = of_parts;
    const ObjectToCopy object = Add("a", bytes_);
    const OpenUpload upload = SendAll(object);
    for (const DonePart& part : upload.parts) EXPECT_EQ(part.digest.value().kind, kNvme);
    EXPECT_EQ(ProofOf(object, upload), kProofChecksum);
    EXPECT_TRUE(At("d/a")->bytes == bytes_);
  }
  EXPECT_TRUE(answers_.expected());
  EXPECT_EQ(destination_.CountCalls("get") + destination_.CountCalls("head"), 0);
}

TEST_F(MultipartChecksumsTest, TheyProveWhereNoEtagDoes) {
  destination_.opaque_etags = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(ProofOf(object, SendAll(object)), kProofChecksum);
  EXPECT_EQ(destination_.CountCalls("get"), 0);
}

TEST_F(MultipartChecksumsTest, ASpoiltPartIsFoundAtOnceWhereItsChecksumIsAnswered) {
  EXPECT_EQ(FailSpoiltPart(Add("a", bytes_)), "destination:corrupt");
}

TEST_F(MultipartChecksumsTest, ASpoiltPartIsFoundAtTheEndWhereNothingIsAnsweredOfParts) {
  destination_.answers_part_checksums = false;
  destination_.spoils_writes = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(FailFinish(object, SendAll(object)), "destination:corrupt");
}

TEST_F(MultipartChecksumsTest, WhatIsNotAnsweredIsReadBackAndLaterUploadsUseMd5) {
  destination_.answers_no_checksum = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(ProofOf(object, SendAll(object)), kProofReadBack);
  EXPECT_EQ(destination_.CountCalls("get"), 4);
  const OpenUpload upload = SendAll(object);
  EXPECT_EQ(upload.parts.at(0).digest.value().kind, DigestKind::kMd5);
  EXPECT_EQ(ProofOf(object, upload), kProofComposite);
  EXPECT_EQ(destination_.CountCalls("get"), 4);
}

TEST_F(MultipartChecksumsTest, WhatIsNotAnsweredHidesNoSpoiltPart) {
  destination_.answers_no_checksum = true;
  destination_.spoils_writes = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(FailFinish(object, SendAll(object)), "destination:corrupt");
}

TEST_F(MultipartChecksumsTest, PartsOfBothKindsAreReadBackEachByItsOwn) {
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  upload.parts.at(1).digest = Digest{DigestKind::kMd5, Md5::Of(bytes_.substr(kPart, kPart))};
  EXPECT_EQ(ProofOf(object, upload), kProofReadBack);
  upload = SendAll(object);
  upload.parts.at(1).digest = Digest{DigestKind::kMd5, std::string(16, 'x')};
  EXPECT_EQ(FailFinish(object, upload), "destination:corrupt");
}

TEST_F(MultipartChecksumsTest, PartsThatTheQueueKeptProveAsThoseThatWereJustSent) {
  const ObjectToCopy object = Add("a", bytes_);
  OpenUpload upload = SendAll(object);
  std::vector<StoredPart> rows;
  for (const DonePart& part : upload.parts) {
    const FinishedPart row = ToFinishedPart(1, part, upload.upload_id);
    rows.push_back({row.number, row.etag, row.md5, kPart, row.checksum});
  }
  upload.parts = ToDoneParts(rows);
  EXPECT_EQ(ProofOf(object, upload), kProofChecksum);
}

TEST_F(MultipartChecksumsTest, ACompletionWhoseAnswerWasLostIsKnownByTheEtagsOfItsParts) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  destination_.FailCall("complete_upload", 1, Moment::kAfterEffect,
                        Error(ErrorKind::kInDoubt, "lost"));
  EXPECT_EQ(ProofOf(object, upload), kProofReadBack);
  EXPECT_TRUE(answers_.expected());  // there was no answer to miss it in
}

TEST_F(MultipartChecksumsTest, AnEtagThatIsTheSourcesProvesWhereNothingElseIsAnswered) {
  ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  object.source.etag = source_.objects().at(Key("s/a")).etag = CompositeEtag(upload.parts).value();
  destination_.answers_no_checksum = true;
  EXPECT_EQ(ProofOf(object, upload), kProofComposite);
}

TEST(KnownUploads, APartComesBackFromItsRowAsItWas) {
  const std::optional<Digest> digests[] = {std::nullopt, Digest{DigestKind::kMd5, Md5::Of("a")},
                                           BodyDigest::Of({kNvme}, "a").front()};
  for (const std::optional<Digest>& digest : digests) {
    const FinishedPart row = ToFinishedPart(7, {3, "e", digest}, "u");
    EXPECT_EQ(row.md5.size(), 16U);
    const DonePart part = ToDoneParts({{row.number, row.etag, row.md5, 1, row.checksum}}).at(0);
    EXPECT_EQ(part.number, 3U);
    EXPECT_EQ(part.etag, "e");
    EXPECT_EQ(part.digest, digest);
  }
}

TEST(KnownUploads, ThePartThatAnOlderProgramSentAgainCountsByItsMd5) {
  const std::vector<StoredPart> rows = {{1, "e", Md5::Of("a"), 1, "crc64nvme:rosUhgp5mIg="}};
  EXPECT_EQ(ToDoneParts(rows).at(0).digest, (Digest{DigestKind::kMd5, Md5::Of("a")}));
}

}  // namespace
}  // namespace ferry
