#include <gtest/gtest.h>

#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using test::HttpText;
using test::OddStore;
using test::Says;
using test::SeenRequest;

constexpr const char* kCopied =
    "<CopyObjectResult><ETag>&quot;900150983CD24FB0D6963F7D28E17F72&quot;</ETag>"
    "<LastModified>2024-01-02T03:04:05.000Z</LastModified></CopyObjectResult>";
constexpr const char* kPartCopied = "<CopyPartResult><ETag>\"e\"</ETag></CopyPartResult>";

CopyRequest RequestFor(const std::string& source_key) {
  CopyRequest request;
  request.source_bucket = "from";
  request.source_key = Key(source_key);
  request.source_etag = "abc";
  request.key = Key("to");
  return request;
}

TEST(S3Copy, NamesItsSourceByteForByteAndTakesMetadataAndTagsAlong) {
  OddStore odd({Says(HttpText(200, {{"x-amz-copy-source-version-id", "v7"}}, kCopied))});
  const CopyRequest request = RequestFor("a b+%?\xC3\xA9/../x");
  const CopyAnswer copied = odd.runner.Await([&] { return odd.store.Copy(request); });
  EXPECT_EQ(copied.etag, "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(copied.source_version_id, "v7");
  EXPECT_FALSE(copied.etag_hides_md5);
  const SeenRequest seen = odd.server.Take();
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/bucket/to");
  EXPECT_EQ(seen.Header("x-amz-copy-source"), "/from/a%20b%2B%25%3F%C3%A9/../x");
  EXPECT_EQ(seen.Header("x-amz-copy-source-if-match"), "\"abc\"");
  EXPECT_EQ(seen.Header("x-amz-metadata-directive"), "COPY");
  EXPECT_EQ(seen.Header("x-amz-tagging-directive"), "COPY");
  EXPECT_FALSE(seen.Has("x-amz-copy-if-match"));
  EXPECT_FALSE(seen.Has("x-amz-copy-source-range"));
  EXPECT_TRUE(seen.body.empty());
}

TEST(S3Copy, AVersionStandsBehindTheKey) {
  OddStore odd({Says(HttpText(200, {}, kCopied))});
  CopyRequest request = RequestFor("k?");
  request.source_version_id = "a/b+";
  odd.runner.Await([&] { return odd.store.Copy(request); });
  EXPECT_EQ(odd.server.Take().Header("x-amz-copy-source"), "/from/k%3F?versionId=a%2Fb%2B");
}

TEST(S3Copy, APartIsARangeAndHasNoMetadata) {
  OddStore odd({Says(HttpText(200, {}, kPartCopied))});
  CopyRequest request = RequestFor("k");
  request.upload_id = "id";
  request.part_number = 3;
  request.first_byte = 10;
  request.range_bytes = 5;
  EXPECT_EQ(odd.runner.Await([&] { return odd.store.Copy(request); }).etag, "e");
  const SeenRequest seen = odd.server.Take();
  EXPECT_EQ(seen.target, "/bucket/to?partNumber=3&uploadId=id");
  EXPECT_EQ(seen.Header("x-amz-copy-source-range"), "bytes=10-14");
  EXPECT_FALSE(seen.Has("x-amz-metadata-directive"));
}

TEST(S3Copy, CephIsToldThePinByTheNameThatItHeeds) {
  OddStore odd({Says(HttpText(200, {}, kCopied))});
  S3Store ceph({"far", "bucket", {.provider = FindProvider("ceph"), .endpoint = odd.server.url()}},
               odd.http, odd.keys, odd.runner.clock());
  const CopyRequest request = RequestFor("k");
  odd.runner.Await([&] { return ceph.Copy(request); });
  const SeenRequest seen = odd.server.Take();
  EXPECT_EQ(seen.Header("x-amz-copy-if-match"), "\"abc\"");
  EXPECT_EQ(seen.Header("x-amz-copy-source-if-match"), "\"abc\"");
}

TEST(S3Copy, AnEncryptedCopySaysThatItsEtagIsNoMd5) {
  OddStore odd({Says(HttpText(200, {{"x-amz-server-side-encryption", "aws:kms"}}, kCopied))});
  const CopyRequest request = RequestFor("k");
  EXPECT_TRUE(odd.runner.Await([&] { return odd.store.Copy(request); }).etag_hides_md5);
}

}  // namespace
}  // namespace ferry
