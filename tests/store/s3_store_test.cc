// S3Store over a server that answers what a test says: what a real store does only on a bad day.
#include "batch/store/s3_store.h"

#include <gtest/gtest.h>

#include "batch/base/digest.h"
#include "batch/store/curl_http.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using test::HttpText;
using test::KindOf;
using test::ScriptedAnswer;
using test::ScriptedHttpServer;
using test::SeenRequest;

constexpr const char* kEtag = "\"900150983cd24fb0d6963f7d28e17f72\"";  // of "abc"

// Its keys change when the store refuses them, as a file that was written anew.
class RotatingKeys final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override {
    if (anonymous) return std::nullopt;
    return Credentials{"ACCESS" + std::to_string(refused), "the-secret", token};
  }
  bool Refused() override {
    refused += 1;
    return false;
  }

  int refused = 0;
  bool anonymous = false;
  std::string token;
};

std::string ErrorText(int status, const std::string& code) {
  return HttpText(
      status, {{"x-amz-request-id", "REQ1"}},
      "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>why</Message></Error>");
}

class S3StoreTest : public testing::Test {
 protected:
  ~S3StoreTest() override { runner_.Stop(); }

  S3Options Options() const {
    return {"far",
            "bucket",
            {.provider = FindProvider("s3"), .region = "eu-west-1", .endpoint = server_.url()}};
  }
  void Answer(std::string bytes) { server_.Answer({.bytes = std::move(bytes)}); }
  template <typename Make>
  auto Await(Make make) {
    return runner_.Await(std::move(make));
  }
  template <typename Make>
  std::optional<Error> Failure(Make make) {
    return test::ErrorOf([&] { Await(make); });
  }
  // Reads "abc" pinned to its ETag; `range` asks for its bytes as a range of a larger object.
  std::string Get(bool range) {
    GetRequest request;
    request.key = Key("k");
    request.if_match = "900150983cd24fb0d6963f7d28e17f72";
    request.expected_bytes = 3;
    if (range) {
      request.first_byte = 10;
      request.range_bytes = 3;
    }
    sink_.body().clear();
    Await([&] { return store_.Get(request, sink_, [](const ObjectHead&) {}); });
    return sink_.body();
  }
  PutRequest PutOf(std::string_view body) {
    PutRequest request;
    request.key = Key("k");
    request.body = body;
    request.bytes = body.size();
    return request;
  }

  ScriptedHttpServer server_;
  test::LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {}};
  RotatingKeys keys_;
  S3Store store_{Options(), http_, keys_, runner_.clock()};
  MemorySink sink_{1000};
};

TEST_F(S3StoreTest, ReadsAreNotRefusedForTheCaseInWhichAStoreSpellsItsEtags) {
  StoreLocation location{.provider = FindProvider("oss"), .endpoint = server_.url()};
  location.addressing = AddressStyle::kPath;
  S3Store oss({"far", "bucket", location}, http_, keys_, runner_.clock());
  GetRequest request;
  request.key = Key("k");
  request.if_match = "900150983cd24fb0d6963f7d28e17f72";
  request.expected_bytes = 3;
  Answer(HttpText(200, {{"ETag", kEtag}, {"Content-Length", "0"}}));  // it is no capitals
  for (int i = 0; i < 2; ++i) {
    Answer(HttpText(200, {{"ETag", kEtag}}, "abc"));
    Await([&] { return oss.Get(request, sink_, [](const ObjectHead&) {}); });
  }
  EXPECT_EQ(server_.Take().method, "HEAD");
  EXPECT_EQ(server_.Take().Header("if-match"), kEtag);
  EXPECT_EQ(server_.Take().Header("if-match"), kEtag);
}

TEST_F(S3StoreTest, AWholeReadIsPinnedAndUncompressed) {
  Answer(HttpText(200, {{"ETag", kEtag}, {"Content-Encoding", "gzip"}}, "abc"));
  EXPECT_EQ(Get(false), "abc");
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.target, "/bucket/k");
  EXPECT_EQ(seen.Header("if-match"), kEtag);
  EXPECT_EQ(seen.Header("accept-encoding"), "gzip");
  EXPECT_FALSE(seen.Has("range"));
}

TEST_F(S3StoreTest, ARangeIsAskedForAndChecked) {
  Answer(HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 10-12/100"}}, "abc"));
  EXPECT_EQ(Get(true), "abc");
  EXPECT_EQ(server_.Take().Header("range"), "bytes=10-12");
}

TEST_F(S3StoreTest, AnswersThatAreNotTheRangeAreNeverTaken) {
  struct {
    const char* name;
    std::string text;
    const char* kind;
  } const cases[] = {
      {"range ignored", HttpText(200, {{"ETag", kEtag}}, std::string(100, 'x')), "corrupt"},
      {"another range", HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 0-2/100"}}, "abc"),
       "corrupt"},
      {"longer range",
       HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 10-13/100"}}, "abcd"), "corrupt"},
      {"no Content-Range", HttpText(206, {{"ETag", kEtag}}, "abc"), "corrupt"},
      {"bad Content-Range",
       HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 10-12"}}, "abc"), "corrupt"},
      {"another length",
       HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 10-12/100"}}, "ab"), "conflict"},
      {"another object",
       HttpText(206, {{"ETag", "\"0\""}, {"Content-Range", "bytes 10-12/100"}}, "abc"), "conflict"},
      {"changed", ErrorText(412, "PreconditionFailed"), "conflict"},
      {"shorter now", ErrorText(416, "InvalidRange"), "conflict"},
      {"archived", ErrorText(403, "InvalidObjectState"), "archived"},
  };
  for (const auto& c : cases) {
    server_.Answer({.bytes = c.text, .then = ScriptedAnswer::Then::kClose});
    EXPECT_EQ(KindOf([&] { Get(true); }), c.kind) << c.name;
    EXPECT_EQ(sink_.body(), "") << c.name;
  }
}

TEST_F(S3StoreTest, AnAnswerThatIgnoresThePinIsAConflict) {
  Answer(HttpText(200, {{"ETag", "\"other\""}}, "abc"));
  EXPECT_EQ(KindOf([&] { Get(false); }), "conflict");
  Answer(HttpText(206, {{"ETag", kEtag}, {"Content-Range", "bytes 0-2/3"}}, "abc"));
  EXPECT_EQ(KindOf([&] { Get(false); }), "corrupt");  // a part of it, unasked
}

TEST_F(S3StoreTest, AnAnswerThatIsAnotherVersionIsNeverTaken) {
  GetRequest request;
  request.key = Key("k");
  request.version_id = "v1";
  request.expected_bytes = 3;
  const auto get = [&] { return store_.Get(request, sink_, [](const ObjectHead&) {}); };
  Answer(HttpText(200, {{"etag", kEtag}, {"x-amz-version-id", "v2"}}, "abc"));
  const auto error = Failure(get);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kCorrupt);
  Answer(HttpText(200, {{"etag", kEtag}, {"x-amz-version-id", "v1"}}, "abc"));
  EXPECT_FALSE(Failure(get));
  Answer(HttpText(200, {{"etag", kEtag}}, "abc"));  // not every store names it
  EXPECT_FALSE(Failure(get));
}

TEST_F(S3StoreTest, ARedirectIsAnErrorAndNoSecretFollowsIt) {
  ScriptedHttpServer elsewhere;
  keys_.token = "session-secret";
  for (const int status : {301, 307}) {
    Answer(HttpText(status, {{"Location", elsewhere.url() + "/bucket/k"}}));
    EXPECT_NE(KindOf([&] { Get(false); }), "none") << status;
  }
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(S3StoreTest, AnErrorSaysWhatWhereAndWhatToDoAndNoSecret) {
  Answer(ErrorText(403, "AccessDenied"));
  const auto error = Failure([&] { return store_.Put(PutOf("abc")); });
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(),
               "cannot write far:bucket/k: AccessDenied (why) [request REQ1]; grant the action to "
               "this access key");
  EXPECT_EQ(error->kind(), ErrorKind::kDenied);
  EXPECT_EQ(error->code(), "AccessDenied");
}

TEST_F(S3StoreTest, KeysInErrorsAreEscaped) {
  Answer(ErrorText(404, "NoSuchKey"));
  const auto error = Failure([&] { return store_.GetTags(Key("a\n\xFF")); });
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("far:bucket/a\\x0a\\xff"), std::string::npos)
      << error->what();
}

TEST_F(S3StoreTest, AnErrorUnderA200IsAnErrorWithItsCode) {
  const std::string hidden = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
  Answer(HttpText(200, {}, hidden));
  const auto error = Failure([&] { return store_.CompleteUpload(Key("k"), "id", {{1, "e"}}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), "InternalError");
  EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
}

TEST_F(S3StoreTest, ACompletionWhoseAnswerCannotBeReadIsInDoubt) {
  for (const char* text : {"", "<CompleteMultipartUploadResult><ETag>\"a", "<html>proxy</html>"}) {
    Answer(HttpText(200, {}, text));
    EXPECT_NE(Failure([&] {
                return store_.CompleteUpload(Key("k"), "id", {{1, "e"}});
              })
                  .value_or(Error(ErrorKind::kConfig, "no error"))
                  .kind(),
              ErrorKind::kConfig)
        << text;
  }
}

TEST_F(S3StoreTest, ACompletionWaitsThroughWhiteSpace) {
  ScriptedAnswer slow{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"};
  const std::string last =
      "<?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>\"e-1\"</ETag>"
      "</CompleteMultipartUploadResult>";
  char size[16];
  std::snprintf(size, sizeof size, "%zx", last.size());
  slow.pieces = {"1\r\n \r\n", "1\r\n\n\r\n", std::string(size) + "\r\n" + last + "\r\n0\r\n\r\n"};
  slow.piece_delay = std::chrono::milliseconds(50);
  server_.Answer(slow);
  EXPECT_EQ(Await([&] { return store_.CompleteUpload(Key("k"), "id", {{1, "e"}}); }).etag, "e-1");
  EXPECT_EQ(server_.Take().Header("content-type"), "application/xml");
}

TEST_F(S3StoreTest, CreatingAnUploadCarriesTheObjectsTypeOrNone) {
  const std::string made =
      "<InitiateMultipartUploadResult><UploadId>id</UploadId>"
      "</InitiateMultipartUploadResult>";
  ObjectMetadata metadata;
  Answer(HttpText(200, {}, made));
  Await([&] { return store_.CreateUpload(Key("k"), metadata); });
  EXPECT_FALSE(server_.Take().Has("content-type"));
  metadata.headers = {{"content-type", "video/mp4"}, {"x-amz-meta-empty", ""}};
  Answer(HttpText(200, {}, made));
  Await([&] { return store_.CreateUpload(Key("k"), metadata); });
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.target, "/bucket/k?uploads=");
  EXPECT_EQ(seen.Header("content-type"), "video/mp4");
  EXPECT_TRUE(seen.Has("x-amz-meta-empty"));
  EXPECT_NE(seen.Header("authorization").find("x-amz-meta-empty"), std::string::npos);
}

TEST_F(S3StoreTest, AnEmptyObjectIsPutWithItsLengthAndDigest) {
  Answer(HttpText(200, {{"ETag", "\"d41d8cd98f00b204e9800998ecf8427e\""}}));
  PutRequest request = PutOf("");
  request.digest = Digest{DigestKind::kMd5, Md5::Of("")};
  EXPECT_EQ(Await([&] { return store_.Put(request); }).etag, "d41d8cd98f00b204e9800998ecf8427e");
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.Header("content-length"), "0");
  EXPECT_EQ(seen.Header("content-md5"), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(seen.Header("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_FALSE(seen.Has("transfer-encoding"));
}

TEST_F(S3StoreTest, APartNamesItsUploadAndNumberAndCarriesNoMetadata) {
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  PutRequest request = PutOf("abc");
  request.upload_id = "id/+ =";
  request.part_number = 7;
  Await([&] { return store_.Put(request); });
  EXPECT_EQ(server_.Take().target, "/bucket/k?partNumber=7&uploadId=id%2F%2B%20%3D");
}

TEST_F(S3StoreTest, KeysAreEncodedOnceAndNeverNormalised) {
  const std::pair<const char*, const char*> cases[] = {
      {"../k", "/bucket/../k"},    {"a/../b", "/bucket/a/../b"},   {"a//b/", "/bucket/a//b/"},
      {".", "/bucket/."},          {"a+b c", "/bucket/a%2Bb%20c"}, {"a%2Fb", "/bucket/a%252Fb"},
      {"?x#y", "/bucket/%3Fx%23y"}};
  for (const auto& [key, target] : cases) {
    Answer(HttpText(204));
    Await([&, name = Key(key)] { return store_.Delete(name); });
    EXPECT_EQ(server_.Take().target, target);
  }
}

TEST_F(S3StoreTest, AnExpiredTokenIsReadAnewOnceAndTheRequestSentAgain) {
  Answer(ErrorText(400, "ExpiredToken"));
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  EXPECT_EQ(Await([&] { return store_.Put(PutOf("abc")); }).etag, "e");
  EXPECT_NE(server_.Take().Header("authorization").find("ACCESS0/"), std::string::npos);
  const SeenRequest second = server_.Take();
  EXPECT_NE(second.Header("authorization").find("ACCESS1/"), std::string::npos);
  EXPECT_EQ(second.body, "abc");
  for (int i = 0; i < 2; ++i) Answer(ErrorText(400, "ExpiredToken"));
  EXPECT_EQ(KindOf([&] { Await([&] { return store_.Put(PutOf("abc")); }); }), "credentials");
}

TEST_F(S3StoreTest, AClockThatIsWrongIsCorrectedByTheStoresDate) {
  const std::string body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
  Answer(HttpText(403, {{"Date", "Sun, 06 Nov 2044 08:49:37 GMT"}}, body));
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  Answer(HttpText(200, {{"ETag", "\"e\""}}));
  Await([&] { return store_.Put(PutOf("abc")); });
  Await([&] { return store_.Put(PutOf("abc")); });
  server_.Take();
  EXPECT_TRUE(server_.Take().Header("x-amz-date").starts_with("20441106T08"));
  EXPECT_TRUE(server_.Take().Header("x-amz-date").starts_with("20441106T08"));  // remembered
}

TEST_F(S3StoreTest, ACachedDateCorrectsNothing) {
  const std::string body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
  Answer(HttpText(403, {{"Date", "Sun, 06 Nov 2044 08:49:37 GMT"}, {"Age", "3"}}, body));
  EXPECT_EQ(KindOf([&] { Await([&] { return store_.Put(PutOf("abc")); }); }), "credentials");
}

TEST_F(S3StoreTest, AnonymousRequestsAreNotSigned) {
  keys_.anonymous = true;
  Answer(HttpText(200, {{"ETag", kEtag}}, "abc"));
  Get(false);
  EXPECT_FALSE(server_.Take().Has("authorization"));
}

TEST_F(S3StoreTest, AMissingKeyAndAMissingBucketLookAlikeToAHeadAndAreToldApart) {
  for (const char* code : {"NoSuchKey", "NoSuchBucket"}) {
    Answer("HTTP/1.1 404 Not Found\r\nContent-Length: 300\r\n\r\n");
    Answer(ErrorText(404, code));
    const auto error = Failure([&] { return store_.Head(Key("k")); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
    EXPECT_EQ(error->code(), code);
  }
}

TEST_F(S3StoreTest, AHeadSaysWhatTheObjectIs) {
  Answer(
      "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nETag: "
      "\"ABCDEF983cd24fb0d6963f7d28e17f72-3\"\r\n"
      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-amz-storage-class: GLACIER\r\n"
      "x-amz-tagging-count: 2\r\nx-amz-server-side-encryption: aws:kms\r\nContent-Type: a/b\r\n"
      "Content-Encoding: aws-chunked, gzip\r\nExpires: -1\r\nX-Amz-Meta-A: \r\nServer: x\r\n\r\n");
  const ObjectHead head = Await([&] { return store_.Head(Key("k")); });
  EXPECT_EQ(head.size_bytes, 5'000'000'000U);
  EXPECT_EQ(head.etag, "abcdef983cd24fb0d6963f7d28e17f72-3");
  EXPECT_EQ(head.last_modified_ms, 784'111'777'000);
  EXPECT_EQ(head.storage_class, "GLACIER");
  EXPECT_EQ(head.tag_count, 2U);
  EXPECT_TRUE(head.etag_hides_md5);
  const NameValues expected = {{"content-type", "a/b"},
                               {"content-encoding", "gzip"},
                               {"expires", "-1"},
                               {"x-amz-meta-a", ""}};
  EXPECT_EQ(head.metadata_headers, expected);
}

TEST_F(S3StoreTest, AListingThatFailsMidwayIsNeverAShortOne) {
  const char* const bad[] = {
      "", "<html></html>", "<ListBucketResult><IsTruncated>false</IsTruncated>",
      "<ListBucketResult></ListBucketResult>", "<Error><Code>InternalError</Code></Error>"};
  for (const char* text : bad) {
    Answer(HttpText(200, {}, text));
    EXPECT_NE(KindOf([&] { Await([&] { return store_.List({}); }); }), "none") << text;
  }
}

TEST_F(S3StoreTest, AServerOfTheOldListingIsAskedOnWithMarkers) {
  const auto page = [](bool truncated, const char* key) {
    return HttpText(200, {},
                    "<ListBucketResult><Name>b</Name><IsTruncated>" +
                        std::string(truncated ? "true" : "false") +
                        "</IsTruncated><Contents><Key>" + key +
                        "</Key><Size>1</Size><ETag>e</ETag></Contents></ListBucketResult>");
  };
  Answer(page(true, "a b"));
  Answer(page(false, "c"));
  ListRequest request;
  request.prefix = "p/";
  const ListPage first = Await([&] { return store_.List(request); });
  EXPECT_TRUE(first.truncated);
  request.continuation_token = first.continuation_token;
  EXPECT_FALSE(Await([&] { return store_.List(request); }).truncated);
  EXPECT_NE(server_.Take().target.find("list-type=2"), std::string::npos);
  const SeenRequest second = server_.Take();
  EXPECT_NE(second.target.find("marker=a%20b"), std::string::npos) << second.target;
  EXPECT_EQ(second.target.find("list-type"), std::string::npos) << second.target;
}

TEST_F(S3StoreTest, AWebPageInsteadOfS3IsNamedAsSuch) {
  Answer(HttpText(404, {{"Content-Type", "text/html"}}, "<html>nginx</html>"));
  const auto error = Failure([&] { return store_.GetTags(Key("k")); });
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("web page"), std::string::npos) << error->what();
}

TEST_F(S3StoreTest, AnEarly503DuringAnUploadIsThrottling) {
  server_.Answer({.bytes = ErrorText(503, "SlowDown"),
                  .when = ScriptedAnswer::When::kAfterHead,
                  .then = ScriptedAnswer::Then::kClose});
  const std::string body(8 << 20, 'x');
  EXPECT_EQ(KindOf([&] { Await([&] { return store_.Put(PutOf(body)); }); }), "throttled");
}

TEST_F(S3StoreTest, AnAnswerCutShortIsUnavailable) {
  server_.Answer(
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: " + std::string(kEtag) + "\r\n\r\na",
       .then = ScriptedAnswer::Then::kClose});
  EXPECT_EQ(KindOf([&] { Get(false); }), "unavailable");
}

}  // namespace
}  // namespace ferry
