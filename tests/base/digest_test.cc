#include "batch/base/digest.h"

#include <gtest/gtest.h>

#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr DigestKind kAllKinds[] = {DigestKind::kMd5,       DigestKind::kCrc32,
                                    DigestKind::kCrc32c,    DigestKind::kCrc64Ecma,
                                    DigestKind::kCrc64Nvme, DigestKind::kSha256};

Digest Of(DigestKind kind, std::string_view bytes) { return BodyDigest::Of({kind}, bytes).at(0); }

TEST(Digest, IsWrittenAsStoresWriteIt) {
  const auto base64 = [](DigestKind kind) { return ToBase64(Of(kind, "123456789").bytes); };
  EXPECT_EQ(base64(DigestKind::kCrc32), "y/Q5Jg==");
  EXPECT_EQ(base64(DigestKind::kCrc32c), "4waSgw==");
  EXPECT_EQ(base64(DigestKind::kCrc64Nvme), "rosUhgp5mIg=");
  EXPECT_EQ(base64(DigestKind::kMd5), "JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(base64(DigestKind::kSha256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
}

// FIPS 180-2, appendix B.
TEST(Sha256, OfTheStandardsExamples) {
  EXPECT_EQ(ToHex(Sha256::Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256::Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha256::Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CompositeDigest, IsReadAsStoresWriteItAndNothingElseIs) {
  constexpr std::string_view kText = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
  const auto read = [](const std::string& text) {
    return CompositeFromBase64(DigestKind::kSha256, text);
  };
  const auto composite = read(std::string(kText) + "-3");
  ASSERT_TRUE(composite);
  EXPECT_EQ(composite->digest, Of(DigestKind::kSha256, "123456789"));
  EXPECT_EQ(composite->parts, 3U);
  for (const char* end : {"", "-", "-0", "-x", "-3x", "--3", "-99999999999999999999"}) {
    EXPECT_FALSE(read(std::string(kText) + end)) << end;
  }
  for (const char* text : {"", "-3", "y/Q5Jg==-3"}) EXPECT_FALSE(read(text)) << text;
}

TEST(Digest, ComesBackFromItsText) {
  EXPECT_EQ(ToText(Of(DigestKind::kCrc64Nvme, "123456789")), "crc64nvme:rosUhgp5mIg=");
  for (const DigestKind kind : kAllKinds) {
    const Digest digest = Of(kind, "abc");
    EXPECT_EQ(DigestFromText(ToText(digest)), digest) << ToString(kind);
  }
}

TEST(Digest, OfAnotherLengthOrOfNoBase64IsNone) {
  for (const char* text : {"", "rosUhgp5mIg", "rosUhgp5mI=", "y/Q5Jg==", "rosUhgp5mIg=-3",
                           " rosUhgp5mIg=", "rosUhgp5mIh=", "rosU*gp5mIg="}) {
    EXPECT_FALSE(DigestFromBase64(DigestKind::kCrc64Nvme, text)) << text;
  }
  for (const char* text : {"", "crc64nvme", "crc64nvme:", "crc65:rosUhgp5mIg=", ":"}) {
    EXPECT_FALSE(DigestFromText(text)) << text;
  }
}

TEST(Digest, OfTwoBodiesIsThatOfBothInOne) {
  for (const DigestKind kind : kAllKinds) {
    if (!CrcKindOf(kind)) continue;
    EXPECT_EQ(CombineDigests(Of(kind, "1234"), Of(kind, "56789"), 5), Of(kind, "123456789"));
  }
}

TEST(BodyDigest, MakesWhatIsWantedInOnePassAndNothingElse) {
  BodyDigest digest(
      {DigestKind::kCrc64Nvme, DigestKind::kMd5, DigestKind::kSha256, DigestKind::kCrc32c});
  for (const char* piece : {"1234", "", "56789"}) digest.Update(piece);
  const Digests made = digest.Finish();
  ASSERT_EQ(made.size(), 4U);
  for (const Digest& one : made) EXPECT_EQ(one, Of(one.kind, "123456789")) << ToString(one.kind);
  EXPECT_EQ(FindDigest(made, DigestKind::kCrc32), nullptr);
  EXPECT_TRUE(BodyDigest().Finish().empty());
}

}  // namespace
}  // namespace ferry
