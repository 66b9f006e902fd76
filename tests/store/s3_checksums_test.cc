// Checksums on the wire: what S3Store sends where a provider keeps them, and what it reads.
#include <gtest/gtest.h>

#include "batch/base/digest.h"
#include "batch/base/time_text.h"
#include "batch/store/curl_http.h"
#include "batch/store/s3_store.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using test::HttpText;
using test::SeenRequest;

class Anonymous final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override { return std::nullopt; }
  bool Refused() override { return false; }
};

class S3ChecksumsTest : public testing::Test {
 protected:
  ~S3ChecksumsTest() override { runner_.Stop(); }

  S3Options Options(std::string_view provider) const {
    return {"far",
            "bucket",
            {.provider = FindProvider(provider), .region = "eu-west-1", .endpoint = server_.url()}};
  }
  void Answer(std::string bytes) { server_.Answer({.bytes = std::move(bytes)}); }
  template <typename Make>
  auto Await(Make make) {
    return runner_.Await(std::move(make));
  }
  PutAnswer Put(S3Store& store, std::optional<Digest> digest) {
    PutRequest request;
    request.key = Key("k");
    request.body = "123456789";
    request.bytes = 9;
    request.digest = std::move(digest);
    return Await([&] { return store.Put(request); });
  }
  ObjectHead Get(S3Store& store, std::uint64_t range_bytes = 0) {
    GetRequest request;
    request.key = Key("k");
    request.range_bytes = range_bytes;
    request.expected_bytes = 9;
    MemorySink sink(100);
    return Await([&] { return store.Get(request, sink, [](const ObjectHead&) {}); });
  }
  static std::string Upload() {
    return HttpText(200, {},
                    "<InitiateMultipartUploadResult><UploadId>id</UploadId>"
                    "</InitiateMultipartUploadResult>");
  }

  const ObjectMetadata metadata_{};
  const Digests nvme_ = BodyDigest::Of({DigestKind::kCrc64Nvme}, "123456789");
  test::ScriptedHttpServer server_;
  test::LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {}};
  Anonymous keys_;
  S3Store keeps_{Options("aws"), http_, keys_, runner_.clock()};
  S3Store keeps_none_{Options("ceph"), http_, keys_, runner_.clock()};
};

TEST_F(S3ChecksumsTest, AServerThatRefusesThemIsAskedAgainWithout) {
  const std::string refusal = HttpText(501, {}, "<Error><Code>NotImplemented</Code></Error>");
  Answer(refusal);
  EXPECT_EQ(test::KindOf([&] { Put(keeps_, nvme_.front()); }), "unavailable");  // worth a try
  EXPECT_TRUE(server_.Take().Has("x-amz-checksum-crc64nvme"));
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  Put(keeps_, nvme_.front());
  EXPECT_FALSE(server_.Take().Has("x-amz-checksum-crc64nvme"));
  Answer(Upload());
  Await([&] { return keeps_.CreateUpload(Key("k"), metadata_); });
  EXPECT_FALSE(server_.Take().Has("x-amz-checksum-algorithm"));
  Answer(refusal);
  EXPECT_EQ(test::KindOf([&] { Put(keeps_, nvme_.front()); }), "invalid");  // for another reason
}

TEST_F(S3ChecksumsTest, ABodyCarriesTheDigestItIsGiven) {
  Answer(HttpText(200, {{"ETag", "\"e\""}, {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}}));
  EXPECT_EQ(Put(keeps_, nvme_.front()).checksums, nvme_);
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.Header("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
  EXPECT_FALSE(seen.Has("content-md5"));
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  EXPECT_TRUE(Put(keeps_, std::nullopt).checksums.empty());
  EXPECT_FALSE(server_.Take().Has("x-amz-checksum-crc64nvme"));
}

TEST_F(S3ChecksumsTest, AReadAsksForThemAndARangeHasNone) {
  Answer(HttpText(200, {{"ETag", "\"e\""}, {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}},
                  "123456789"));
  EXPECT_EQ(Get(keeps_).checksums, nvme_);
  EXPECT_EQ(server_.Take().Header("x-amz-checksum-mode"), "ENABLED");
  Answer(HttpText(206,
                  {{"ETag", "\"e\""},
                   {"Content-Range", "bytes 0-8/100"},
                   {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}},
                  "123456789"));
  EXPECT_TRUE(Get(keeps_, 9).checksums.empty());
}

TEST_F(S3ChecksumsTest, AnUploadIsToHaveOneOfTheWhole) {
  Answer(Upload());
  Await([&] { return keeps_.CreateUpload(Key("k"), metadata_); });
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.Header("x-amz-checksum-algorithm"), "CRC64NVME");
  EXPECT_EQ(seen.Header("x-amz-checksum-type"), "FULL_OBJECT");
}

// Unknown x-amz-checksum-* broke servers (s3.md 4.8).
TEST_F(S3ChecksumsTest, AStoreThatKeepsNoneHearsNothingOfThem) {
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  Put(keeps_none_, Digest{DigestKind::kMd5, Md5::Of("123456789")});
  Answer(HttpText(200, {{"ETag", "\"e\""}}, "123456789"));
  Get(keeps_none_);
  Answer(Upload());
  Await([&] { return keeps_none_.CreateUpload(Key("k"), metadata_); });
  const SeenRequest put = server_.Take();
  EXPECT_EQ(put.Header("content-md5"), "JfnnlDI7RTiF9RgfG2JNCw==");
  const SeenRequest requests[] = {put, server_.Take(), server_.Take()};
  for (const SeenRequest& seen : requests) {
    for (const char* name : {"x-amz-checksum-crc64nvme", "x-amz-checksum-mode",
                             "x-amz-checksum-algorithm", "x-amz-checksum-type"}) {
      EXPECT_FALSE(seen.Has(name)) << seen.target << " " << name;
    }
  }
}

// What a task asks for by name.
class DemandedChecksumsTest : public S3ChecksumsTest {
 protected:
  S3Options Demands(DigestKind kind) const {
    S3Options options = Options("aws");
    options.location.provider.checksum = kind;
    options.demands_checksum = true;
    return options;
  }
  PutAnswer PutFlowing(S3Store& store, const ObjectMetadata& metadata) {
    Ring ring(100, [](std::string_view) {});
    ring.Push("123456789");
    ring.Close();
    PutRequest request;
    request.key = Key("k");
    request.metadata = &metadata;
    request.source = &ring;
    request.bytes = 9;
    request.kind_behind = DigestKind::kSha256;
    request.digest_behind = [] { return Digest{DigestKind::kSha256, Sha256::Of("123456789")}; };
    return Await([&] { return store.Put(request); });
  }

  S3Store demands_{Demands(DigestKind::kSha256), http_, keys_, runner_.clock()};
};

TEST_F(DemandedChecksumsTest, ABodyThatFlowsCarriesItsOwnBehindIt) {
  Answer(
      HttpText(200, {{"ETag", "\"e\""},
                     {"x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}}));
  const PutAnswer answer = PutFlowing(demands_, {});
  EXPECT_EQ(answer.checksums, BodyDigest::Of({DigestKind::kSha256}, "123456789"));
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.Header("x-amz-trailer"), "x-amz-checksum-sha256");
  EXPECT_EQ(seen.Header("x-amz-decoded-content-length"), "9");
  EXPECT_EQ(seen.Header("content-encoding"), "aws-chunked");
  EXPECT_EQ(seen.Header("content-length"), std::to_string(seen.body.size()));
  EXPECT_EQ(seen.body,
            "9\r\n123456789\r\n0\r\n"
            "x-amz-checksum-sha256:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=\r\n\r\n");
}

TEST_F(DemandedChecksumsTest, TheObjectsOwnCodingStaysBehindThatOfTheRequest) {
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  ObjectMetadata metadata;
  metadata.headers = {{"content-encoding", "gzip"}};
  PutFlowing(demands_, metadata);
  EXPECT_EQ(server_.Take().Header("content-encoding"), "aws-chunked,gzip");
}

TEST_F(DemandedChecksumsTest, AServerThatRefusesThemIsNotAskedWithout) {
  const auto failure = [&](auto&& call) {
    Answer(HttpText(501, {}, "<Error><Code>NotImplemented</Code></Error>"));
    try {
      call();
      return std::string("none");
    } catch (const Error& error) {
      return std::string(ToString(error.kind())) + " " + error.what();
    }
  };
  const std::string texts[] = {
      failure([&] { PutFlowing(demands_, {}); }), failure([&] {
        Put(demands_, Digest{DigestKind::kSha256, Sha256::Of("123456789")});
      }),
      failure([&] { Await([&] { return demands_.CreateUpload(Key("k"), metadata_); }); })};
  for (const std::string& text : texts) {
    EXPECT_EQ(text.substr(0, 15), "invalid cannot ") << text;
    EXPECT_NE(text.find("sha256"), std::string::npos) << text;
    EXPECT_NE(text.find("`checksum:`"), std::string::npos) << text;
    server_.Take();
  }
  Answer(Upload());
  Await([&] { return demands_.CreateUpload(Key("k"), metadata_); });
  EXPECT_EQ(server_.Take().Header("x-amz-checksum-algorithm"), "SHA256");
}

// RGW 16.2, measured.
TEST_F(DemandedChecksumsTest, ATrailerTakenForAPayloadOfAnotherHashIsARefusal) {
  Answer(HttpText(400, {}, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>"));
  EXPECT_EQ(test::KindOf([&] { PutFlowing(demands_, {}); }), "invalid");
}

TEST_F(DemandedChecksumsTest, ARefusalForAnotherReasonDoesNotSpeakOfChecksums) {
  Answer(HttpText(400, {}, "<Error><Code>InvalidStorageClass</Code></Error>"));
  try {
    PutFlowing(demands_, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("checksum"), std::string::npos) << error.what();
  }
}

TEST_F(DemandedChecksumsTest, AnUploadNamesThoseOfItsPartsAndAnswersThatOfAll) {
  Answer(Upload());
  Await([&] { return demands_.CreateUpload(Key("k"), metadata_); });
  EXPECT_EQ(server_.Take().Header("x-amz-checksum-type"), "COMPOSITE");
  const Digest part{DigestKind::kSha256, Sha256::Of("123456789")};
  const Digest all{DigestKind::kSha256, Sha256::Of(part.bytes)};
  Answer(HttpText(200, {},
                  "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag><ChecksumSHA256>" +
                      ToBase64(all.bytes) +
                      "-1</ChecksumSHA256><ChecksumType>COMPOSITE</ChecksumType>"
                      "</CompleteMultipartUploadResult>"));
  const CompletedUpload completed = Await([&] {
    return demands_.CompleteUpload(Key("k"), "id", {{1, "e", part}});
  });
  EXPECT_EQ(completed.composite, (CompositeDigest{all, 1}));
  EXPECT_NE(server_.Take().body.find("<ChecksumSHA256>" + ToBase64(part.bytes)), std::string::npos);
}

TEST_F(DemandedChecksumsTest, AnObjectUnderRetentionIsLockedFromTheTimeOfItsRequest) {
  S3Options options = Demands(DigestKind::kCrc64Nvme);
  options.lock = ObjectLock{"COMPLIANCE", std::chrono::days(10)};
  S3Store locks(options, http_, keys_, runner_.clock());
  const auto until = [&] {
    const SeenRequest seen = server_.Take();
    EXPECT_EQ(seen.Header("x-amz-object-lock-mode"), "COMPLIANCE") << seen.target;
    return ParseRfc3339(seen.Header("x-amz-object-lock-retain-until-date")).value_or(0);
  };
  const auto day = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::days(1));
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      runner_.clock().WallNow().time_since_epoch());
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  PutFlowing(locks, {});
  Answer(Upload());
  Await([&] { return locks.CreateUpload(Key("k"), metadata_); });
  Answer(HttpText(200, {}, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"));
  CopyRequest copy;
  copy.source_bucket = "other";
  copy.source_key = copy.key = Key("k");
  Await([&] { return locks.Copy(copy); });
  for (int request = 0; request < 3; ++request) {
    const std::int64_t at = until();
    EXPECT_GT(at, (now + 9 * day).count());
    EXPECT_LT(at, (now + 11 * day).count());
  }
}

}  // namespace
}  // namespace ferry
