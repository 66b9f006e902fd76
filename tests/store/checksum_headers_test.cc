#include "batch/store/checksum_headers.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "batch/store/s3_xml.h"

namespace ferry {
namespace {

constexpr DigestKind kAllKinds[] = {DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kCrc64Ecma,
                                    DigestKind::kCrc64Nvme, DigestKind::kSha256};

Digest Of(DigestKind kind) { return BodyDigest::Of({kind}, "123456789").front(); }

// "crc32c:4waSgw==", several with a space between.
std::string Text(const Headers& headers) {
  std::string text;
  for (const Digest& one : ReadChecksums(headers)) text += (text.empty() ? "" : " ") + ToText(one);
  return text;
}

// Braces with two strings in them could as well be a vector made of two iterators.
std::string Read(std::initializer_list<NameValue> headers) { return Text(Headers(headers)); }

TEST(ChecksumHeaders, AreReadAsEachProviderSpellsThem) {
  EXPECT_EQ(Read({{"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}}), "crc64nvme:rosUhgp5mIg=");
  EXPECT_EQ(Read({{"x-amz-checksum-crc32c", "4waSgw=="}}), "crc32c:4waSgw==");
  EXPECT_EQ(Read({{"x-amz-checksum-crc32", "y/Q5Jg=="}}), "crc32:y/Q5Jg==");
  EXPECT_EQ(
      Read({{"x-goog-hash", "crc32c=4waSgw=="}, {"x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw=="}}),
      "crc32c:4waSgw==");
  EXPECT_EQ(Read({{"x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==, crc32c=4waSgw=="}}),
            "crc32c:4waSgw==");
  const std::string ecma = ToText(Of(DigestKind::kCrc64Ecma));
  EXPECT_EQ(Read({{"x-oss-hash-crc64ecma", "11051210869376104954"}}), ecma);
  EXPECT_EQ(Read({{"x-cos-hash-crc64ecma", "11051210869376104954"}}), ecma);
}

TEST(ChecksumHeaders, OfAChecksumOfChecksumsSayNothingOfABody) {
  EXPECT_EQ(Read({{"x-amz-checksum-crc32c", "4waSgw==-3"}}), "");
  EXPECT_EQ(Read({{"x-amz-checksum-crc32c", "4waSgw=="}, {"x-amz-checksum-type", "COMPOSITE"}}),
            "");
  EXPECT_EQ(Read({{"x-amz-checksum-crc32c", "4waSgw=="}, {"x-amz-checksum-type", "FULL_OBJECT"}}),
            "crc32c:4waSgw==");
}

TEST(ChecksumHeaders, ThatAreNoneAreAsIfTheyWereNotThere) {
  for (const char* name : {"x-amz-checksum-crc64nvme", "x-oss-hash-crc64ecma", "x-goog-hash",
                           "x-amz-checksum-sha256", "x-amz-checksum-"}) {
    for (const char* value : {"", "=", "rosUhgp5mI=", "-1", "18446744073709551616", "crc32c=", ",,",
                              "crc32c=x", "\xFF"}) {
      EXPECT_EQ(Read({{name, value}}), "") << name << ": " << value;
    }
  }
}

TEST(ChecksumHeaders, GoAsTheStoreReadsThem) {
  for (const DigestKind kind : kAllKinds) {
    Headers headers;
    AddDigest(Of(kind), headers);
    if (kind == DigestKind::kCrc64Ecma) {
      EXPECT_TRUE(headers.empty());
    } else {
      EXPECT_EQ(Text(headers), ToText(Of(kind)));
    }
  }
  Headers headers;
  AddDigest(Of(DigestKind::kMd5), headers);
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers[0], NameValue("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="));
}

TEST(ChecksumHeaders, AnUploadIsAskedForWhatItsPartsCanBecome) {
  Headers headers;
  AskForChecksum(DigestKind::kSha256, headers);
  AskForChecksum(DigestKind::kCrc32c, headers);
  EXPECT_EQ(headers, (Headers{{"x-amz-checksum-algorithm", "SHA256"},
                              {"x-amz-checksum-type", "COMPOSITE"},
                              {"x-amz-checksum-algorithm", "CRC32C"},
                              {"x-amz-checksum-type", "FULL_OBJECT"}}));
}

// ceph s3-tests, test_multipart_use_cksum_helper_sha256: parts of 5 MiB of A, B and C.
TEST(ParseCompleteUpload, ReadsTheChecksumOfThoseOfTheParts) {
  Sha256 all;
  for (const char c : {'A', 'B', 'C'}) all.Update(Sha256::Of(std::string(5 << 20, c)));
  const CompletedUpload completed = ParseCompleteUpload(
      "<CompleteMultipartUploadResult><ETag>\"e-3\"</ETag><ChecksumSHA256>"
      "uWBwpe1dxI4Vw8Gf0X9ynOdw/SS6VBzfWm9giiv1sf4=-3</ChecksumSHA256>"
      "<ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>");
  EXPECT_EQ(completed.composite, (CompositeDigest{{DigestKind::kSha256, all.Finish()}, 3}));
  EXPECT_TRUE(completed.checksums.empty());
}

TEST(ParseCompleteUpload, ReadsChecksumsOfAllBytesOnly) {
  const auto read = [](const std::string& elements) {
    return ParseCompleteUpload("<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag>" + elements +
                               "</CompleteMultipartUploadResult>")
        .checksums;
  };
  const Digests nvme = {Of(DigestKind::kCrc64Nvme)};
  const std::string element = "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>";
  EXPECT_EQ(read(element), nvme);
  EXPECT_EQ(read(element + "<ChecksumType>FULL_OBJECT</ChecksumType>"), nvme);
  EXPECT_TRUE(read("<ChecksumType>COMPOSITE</ChecksumType>" + element).empty());
  EXPECT_TRUE(read("<ChecksumCRC32C>4waSgw==-3</ChecksumCRC32C>").empty());
  EXPECT_TRUE(read("<ChecksumCRC32C>none</ChecksumCRC32C>").empty());
}

}  // namespace
}  // namespace ferry
