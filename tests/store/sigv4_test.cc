#include "batch/store/sigv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace ferry {
namespace {

using namespace std::chrono_literals;

WallTime At(std::chrono::sys_days day, std::chrono::seconds time_of_day) {
  return WallTime(day) + time_of_day;
}

std::string Value(const NameValues& headers, std::string_view name) {
  for (const auto& [header_name, value] : headers) {
    if (header_name == name) return value;
  }
  return "(none)";
}

std::string SignatureOf(const SignedRequest& request) {
  const std::string authorization = Value(request.headers, "authorization");
  const std::size_t at = authorization.find("Signature=");
  return at == std::string::npos ? authorization : authorization.substr(at + 10);
}

// ---- The suite of awslabs/aws-c-auth -----------------------------------------------------------

struct Vector {
  std::string name;
  std::string method;
  std::string path;
  NameValues query = {};
  NameValues headers = {};
  std::string body = {};
  bool normalize = true;
  bool sign_body = false;
  std::string token = {};
  std::string canonical_hash;
  std::string signature;
};

const Vector kVectors[] = {
#include "tests/store/sigv4_vectors.inc"
};

const WallTime kVectorTime = At(std::chrono::August / 30 / 2015, 12h + 36min);

Signer VectorSigner(const Vector& vector, SignProfile profile) {
  return Signer({"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", vector.token},
                {"us-east-1", "service", profile});
}

class SigV4VectorTest : public testing::TestWithParam<Vector> {};

TEST_P(SigV4VectorTest, IsSignedAsTheSuiteSays) {
  const Vector& vector = GetParam();
  const std::string path = UriEncode(vector.path, SlashRule::kKeep);
  const std::string hash = PayloadHash(vector.body);
  NameValues headers = vector.headers;
  if (vector.sign_body) headers.emplace_back("x-amz-content-sha256", hash);

  Signer signer = VectorSigner(
      vector, vector.normalize ? SignProfile::kGeneric : SignProfile::kGenericUnnormalized);
  const SignedRequest signed_request =
      signer.Sign({vector.method, path, vector.query, headers, hash}, kVectorTime);

  EXPECT_EQ(PayloadHash(signer.canonical_request()), vector.canonical_hash)
      << signer.canonical_request();
  EXPECT_EQ(SignatureOf(signed_request), vector.signature) << signer.string_to_sign();
}

INSTANTIATE_TEST_SUITE_P(AwsCAuth, SigV4VectorTest, testing::ValuesIn(kVectors),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(SigV4, TheSuiteIsWhole) { EXPECT_EQ(std::size(kVectors), 38U); }

TEST(SigV4, TheS3ProfileSignsThePathsOfUnnormalizedVectorsAsTheyAre) {
  int seen = 0;
  for (const Vector& vector : kVectors) {
    if (vector.normalize) continue;
    ++seen;
    const std::string path = UriEncode(vector.path, SlashRule::kKeep);
    Signer s3 = VectorSigner(vector, SignProfile::kS3);
    s3.Sign({vector.method, path, vector.query, vector.headers, kEmptyPayloadHash}, kVectorTime);

    const std::string expected = "GET\n" + path + "\n\nhost:example.amazonaws.com\n" +
                                 "x-amz-content-sha256:" + std::string(kEmptyPayloadHash) + "\n";
    EXPECT_EQ(s3.canonical_request().substr(0, expected.size()), expected) << vector.name;
  }
  EXPECT_EQ(seen, 7);
}

// ---- The examples of the S3 documentation -------------------------------------------------------
// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

const WallTime kS3ExampleTime = At(std::chrono::May / 24 / 2013, 0s);

Signer S3ExampleSigner() {
  return Signer({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""},
                {"us-east-1", "s3", SignProfile::kS3});
}

TEST(SigV4, SignsTheExamplesOfTheS3Documentation) {
  const std::string welcome = PayloadHash("Welcome to Amazon S3.");
  const std::string empty(kEmptyPayloadHash);
  const NameValue host = {"Host", "examplebucket.s3.amazonaws.com"};
  const struct {
    const char* name;
    const char* method;
    std::string path;
    NameValues query;
    NameValues headers;
    std::string hash;
    const char* signature;
  } cases[] = {
      {"GetObject",
       "GET",
       "/test.txt",
       {},
       {host, {"Range", "bytes=0-9"}},
       empty,
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PutObject",
       "PUT",
       "/" + UriEncode("test$file.text", SlashRule::kKeep),
       {},
       {host,
        {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       welcome,
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GetBucketLifecycle",
       "GET",
       "/",
       {{"lifecycle", ""}},
       {host},
       empty,
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"ListObjects",
       "GET",
       "/",
       {{"prefix", "J"}, {"max-keys", "2"}},
       {host},
       empty,
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  Signer signer = S3ExampleSigner();  // one for all: what it keeps may not leak into the next
  for (const auto& c : cases) {
    const SignedRequest signed_request =
        signer.Sign({c.method, c.path, c.query, c.headers, c.hash}, kS3ExampleTime);
    EXPECT_EQ(SignatureOf(signed_request), c.signature) << c.name << "\n"
                                                        << signer.canonical_request();
    EXPECT_EQ(signed_request.query, CanonicalQuery(c.query)) << c.name;
  }
}

TEST(SigV4, WritesTheAuthorizationHeaderAsDocumented) {
  const SignedRequest signed_request =
      S3ExampleSigner().Sign({"GET",
                              "/test.txt",
                              {},
                              {{"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"}},
                              kEmptyPayloadHash},
                             kS3ExampleTime);
  EXPECT_EQ(Value(signed_request.headers, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(Value(signed_request.headers, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(Value(signed_request.headers, "x-amz-content-sha256"), kEmptyPayloadHash);
  EXPECT_EQ(Value(signed_request.headers, "x-amz-security-token"), "(none)");
}

// ---- What must not be signed, and what may change -----------------------------------------------

std::string SignWith(NameValues headers) {
  headers.emplace_back("host", "b.example.com");
  Signer signer = S3ExampleSigner();
  return SignatureOf(signer.Sign({"PUT", "/k", {}, headers, kUnsignedPayload}, kS3ExampleTime));
}

TEST(SigV4, DoesNotSignHeadersThatAProxyMayAlter) {
  const std::string plain = SignWith({});
  for (const char* name :
       {"Accept-Encoding", "Connection", "Content-Length", "Expect", "Keep-Alive",
        "Proxy-Authorization", "proxy-connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "User-Agent", "X-Amzn-Trace-Id", "amz-sdk-invocation-id", "amz-sdk-request"}) {
    EXPECT_EQ(SignWith({{name, "anything"}}), plain) << name;
  }
  for (const char* name : {"Content-MD5", "content-type", "Range", "If-Match", "x-amz-meta-a",
                           "x-amz-tagging", "Content-Encoding"}) {
    EXPECT_NE(SignWith({{name, "anything"}}), plain) << name;
  }
}

TEST(SigV4, IgnoresWhatAnEarlierSigningAdded) {
  EXPECT_EQ(SignWith({{"X-Amz-Date", "20000101T000000Z"},
                      {"Authorization", "old"},
                      {"X-Amz-Security-Token", "old"},
                      {"X-Amz-Content-Sha256", "old"}}),
            SignWith({}));
}

TEST(SigV4, SignsEmptyValuesAndBytesOfValuesButNotTheirOuterSpace) {
  EXPECT_NE(SignWith({{"x-amz-meta-a", ""}}), SignWith({}));
  EXPECT_EQ(SignWith({{"x-amz-meta-a", "  a \t b  "}}), SignWith({{"X-Amz-Meta-A", "a b"}}));
  EXPECT_NE(SignWith({{"x-amz-meta-a", "\xC3\xA4"}}), SignWith({{"x-amz-meta-a", "\xE4"}}));
}

TEST(SigV4, SignsAnewAfterMidnightAndAfterTheKeysOrTheRegionChanged) {
  const NameValues headers = {{"host", "b.example.com"}};
  const RequestToSign request{"GET", "/k", {}, headers, kEmptyPayloadHash};
  const Credentials other = {"AKIDOTHER", "secret", "token"};
  const WallTime evening = At(std::chrono::May / 24 / 2013, 24h - 1s);

  Signer signer = S3ExampleSigner();
  const std::string before = SignatureOf(signer.Sign(request, evening));
  const SignedRequest after = signer.Sign(request, evening + 1s);
  EXPECT_EQ(SignatureOf(after), SignatureOf(S3ExampleSigner().Sign(request, evening + 1s)));
  EXPECT_NE(SignatureOf(after), before);
  EXPECT_EQ(Value(after.headers, "x-amz-date"), "20130525T000000Z");

  signer.SetCredentials(other);
  signer.SetRegion("cn-north-1");
  const SignedRequest changed = signer.Sign(request, evening);
  Signer fresh(other, {"cn-north-1", "s3", SignProfile::kS3});
  EXPECT_EQ(changed.headers, fresh.Sign(request, evening).headers);
  EXPECT_EQ(Value(changed.headers, "x-amz-security-token"), "token");
  EXPECT_EQ(SignatureOf(signer.Sign(request, evening)), SignatureOf(changed));
}

TEST(SigV4, TakesSecretsLongerThanABlockOfTheHash) {
  // RFC 2104: a key over 64 bytes is hashed first. "AWS4" + 61 bytes is one too many.
  const NameValues headers = {{"host", "h"}};
  const RequestToSign request{"GET", "/", {}, headers, kEmptyPayloadHash};
  const SignScope scope{"us-east-1", "s3", SignProfile::kS3};
  Signer block({"A", std::string(60, 's'), ""}, scope);
  Signer longer({"A", std::string(61, 's'), ""}, scope);
  // Computed with Python's hmac module.
  EXPECT_EQ(SignatureOf(block.Sign(request, kS3ExampleTime)),
            "e69a0d4077c82a899013eb47841536eb3f1929bd76feb67759131041716cbe72");
  EXPECT_EQ(SignatureOf(longer.Sign(request, kS3ExampleTime)),
            "0dd0579a73e8365a6e1d83864f16b469e547212b77cf6c28e51c8e7291d6c581");
}

TEST(PayloadHash, IsSha256InLowerCaseHex) {
  EXPECT_EQ(PayloadHash(""), kEmptyPayloadHash);
  EXPECT_EQ(PayloadHash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace ferry
