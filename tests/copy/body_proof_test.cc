#include "batch/copy/body_proof.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

constexpr DigestKind kMd5 = DigestKind::kMd5;
constexpr DigestKind kCrc32c = DigestKind::kCrc32c;
constexpr DigestKind kNvme = DigestKind::kCrc64Nvme;

class DigestsOfWholeTest : public testing::Test {
 protected:
  DigestsOfWholeTest() {
    source_.etag = EtagHabit::kMd5;
    source_.checksum = kNvme;
    head_.etag = "900150983cd24fb0d6963f7d28e17f72";
  }
  void Says(DigestKind kind) { head_.checksums = BodyDigest::Of({kind}, "abc"); }

  Provider source_ = FindProvider("s3");
  ObjectHead head_;
};

TEST_F(DigestsOfWholeTest, OneChecksumDoesForBothSides) {
  Says(kNvme);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), DigestKinds{kNvme});
}

TEST_F(DigestsOfWholeTest, OneMd5DoesForBothSides) {
  EXPECT_EQ(DigestsOfWhole(source_, head_, kMd5), DigestKinds{kMd5});
  Says(kNvme);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kMd5), DigestKinds{kMd5});
}

TEST_F(DigestsOfWholeTest, AnotherChecksumOfTheSourceIsCheaperThanItsMd5) {
  Says(kCrc32c);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), (DigestKinds{kNvme, kCrc32c}));
}

TEST_F(DigestsOfWholeTest, AnObjectOfPartsIsHeldToItsChecksum) {
  head_.etag = "b2add96cc9702bbf4efb0ccdfc6b7747-3";
  EXPECT_EQ(DigestsOfWhole(source_, head_, kMd5), DigestKinds{kMd5});
  Says(kNvme);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kMd5), (DigestKinds{kMd5, kNvme}));
}

TEST_F(DigestsOfWholeTest, AnMd5IsMadeWhereTheSourceSaysNothingElse) {
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), (DigestKinds{kNvme, kMd5}));
  head_.etag_hides_md5 = true;
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), DigestKinds{kNvme});
}

TEST_F(DigestsOfWholeTest, ASha256IsMadeOnlyWhereItServesTheDestination) {
  Says(DigestKind::kSha256);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), (DigestKinds{kNvme, kMd5}));
  EXPECT_EQ(DigestsOfWhole(source_, head_, DigestKind::kSha256), DigestKinds{DigestKind::kSha256});
}

TEST_F(DigestsOfWholeTest, AChecksumThatNobodyPromisedCountsForNothing) {
  source_.checksum.reset();
  Says(kNvme);
  EXPECT_EQ(DigestsOfWhole(source_, head_, kNvme), (DigestKinds{kNvme, kMd5}));
}

// To a store that keeps checksums.
class ChecksumTest : public CopyFixture {
 protected:
  ChecksumTest() { DestinationKeepsChecksums(kNvme); }
  void SourceKeepsChecksums() {
    source_provider_.checksum = kNvme;
    source_.checksum = kNvme;
  }
  std::string ProofOf(const ObjectToCopy& object) { return Whole(object).proof; }
};

TEST_F(ChecksumTest, ProvesABodyOfAnySizeByTheAnswerAlone) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kWholeBytesMax, kLarge}) {
    EXPECT_EQ(ProofOf(Add("a", Bytes(size))), kProofChecksum) << size;
    EXPECT_TRUE(At("d/a")->bytes == Bytes(size));
  }
  EXPECT_EQ(destination_.CountCalls("get") + destination_.CountCalls("head"), 0);
}

TEST_F(ChecksumTest, GoesWithABodyThatIsInMemoryInsteadOfAnMd5) {
  ProofOf(Add("a", "small"));
  ProofOf(Add("b", Bytes(kLarge)));
  EXPECT_EQ(destination_.digests_sent(), DigestKinds{kNvme});
}

TEST_F(ChecksumTest, ProvesWhereTheEtagSaysNothing) {
  destination_.hides_md5 = true;  // KMS
  EXPECT_EQ(ProofOf(Add("a", "small")), kProofChecksum);
  destination_.opaque_etags = true;
  EXPECT_EQ(ProofOf(Add("b", Bytes(kLarge))), kProofChecksum);
  EXPECT_EQ(destination_.CountCalls("get"), 0);
}

TEST_F(ChecksumTest, OfOtherBytesIsNeverDone) {
  destination_.spoils_writes = true;
  destination_.opaque_etags = true;
  EXPECT_EQ(FailWhole(Add("a", "small")), "destination:corrupt");
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "destination:corrupt");
}

TEST_F(ChecksumTest, OfTheSourceFindsWhatItsEtagCannot) {
  SourceKeepsChecksums();
  for (const bool opaque : {false, true}) {
    source_.opaque_etags = opaque;
    source_.spoils_reads = false;
    EXPECT_EQ(ProofOf(Add("a", Bytes(kLarge))), kProofChecksum);
    source_.spoils_reads = true;
    EXPECT_EQ(FailWhole(Add("b", "small")), "source:corrupt") << opaque;
    EXPECT_EQ(At("d/b"), nullptr);  // found before it was sent
    EXPECT_EQ(FailWhole(Add("c", Bytes(kLarge))), "source:corrupt") << opaque;
  }
}

TEST_F(ChecksumTest, OfASourceIsCheckedWhereTheDestinationKeepsNone) {
  SourceKeepsChecksums();
  destination_provider_.checksum.reset();
  destination_.checksum.reset();
  EXPECT_EQ(ProofOf(Add("a", "small")), kProofEtag);
  EXPECT_EQ(destination_.digests_sent(), DigestKinds{kMd5});
  source_.opaque_etags = true;
  source_.spoils_reads = true;
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "source:corrupt");
}

TEST_F(ChecksumTest, DoesNotKeepASourceFromBeingHeldToItsMd5) {
  source_.spoils_reads = true;
  EXPECT_EQ(FailWhole(Add("a", "small")), "source:corrupt");
  EXPECT_EQ(FailWhole(Add("b", Bytes(kLarge))), "source:corrupt");
}

TEST_F(ChecksumTest, ThatIsNotAnsweredLeavesTheProofToMd5FromThenOn) {
  destination_.answers_no_checksum = true;
  EXPECT_EQ(ProofOf(Add("a", "small")), kProofEtag);
  EXPECT_FALSE(answers_.expected());
  EXPECT_EQ(ProofOf(Add("b", "small")), kProofEtag);
  EXPECT_EQ(ProofOf(Add("c", Bytes(kLarge))), kProofEtag);
  EXPECT_EQ(destination_.digests_sent(), (DigestKinds{kNvme, kMd5}));
  EXPECT_EQ(destination_.CountCalls("get"), 0);
}

TEST_F(ChecksumTest, ThatIsNotAnsweredOfALargeBodyIsReadBack) {
  source_provider_.etag = EtagHabit::kUnknown;  // so that no MD5 is made on the way
  destination_.answers_no_checksum = true;
  EXPECT_EQ(ProofOf(Add("a", Bytes(kLarge))), kProofReadBack);
  EXPECT_EQ(ProofOf(Add("b", Bytes(kLarge))), kProofEtag);
  EXPECT_EQ(destination_.CountCalls("get"), 1);
}

TEST_F(ChecksumTest, ThatWasSentAndIsNotAnsweredProvesNothing) {
  destination_.answers_no_checksum = true;
  destination_.opaque_etags = true;
  EXPECT_EQ(ProofOf(Add("a", "small")), kProofReadBack);
  EXPECT_EQ(ProofOf(Add("b", "small")), kProofContentMd5);
}

TEST_F(ChecksumTest, ThatIsNotAnsweredHidesNoOtherBytes) {
  destination_.spoils_writes = true;
  destination_.answers_no_checksum = true;
  for (const bool opaque : {false, true}) {
    for (const std::size_t size : {std::size_t{5}, kLarge}) {
      ChecksumAnswers fresh("far:bucket");
      Ends one = ends();
      one.checksums = &fresh;
      destination_.opaque_etags = opaque;
      const ObjectToCopy object = Add("a", Bytes(size));
      EXPECT_EQ(Failure([&] { return CopyWhole(one, object, kRing, traffic_); }),
                "destination:corrupt")
          << opaque << " " << size;
    }
  }
}

TEST_F(ChecksumTest, ThatTheStoreFindsWrongIsACorruptBody) {
  PutRequest request;
  request.key = Key("k");
  request.body = "sent";
  request.bytes = 4;
  request.digest = BodyDigest::Of({kNvme}, "meant").front();
  EXPECT_EQ(Failure([&] { return destination_.Put(request); }), "nobody:corrupt");
}

}  // namespace
}  // namespace ferry
