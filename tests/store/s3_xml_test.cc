#include "batch/store/s3_xml.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr char kDeclaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string List(const std::string& inside) {
  return kDeclaration + ("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                         inside + "</ListBucketResult>");
}

std::string Contents(const std::string& key) {
  return "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
}

const std::string kLast = "<IsTruncated>false</IsTruncated>";

struct Failure {
  ErrorKind kind;
  std::string code;
  friend bool operator==(const Failure&, const Failure&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Failure& failure) {
    return out << ToString(failure.kind) << " " << failure.code;
  }
};
const Failure kMalformed = {ErrorKind::kUnavailable, std::string(kMalformedAnswer)};
const Failure kCorrupt = {ErrorKind::kCorrupt, ""};

Failure FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return {error.kind(), error.code()};
  }
  return {ErrorKind::kStopped, "nothing was thrown"};
}
Failure ListFailure(const std::string& body) {
  return FailureOf([&] { ParseListPage(body); });
}

// ---- Listing -----------------------------------------------------------------------------------

TEST(ParseListPage, ReadsWhatAwsAnswersToListObjectsV2) {
  const ListPage page = ParseListPage(List(
      "<Name>bucket</Name><Prefix>in/</Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>"
      "<IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnh+%2B==</NextContinuationToken>"
      "<Contents><Key>in/a&amp;b.txt</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>"
      "<ETag>&quot;FBA9DEDE5F27731C9771645A39863328&quot;</ETag>"
      "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
      "<Size>434234</Size><Owner><ID>75aa</ID><Key>not this</Key></Owner>"
      "<StorageClass>STANDARD</StorageClass>"
      "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus></Contents>"
      "<Contents><Key>in/b</Key><Size>18446744073709551615</Size></Contents>"
      "<CommonPrefixes><Prefix>in/c/</Prefix></CommonPrefixes>"));

  EXPECT_EQ(page.bucket, "bucket");
  EXPECT_EQ(page.prefix, "in/");
  EXPECT_TRUE(page.truncated);
  EXPECT_FALSE(page.url_encoded);
  EXPECT_EQ(page.shape, ListShape::kV2);
  EXPECT_EQ(page.continuation_token, "1ueGcxLPRx1Tr/XYExHnh+%2B==");
  ASSERT_EQ(page.objects.size(), 2U);
  EXPECT_EQ(page.objects[0].key.bytes(), "in/a&b.txt");
  EXPECT_EQ(page.objects[0].etag, "fba9dede5f27731c9771645a39863328");
  EXPECT_EQ(page.objects[0].size_bytes, 434234U);
  EXPECT_EQ(page.objects[0].storage_class, "STANDARD");
  EXPECT_EQ(page.objects[0].last_modified_ms, 1255369830000);
  EXPECT_EQ(page.objects[1].size_bytes, 18446744073709551615U);
  EXPECT_EQ(page.objects[1].etag, "");
  EXPECT_EQ(page.common_prefixes, std::vector<std::string>{"in/c/"});
}

TEST(ParseListPage, TakesAnswersWithPrefixedNamesOrNoNamespace) {
  const ListPage prefixed = ParseListPage(
      "<s3:ListBucketResult xmlns:s3=\"x\"><s3:IsTruncated>false</s3:IsTruncated>"
      "<s3:Contents><s3:Key>k</s3:Key><s3:Size>1</s3:Size></s3:Contents></s3:ListBucketResult>");
  ASSERT_EQ(prefixed.objects.size(), 1U);
  EXPECT_EQ(prefixed.objects[0].key.bytes(), "k");
  EXPECT_EQ(ParseListPage("<ListBucketResult>" + kLast + Contents("k") + "</ListBucketResult>")
                .objects.size(),
            1U);
}

TEST(ParseListPage, DecodesNamesOnlyWhenTheAnswerSaysSo) {
  const std::string names = "<Prefix>p%2B/</Prefix><NextMarker>m+%25</NextMarker>" + kLast +
                            Contents("foo%2B1/bar+x%01") +
                            "<CommonPrefixes><Prefix>quux%20ab/</Prefix></CommonPrefixes>";
  const ListPage plain = ParseListPage(List(names));
  EXPECT_EQ(plain.objects[0].key.bytes(), "foo%2B1/bar+x%01");
  EXPECT_EQ(plain.next_marker, "m+%25");
  // Behind the names here: the order of elements is no promise.
  const ListPage encoded = ParseListPage(List(names + "<EncodingType>url</EncodingType>"));
  EXPECT_TRUE(encoded.url_encoded);
  EXPECT_EQ(encoded.prefix, "p+/");
  EXPECT_EQ(encoded.next_marker, "m %");
  EXPECT_EQ(encoded.objects[0].key.bytes(), "foo+1/bar x\x01");
  EXPECT_EQ(encoded.common_prefixes[0], "quux ab/");
}

TEST(ParseListPage, NeverDecodesAContinuationToken) {
  const ListPage page =
      ParseListPage(List("<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                         "<NextContinuationToken>a+b%20</NextContinuationToken>"));
  EXPECT_EQ(page.continuation_token, "a+b%20");
}

TEST(ParseListPage, KeepsKeysAsBytes) {
  const std::string body =
      List(kLast + "<EncodingType>url</EncodingType>" + Contents("%0D%0A%EF%BF%BE%00%FF") +
           Contents("\xF0\x9F\x98\x80 dir/") + Contents(".."));
  const ListPage page = ParseListPage(body);
  EXPECT_EQ(page.objects[0].key.bytes(), std::string("\r\n\xEF\xBF\xBE\0\xFF", 7));
  EXPECT_EQ(page.objects[1].key.bytes(), "\xF0\x9F\x98\x80 dir/");
  EXPECT_EQ(page.objects[2].key.bytes(), "..");
}

TEST(ParseListPage, TellsAnAnswerOfV1FromOneOfV2) {
  const std::string more = "<IsTruncated>true</IsTruncated>";
  EXPECT_EQ(ParseListPage(List(more + "<Marker/><NextMarker>k</NextMarker>")).shape,
            ListShape::kV1);
  EXPECT_EQ(ParseListPage(List(more + Contents("k"))).shape, ListShape::kV1);
  for (const char* sign : {"<KeyCount>0</KeyCount>", "<ContinuationToken>x</ContinuationToken>",
                           "<StartAfter>x</StartAfter>"}) {
    EXPECT_EQ(ParseListPage(List(kLast + sign)).shape, ListShape::kV2) << sign;
  }
  EXPECT_EQ(ParseListPage(List(more + "<KeyCount>0</KeyCount><NextMarker>k</NextMarker>")).shape,
            ListShape::kV1);
}

TEST(ParseListPage, AnEmptyPageThatGoesOnIsLegalAndAnEmptyTokenIsNone) {
  const std::string more = "<KeyCount>0</KeyCount><IsTruncated>true</IsTruncated>";
  const ListPage page =
      ParseListPage(List(more + "<NextContinuationToken>t</NextContinuationToken>"));
  EXPECT_TRUE(page.truncated);
  EXPECT_TRUE(page.objects.empty());
  EXPECT_EQ(ListFailure(List(more)), kCorrupt);
  EXPECT_EQ(ListFailure(List(more + "<NextContinuationToken/>")), kCorrupt);
}

TEST(ParseListPage, WhiteSpaceBeforeAndAfterTheDeclarationIsSkipped) {
  EXPECT_TRUE(ParseListPage(" \r\n\t " + List(kLast)).objects.empty());
  EXPECT_TRUE(ParseListPage(kDeclaration + std::string("  \n\n") + "<ListBucketResult>" + kLast +
                            "</ListBucketResult> \n")
                  .objects.empty());
}

TEST(ParseListPage, AnythingButAWholeListingThrows) {
  const std::string good = List(kLast + Contents("k"));
  const struct {
    const char* name;
    std::string body;
    Failure expected;
  } cases[] = {
      {"nothing", "", kMalformed},
      {"white space", "   \n", kMalformed},
      {"cut", good.substr(0, good.size() - 5), kMalformed},
      {"more behind it", good + good, kMalformed},
      {"HTML", "<html><body>502 Bad Gateway</body></html>", kMalformed},
      {"HTML with an open tag", "<!-- x --><html><br></html>", kMalformed},
      {"JSON", "{\"error\": 1}", kMalformed},
      {"another root", "<ListVersionsResult></ListVersionsResult>", kMalformed},
      {"a raw control character", List(kLast + Contents("\x01")), kMalformed},
      {"a reference to one", List(kLast + Contents("&#x1;")), kMalformed},
      {"bad UTF-8", List(kLast + Contents("\xFF")), kMalformed},
      {"no IsTruncated", List(Contents("k")), kCorrupt},
      {"IsTruncated maybe", List("<IsTruncated>maybe</IsTruncated>"), kCorrupt},
      {"no key", List(kLast + "<Contents><Size>1</Size></Contents>"), kCorrupt},
      {"no size", List(kLast + "<Contents><Key>k</Key></Contents>"), kCorrupt},
      {"a negative size", List("<Contents><Size>-1</Size></Contents>"), kCorrupt},
      {"a size over 64 bits", List("<Contents><Size>18446744073709551616</Size></Contents>"),
       kCorrupt},
      {"no time", List("<Contents><LastModified>soon</LastModified></Contents>"), kCorrupt},
      {"a bad escape", List(kLast + "<EncodingType>url</EncodingType>" + Contents("%4")), kCorrupt},
  };
  for (const auto& c : cases) EXPECT_EQ(ListFailure(c.body), c.expected) << c.name;
}

TEST(ParseListPage, AnErrorUnderStatus200IsThrownWithItsCode) {
  const std::string denied = "<Error><Code>AccessDenied</Code><Message>no\nno</Message></Error>";
  EXPECT_EQ(ListFailure(denied), (Failure{ErrorKind::kDenied, "AccessDenied"}));
  EXPECT_EQ(ListFailure("<Error><Code>NeverHeardOf</Code></Error>"),
            (Failure{ErrorKind::kUnavailable, "NeverHeardOf"}));
  EXPECT_EQ(ListFailure("<Error/>"), (Failure{ErrorKind::kUnavailable, "UnknownError"}));
}

TEST(ParseListPage, BoundsAndDeclarationsAreHeld) {
  EXPECT_EQ(ListFailure("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>" +
                        std::string("<ListBucketResult>&b;</ListBucketResult>")),
            kCorrupt);
  std::string deep = "<ListBucketResult>";
  for (std::size_t i = 0; i < kXmlDepthMax; ++i) deep += "<a>";
  EXPECT_EQ(ListFailure(deep), kCorrupt);
  EXPECT_EQ(ListFailure(List(Contents(std::string(kXmlTextBytesMax + 1, 'k')))), kCorrupt);
  EXPECT_EQ(ListFailure(std::string(kXmlBytesMax + 1, ' ')), kCorrupt);
}

// ---- Errors ------------------------------------------------------------------------------------

TEST(ParseListVersions, ReadsVersionsAndDeleteMarkersInTheirOrder) {
  const ListVersionsPage page = ParseListVersions(
      "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
      "<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
      "<NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v%201</NextVersionIdMarker>"
      "<DeleteMarker><Key>a%20b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>"
      "<LastModified>2009-10-12T17:50:30.000Z</LastModified><Owner><ID>i</ID></Owner>"
      "</DeleteMarker>"
      "<Version><Key>a%20b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>"
      "<ETag>&quot;e&quot;</ETag><Size>7</Size><StorageClass>GLACIER</StorageClass></Version>"
      "<Version><Key>c</Key><VersionId>v%201</VersionId><IsLatest>true</IsLatest><Size>0</Size>"
      "</Version></ListVersionsResult>");
  ASSERT_EQ(page.versions.size(), 3U);
  EXPECT_TRUE(page.versions[0].delete_marker);
  EXPECT_TRUE(page.versions[0].latest);
  EXPECT_EQ(page.versions[0].object.key.bytes(), "a b");
  EXPECT_GT(page.versions[0].object.last_modified_ms, 0);
  EXPECT_FALSE(page.versions[1].delete_marker);
  EXPECT_FALSE(page.versions[1].latest);
  EXPECT_EQ(page.versions[1].version_id, "null");
  EXPECT_EQ(page.versions[1].object.etag, "e");
  EXPECT_EQ(page.versions[1].object.size_bytes, 7U);
  EXPECT_EQ(page.versions[1].object.storage_class, "GLACIER");
  EXPECT_EQ(page.versions[2].version_id, "v%201");  // opaque: never decoded
  EXPECT_TRUE(page.truncated);
  EXPECT_EQ(page.next_key_marker, "a b");
  EXPECT_EQ(page.next_version_id_marker, "v%201");
}

// RGW 16.2 does that, measured.
TEST(ParseListVersions, AMarkerThatIsTheLastKeyAsItStandsIsNotDecoded) {
  const auto marker = [](const std::string& text) {
    return ParseListVersions(
               "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
               "<NextKeyMarker>" +
               text +
               "</NextKeyMarker><Version><Key>c%2B%2520</Key><VersionId>v</VersionId>"
               "<Size>1</Size></Version></ListVersionsResult>")
        .next_key_marker;
  };
  EXPECT_EQ(marker("c+%20"), "c+%20");
  EXPECT_EQ(marker("c%2B%2520"), "c+%20");
}

TEST(ParseListVersions, WhatLacksSomethingIsNoList) {
  const auto version = [](const std::string& inside) {
    return "<ListVersionsResult><IsTruncated>false</IsTruncated><Version>" + inside +
           "</Version></ListVersionsResult>";
  };
  const std::string key = "<Key>k</Key>", id = "<VersionId>v</VersionId>", size = "<Size>1</Size>";
  EXPECT_EQ(ParseListVersions(version(key + id + size)).versions.size(), 1U);
  const std::string long_id = "<VersionId>" + std::string(1025, 'v') + "</VersionId>";
  for (const std::string& body :
       {version(key + id), version(key + size), version(id + size), version(key + long_id + size),
        version(key + id + "<Size>x</Size>"), std::string("<ListVersionsResult/>"),
        std::string("<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>")}) {
    EXPECT_EQ(FailureOf([&] { ParseListVersions(body); }), kCorrupt) << body;
  }
  EXPECT_EQ(FailureOf([] { ParseListVersions("<ListVersionsResult><Version>"); }), kMalformed);
  EXPECT_EQ(FailureOf([] { ParseListVersions("<html/>"); }), kMalformed);
}

TEST(ParseErrorBody, ReadsAllThatHelpsAndNothingElse) {
  const auto error = ParseErrorBody(
      std::string(kDeclaration) +
      "<Error><Code>PermanentRedirect</Code><Message>The bucket is elsewhere</Message>"
      "<Resource>/b/k</Resource><Bucket>b</Bucket><RequestId>R1</RequestId><HostId>H1</HostId>"
      "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint><Region>eu-west-1</Region>"
      "<ServerTime>2024-01-01T00:00:00Z</ServerTime><StorageClass>GLACIER</StorageClass>"
      "<EC>0017</EC><TraceId>t</TraceId></Error>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "PermanentRedirect");
  EXPECT_EQ(error->message, "The bucket is elsewhere");
  EXPECT_EQ(error->resource, "/b/k");
  EXPECT_EQ(error->bucket, "b");
  EXPECT_EQ(error->request_id, "R1");
  EXPECT_EQ(error->host_id, "H1");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->endpoint, "b.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(error->server_time, "2024-01-01T00:00:00Z");
  EXPECT_EQ(error->storage_class, "GLACIER");
}

TEST(ParseErrorBody, FindsTheErrorOfStsToo) {
  const auto error = ParseErrorBody(
      "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender"
      "</Type><Code>ExpiredToken</Code></Error><RequestId>R</RequestId></ErrorResponse>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "ExpiredToken");
  EXPECT_EQ(error->request_id, "R");
}

TEST(ParseErrorBody, SaysNothingAboutWhatIsNoError) {
  for (const char* body : {"", "  ", "{\"Code\":\"x\"}", "<html><Code>x</Code></html>",
                           "<Error></Error>", "<Error><Code></Code></Error>", "<Error><Code>Slow",
                           "502 Bad Gateway", "<!DOCTYPE Error><Error><Code>x</Code></Error>"}) {
    EXPECT_EQ(ParseErrorBody(body), std::nullopt) << body;
  }
}

TEST(ParseErrorBody, UsesWhatStoodBeforeACut) {
  const auto error = ParseErrorBody("<Error><Code>SlowDown</Code><Mess");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "SlowDown");
}

// ---- Multipart ---------------------------------------------------------------------------------

TEST(ParseCreateUpload, NeedsAnUploadId) {
  EXPECT_EQ(ParseCreateUpload("<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
                              "<UploadId>2~Vx/+=</UploadId></InitiateMultipartUploadResult>"),
            "2~Vx/+=");
  EXPECT_EQ(FailureOf([] {
              ParseCreateUpload(
                  "<InitiateMultipartUploadResult><Key>k</Key>"
                  "</InitiateMultipartUploadResult>");
            }),
            kCorrupt);
}

TEST(ParseCompleteUpload, IsASuccessOnlyWithItsRootAndAnEtag) {
  const CompletedUpload completed = ParseCompleteUpload(
      "   \n  " + std::string(kDeclaration) +
      "  <CompleteMultipartUploadResult><Location>http://b/k</Location>"
      "<ETag>\"B2ADD96CC9702BBF4EFB0CCDFC6B7747-3\"</ETag>"
      "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></CompleteMultipartUploadResult>");
  EXPECT_EQ(completed.etag, "b2add96cc9702bbf4efb0ccdfc6b7747-3");
  ASSERT_EQ(completed.checksums.size(), 1U);
  EXPECT_EQ(ToText(completed.checksums[0]), "crc64nvme:rosUhgp5mIg=");
}

TEST(ParseCompleteUpload, AnEtagThatIsThereAndEmptyIsNotSaid) {
  EXPECT_EQ(ParseCompleteUpload(
                "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>")
                .etag,
            "");
}

TEST(ParseCompleteUpload, WhatIsNotReadableLeavesTheOutcomeInDoubt) {
  for (const char* body :
       {"", "    ", "<CompleteMultipartUploadResult><ETag>\"a\"</ETag>", "<html></html>",
        "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", "<!DOCTYPE a><a/>",
        "{}"}) {
    EXPECT_EQ(FailureOf([&] { ParseCompleteUpload(body); }).kind, ErrorKind::kInDoubt) << body;
  }
}

TEST(ParseCompleteUpload, AnErrorBehindWhiteSpaceIsTheAnswer) {
  const auto failure = [](const std::string& code) {
    return FailureOf([&] {
      ParseCompleteUpload(kDeclaration + std::string(60, ' ') + "<Error><Code>" + code +
                          "</Code><Message>We encountered it.</Message></Error>");
    });
  };
  EXPECT_EQ(failure("InternalError"), (Failure{ErrorKind::kUnavailable, "InternalError"}));
  EXPECT_EQ(failure("SlowDown"), (Failure{ErrorKind::kThrottled, "SlowDown"}));
  EXPECT_EQ(failure("AccessDenied"), (Failure{ErrorKind::kDenied, "AccessDenied"}));
  EXPECT_EQ(failure("NoSuchUpload"), (Failure{ErrorKind::kNotFound, "NoSuchUpload"}));
}

TEST(ParseListParts, ReadsPartsAndMarker) {
  const ListPartsPage page = ParseListParts(
      "<ListPartsResult><UploadId>u</UploadId><NextPartNumberMarker>3</NextPartNumberMarker>"
      "<IsTruncated>true</IsTruncated>"
      "<Part><PartNumber>2</PartNumber><ETag>\"aa\"</ETag><Size>5242880</Size></Part>"
      "<Part><PartNumber>3</PartNumber><ETag>bb</ETag><Size>1</Size></Part>"
      "<Owner><Size>x</Size></Owner></ListPartsResult>");
  EXPECT_TRUE(page.truncated);
  EXPECT_EQ(page.next_part_number_marker, 3U);
  ASSERT_EQ(page.parts.size(), 2U);
  EXPECT_EQ(page.parts[0].number, 2U);
  EXPECT_EQ(page.parts[0].etag, "aa");
  EXPECT_EQ(page.parts[0].size_bytes, 5242880U);
  EXPECT_EQ(page.parts[1].etag, "bb");
}

TEST(ParseListParts, TakesAnEmptyMarkerAndNoParts) {
  const ListPartsPage page = ParseListParts(
      "<ListPartsResult><NextPartNumberMarker/><IsTruncated>false</IsTruncated></ListPartsResult>");
  EXPECT_EQ(page.next_part_number_marker, 0U);
  EXPECT_TRUE(page.parts.empty());
}

TEST(ParseListUploads, DecodesKeysAndKeyMarkerButNoIds) {
  const ListUploadsPage page = ParseListUploads(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<NextKeyMarker>a+b</NextKeyMarker><NextUploadIdMarker>x+y%20</NextUploadIdMarker>"
      "<Upload><Key>a%2Fb</Key><UploadId>u+1</UploadId>"
      "<Owner><ID>o</ID></Owner><Initiator><ID>i</ID><DisplayName>d</DisplayName></Initiator>"
      "<Initiated>2009-10-12T17:50:30.000Z</Initiated></Upload></ListMultipartUploadsResult>");
  EXPECT_EQ(page.next_key_marker, "a b");
  EXPECT_EQ(page.next_upload_id_marker, "x+y%20");
  ASSERT_EQ(page.uploads.size(), 1U);
  EXPECT_EQ(page.uploads[0].key.bytes(), "a/b");
  EXPECT_EQ(page.uploads[0].upload_id, "u+1");
  EXPECT_EQ(page.uploads[0].initiated_ms, 1255369830000);
  EXPECT_EQ(page.uploads[0].initiator, "i");
}

TEST(ParseListUploads, TakesAMarkerThatIsTheLastKeyAsItStands) {
  const ListUploadsPage page = ParseListUploads(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<NextKeyMarker>a+b%</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>"
      "<Upload><Key>a%2Bb%25</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>");
  EXPECT_EQ(page.next_key_marker, "a+b%");
}

TEST(CompleteUploadBody, NamesPartsInOrderWithQuotedEtags) {
  EXPECT_EQ(CompleteUploadBody({{1, "aa"}, {3, "b&b"}}),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>\"aa\"</ETag></Part>"
            "<Part><PartNumber>3</PartNumber><ETag>\"b&amp;b\"</ETag></Part>"
            "</CompleteMultipartUpload>");
}

// API_CompletedPart.
TEST(CompleteUploadBody, NamesTheChecksumOfAPartThatHasOne) {
  const std::string body =
      CompleteUploadBody({{1, "aa", Digest{DigestKind::kSha256, Sha256::Of("123456789")}}});
  EXPECT_NE(body.find("<ETag>\"aa\"</ETag><ChecksumSHA256>"
                      "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=</ChecksumSHA256></Part>"),
            std::string::npos)
      << body;
}

// ---- Tags, copies ------------------------------------------------------------------------------

TEST(ParseTagging, GivesBackWhatTaggingBodyWrote) {
  const NameValues tags = {{"a&b=", "+ <x>"}, {"\xE4\xB8\xAD", ""}, {"c", "1\r\n2"}};
  EXPECT_EQ(ParseTagging(TaggingBody(tags)), tags);
  EXPECT_EQ(ParseTagging("<Tagging><TagSet/></Tagging>"), NameValues{});
}

TEST(ParseCopyResult, TakesCopiesOfObjectsAndOfParts) {
  for (const char* root : {"CopyObjectResult", "CopyPartResult"}) {
    const std::string name = root;
    const CopyResult result = ParseCopyResult(
        "<" + name + "><LastModified>2009-10-12T17:50:30Z</LastModified><ETag>\"aa\"</ETag></" +
        name + ">");
    EXPECT_EQ(result.etag, "aa");
    EXPECT_EQ(result.last_modified_ms, 1255369830000);
  }
  EXPECT_EQ(FailureOf([] { ParseCopyResult("<Error><Code>SlowDown</Code></Error>"); }),
            (Failure{ErrorKind::kThrottled, "SlowDown"}));
  EXPECT_EQ(FailureOf([] { ParseCopyResult("<CopyPartResult></CopyPartResult>"); }), kCorrupt);
}

}  // namespace
}  // namespace ferry
