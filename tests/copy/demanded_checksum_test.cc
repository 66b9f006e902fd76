// Copies to a destination whose task asks for a checksum by name.
#include "tests/copy/multipart_fixture.h"

namespace ferry {
namespace {

constexpr DigestKind kSha256 = DigestKind::kSha256;
constexpr DigestKind kNvme = DigestKind::kCrc64Nvme;

class DemandedChecksumTest : public MultipartFixture {
 protected:
  DemandedChecksumTest() { DemandChecksum(kSha256); }
};

TEST_F(DemandedChecksumTest, BodiesOfAllSizesCarryItAndAreProvenByIt) {
  EXPECT_EQ(Whole(Add("empty", "")).proof, kProofChecksum);
  EXPECT_EQ(Whole(Add("small", "0123")).proof, kProofChecksum);
  EXPECT_EQ(destination_.digests_sent(), (DigestKinds{kSha256, kSha256}));
  EXPECT_TRUE(destination_.digests_behind().empty());
  EXPECT_EQ(Whole(Add("large", Bytes(kLarge))).proof, kProofChecksum);
  EXPECT_EQ(destination_.digests_behind(), DigestKinds{kSha256});
  EXPECT_EQ(destination_.CountCalls("get") + destination_.CountCalls("head"), 0);
}

TEST_F(DemandedChecksumTest, WithoutADemandNothingGoesBehindABody) {
  rules_.demands_checksum = false;
  Whole(Add("large", Bytes(kLarge)));
  EXPECT_TRUE(destination_.digests_behind().empty());
}

TEST_F(DemandedChecksumTest, ADestinationThatAnswersNoneIsStillAskedAndProvenOtherwise) {
  destination_.answers_no_checksum = true;
  EXPECT_EQ(Whole(Add("a", Bytes(kLarge))).proof, kProofEtag);
  destination_.opaque_etags = true;
  EXPECT_EQ(Whole(Add("b", Bytes(kLarge))).proof, kProofReadBack);
  EXPECT_FALSE(answers_.expected());
  EXPECT_EQ(destination_.digests_behind(), (DigestKinds{kSha256, kSha256}));
}

TEST_F(DemandedChecksumTest, AnUploadIsProvenByThatOfItsParts) {
  const ObjectToCopy object = Add("a", bytes_);
  const OpenUpload upload = SendAll(object);
  EXPECT_EQ(destination_.digests_behind(), DigestKinds(4, kSha256));
  EXPECT_EQ(ProofOf(object, upload), kProofChecksum);
  EXPECT_TRUE(At("d/a")->bytes == bytes_);
  EXPECT_EQ(destination_.CountCalls("get") + destination_.CountCalls("head"), 0);
  EXPECT_TRUE(answers_.expected());
}

TEST_F(DemandedChecksumTest, OneOfOtherPartsIsCorrupt) {
  destination_.answers_other_composite = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(FailFinish(object, SendAll(object)), "destination:corrupt");
}

TEST_F(DemandedChecksumTest, AnUploadOfWhichNoneIsAnsweredIsReadBack) {
  destination_.answers_no_checksum = true;
  const ObjectToCopy object = Add("a", bytes_);
  EXPECT_EQ(ProofOf(object, SendAll(object)), kProofReadBack);
  destination_.spoils_writes = true;
  EXPECT_EQ(FailFinish(object, SendAll(object)), "destination:corrupt");
}

TEST_F(DemandedChecksumTest, AnInterruptedUploadGoesOnUnderTheSameChecksum) {
  for (const bool tells : {true, false}) {
    destination_.tells_checksum_of_uploads = tells;
    const ObjectToCopy object = Add("a", bytes_);
    OpenUpload upload = SendAll(object);
    const std::string id = upload.upload_id;
    const DonePart last = upload.parts.back();
    upload.parts.pop_back();
    upload = Open(object, upload);
    EXPECT_EQ(upload.upload_id, id);
    ASSERT_EQ(upload.parts.size(), 3U);
    upload.parts.push_back(SendPart(object, upload, {4, 3 * kPart, bytes_.size() - 3 * kPart}));
    EXPECT_EQ(upload.parts.back().digest, last.digest);
    EXPECT_EQ(ProofOf(object, upload), kProofChecksum);
  }
}

TEST_F(DemandedChecksumTest, AnUploadThatWasBegunUnderAnotherIsBegunAnew) {
  for (const bool tells : {true, false}) {
    destination_.tells_checksum_of_uploads = tells;
    const ObjectToCopy object = Add("a", bytes_);
    DemandChecksum(kNvme);
    const OpenUpload before = SendAll(object);
    DemandChecksum(kSha256);
    const OpenUpload after = Open(object, before);
    EXPECT_NE(after.upload_id, before.upload_id);
    EXPECT_TRUE(after.parts.empty());
    EXPECT_FALSE(destination_.HasUpload(before.upload_id));
    // ... and back: one that needs the checksum of each part takes none without.
    const OpenUpload composite = SendAll(object);
    rules_.demands_checksum = false;
    DestinationKeepsChecksums(kNvme);
    EXPECT_NE(Open(object, composite).upload_id, composite.upload_id);
    destination_.ForgetUploads();
  }
}

}  // namespace
}  // namespace ferry
