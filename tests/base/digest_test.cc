#include "batch/base/digest.h"

#include <gtest/gtest.h>

#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr DigestKind kAllKinds[] = {DigestKind::kMd5, DigestKind::kCrc32, DigestKind::kCrc32c,
                                    DigestKind::kCrc64Ecma, DigestKind::kCrc64Nvme};

Digest Of(DigestKind kind, std::string_view bytes) { return BodyDigest::Of({kind}, bytes).at(0); }

TEST(Digest, IsWrittenAsStoresWriteIt) {
  const auto base64 = [](DigestKind kind) { return ToBase64(Of(kind, "123456789").bytes); };
  EXPECT_EQ(base64(DigestKind::kCrc32), "y/Q5Jg==");
  EXPECT_EQ(base64(DigestKind::kCrc32c), "4waSgw==");
  EXPECT_EQ(base64(DigestKind::kCrc64Nvme), "rosUhgp5mIg=");
  EXPECT_EQ(base64(DigestKind::kMd5), "JfnnlDI7RTiF9RgfG2JNCw==");
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
    if (kind == DigestKind::kMd5) continue;
    EXPECT_EQ(CombineDigests(Of(kind, "1234"), Of(kind, "56789"), 5), Of(kind, "123456789"));
  }
}

TEST(BodyDigest, MakesWhatIsWantedInOnePassAndNothingElse) {
  BodyDigest digest({DigestKind::kCrc64Nvme, DigestKind::kMd5, DigestKind::kCrc32c});
  for (const char* piece : {"1234", "", "56789"}) digest.Update(piece);
  const Digests made = digest.Finish();
  ASSERT_EQ(made.size(), 3U);
  for (const Digest& one : made) EXPECT_EQ(one, Of(one.kind, "123456789")) << ToString(one.kind);
  EXPECT_EQ(FindDigest(made, DigestKind::kCrc32), nullptr);
  EXPECT_TRUE(BodyDigest().Finish().empty());
}

}  // namespace
}  // namespace ferry
